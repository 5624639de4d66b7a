package v1

import (
	"slices"
	"strings"
)

// unsupportedField is a field that users may set and that nobody acts on yet.
// When a service learns to act on it, its row goes.
type unsupportedField[Spec any] struct {
	path string
	// set tells whether the spec asks for more than what happens without the
	// field. A default, an empty value and a feature that is off do not count.
	set func(*Spec) bool
}

// UnsupportedFields gives the JSON paths of the fields of a cluster's spec that
// are set and that nobody acts on yet, sorted. Elements of lists and maps are
// written as [*], so that a path is named once.
func UnsupportedFields(spec *ClusterSpec) []string {
	paths := setPaths(spec, slices.Concat(
		unsupportedDaemonFields(), unsupportedNetworkFields(), unsupportedStorageFields(),
		unsupportedSecurityFields(), unsupportedUpkeepFields(), unsupportedMonitoringFields()))
	paths = append(paths, unsupportedOSDConfig(&spec.Storage)...)
	paths = append(paths, unknownKeys(spec)...)
	return sorted(paths)
}

// UnsupportedPoolFields gives the JSON paths of the fields of a pool's spec that
// are set and that nobody acts on yet, sorted.
func UnsupportedPoolFields(spec *PoolSpec) []string {
	return sorted(setPaths(spec, unsupportedPoolFields()))
}

// UnsupportedFilesystemFields gives the JSON paths of the fields of a file
// system's spec that are set and that nobody acts on yet, sorted. Those of data
// pools are written as [*].
func UnsupportedFilesystemFields(spec *FilesystemSpec) []string {
	var paths []string
	if spec.Mirroring != nil && spec.Mirroring.Enabled {
		paths = append(paths, "spec.mirroring")
	}
	pool := func(prefix string, pool *PoolSpec) {
		for _, path := range UnsupportedPoolFields(pool) {
			paths = append(paths, prefix+strings.TrimPrefix(path, "spec"))
		}
	}
	if spec.MetadataPool != nil {
		pool("spec.metadataPool", &spec.MetadataPool.PoolSpec)
	}
	for i := range spec.DataPools {
		pool("spec.dataPools[*]", &spec.DataPools[i].PoolSpec)
	}
	return sorted(paths)
}

// UnsupportedMessage words the condition and the event about such fields. It is
// empty if there are none.
func UnsupportedMessage(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return "Accepted, but nothing acts on it yet: " + strings.Join(paths, ", ")
}

func setPaths[Spec any](spec *Spec, fields []unsupportedField[Spec]) []string {
	var paths []string
	for _, field := range fields {
		if field.set(spec) {
			paths = append(paths, field.path)
		}
	}
	return paths
}

func sorted(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

func unsupportedPoolFields() []unsupportedField[PoolSpec] {
	type field = unsupportedField[PoolSpec]
	return []field{
		{"spec.mirroring", func(s *PoolSpec) bool { return s.Mirroring.Enabled }},
		{"spec.enableRBDStats", func(s *PoolSpec) bool { return s.EnableRBDStats }},
		{"spec.replicated.hybridStorage", func(s *PoolSpec) bool { return s.Replicated.HybridStorage != nil }},
		{"spec.replicated.replicasPerFailureDomain", func(s *PoolSpec) bool { return s.Replicated.ReplicasPerFailureDomain > 1 }},
		{"spec.replicated.subFailureDomain", func(s *PoolSpec) bool { return s.Replicated.SubFailureDomain != "" }},
		{"spec.erasureCoded.crushNumFailureDomains", func(s *PoolSpec) bool { return s.ErasureCoded.CrushNumFailureDomains > 0 }},
		{"spec.erasureCoded.crushOSDsPerFailureDomain", func(s *PoolSpec) bool { return s.ErasureCoded.CrushOSDsPerFailureDomain > 0 }},
	}
}
