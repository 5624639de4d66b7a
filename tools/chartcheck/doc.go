// Package chartcheck renders the charts as Helm would and holds them to what we
// promise about them: pod security, rights, values. It has no code of its own
// besides its tests.
package chartcheck
