// Package crds carries the generated CustomResourceDefinitions, so that tests
// and tools install exactly what the charts ship.
//
// It depends on nothing and never talks to an API server. The YAML files are
// generated from shared/api; they are never edited.
package crds

import (
	"embed"
)

// FS holds one YAML file per CustomResourceDefinition, at its root.
//
//go:embed *.yaml
var FS embed.FS
