package v1

import (
	"slices"
	"strings"
)

// unsupportedOSDConfig gives the paths of OSD settings that nobody acts on yet,
// and of those that nobody knows, at every level of the storage spec.
func unsupportedOSDConfig(storage *StorageScopeSpec) []string {
	paths := unsupportedConfigKeys("spec.storage.config", storage.Config)
	for _, device := range storage.Devices {
		paths = append(paths, unsupportedConfigKeys("spec.storage.devices[*].config", device.Config)...)
	}
	for _, node := range storage.Nodes {
		paths = append(paths, unsupportedConfigKeys("spec.storage.nodes[*].config", node.Config)...)
		for _, device := range node.Devices {
			paths = append(paths, unsupportedConfigKeys("spec.storage.nodes[*].devices[*].config", device.Config)...)
		}
	}
	return paths
}

func unsupportedConfigKeys(path string, config OSDConfig) []string {
	var paths []string
	for key, value := range config {
		if value != "" && !actedOn(key, config) {
			paths = append(paths, path+"."+key)
		}
	}
	return paths
}

// actedOn tells whether a setting has the effect that it asks for.
func actedOn(key string, config OSDConfig) bool {
	switch key {
	case OSDConfigDeviceClass, OSDConfigInitialWeight, OSDConfigPrimaryAffinity, OSDConfigCrushRoot:
		return true
	case OSDConfigOSDsPerDevice:
		return config.OSDsPerDevice() == 1
	case OSDConfigEncryptedDevice:
		return !config.Encrypted()
	}
	return false
}

// unknownKeys gives the paths of per-daemon settings under a key that names no
// daemon, such as a misspelt one.
func unknownKeys(spec *ClusterSpec) []string {
	var paths []string
	add := func(field, key string) {
		if !knownKey(KeyType(key)) && (field != "resources" || !strings.HasPrefix(key, string(KeyOSD)+"-")) {
			paths = append(paths, "spec."+field+"."+key)
		}
	}
	for key := range spec.Placement {
		add("placement", string(key))
	}
	for key := range spec.Annotations {
		add("annotations", string(key))
	}
	for key := range spec.Labels {
		add("labels", string(key))
	}
	for key := range spec.PriorityClassNames {
		add("priorityClassNames", string(key))
	}
	for key := range spec.Resources {
		add("resources", key)
	}
	return paths
}

// knownKey tells whether a key of the per-daemon settings names a daemon.
func knownKey(key KeyType) bool {
	return slices.Contains([]KeyType{
		KeyAll, KeyMon, KeyMonArbiter, KeyMgr, KeyMgrSidecar, KeyOSD, KeyOSDPrepare, KeyRotation,
		KeyMds, KeyRgw, KeyCleanup, KeyDashboard, KeyMonitoring, KeyCrashCollector, KeyCephExporter,
		KeyClusterMetadata, KeyCmdReporter, KeyCmdReporterOld, KeyLogCollector, KeyRBDMirror, KeyFSMirror,
	}, key)
}
