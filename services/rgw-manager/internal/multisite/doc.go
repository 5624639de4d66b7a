// Package multisite is what the controllers of realms, zone groups and zones have
// in common: which cluster they belong to, whom they wait for, how their setup is
// made and removed, and how their status is worded. It decides nothing about any
// of them.
package multisite
