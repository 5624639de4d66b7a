// Package harness installs the product on the cluster that the stories run on
// and waits for what a story expects. It knows the public API only: objects,
// conditions, events, charts.
package harness
