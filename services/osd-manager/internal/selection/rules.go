package selection

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

// scope is the part of the spec that holds for one node: where the device
// selection is written, and the config below it.
type scope struct {
	field  string
	devs   api.Selection
	config api.OSDConfig
	// nodeConfig tells that the config has a level of its own for the node.
	nodeConfig api.OSDConfig
}

// scopeOf returns what the spec says about a node's devices. A node that brings
// a selection of its own overrides the cluster's as a whole.
func scopeOf(spec *api.StorageScopeSpec, hostname string) scope {
	s := scope{field: "spec.storage", devs: spec.Selection, config: spec.Config}
	if spec.UseAllNodes {
		return s
	}
	for _, node := range spec.Nodes {
		if node.Name != hostname {
			continue
		}
		s.nodeConfig = node.Config
		if selects(node.Selection) {
			s.field, s.devs = fmt.Sprintf("spec.storage.nodes[%s]", node.Name), node.Selection
		}
	}
	return s
}

// selects tells whether a selection says anything.
func selects(s api.Selection) bool {
	return len(s.Devices) > 0 || s.DeviceFilter != "" || s.DevicePathFilter != "" || s.UseAllDevices != nil
}

// match is what a selection makes of one disk.
type match struct {
	selected bool
	reason   string
	message  string
	// named is true when the spec names this very disk.
	named  bool
	config api.OSDConfig
}

// match applies the first of devices, deviceFilter, devicePathFilter and
// useAllDevices that is set.
func (s scope) match(d *inventory.CephDisk) (match, error) {
	base := merge(s.config, s.nodeConfig)
	switch {
	case len(s.devs.Devices) > 0:
		for i := range s.devs.Devices {
			if device := &s.devs.Devices[i]; means(device, d) {
				return match{true, ReasonDevices, "named by " + s.field + ".devices", true, merge(base, device.Config)}, nil
			}
		}
		return match{reason: ReasonDevices, message: s.field + ".devices does not name it"}, nil
	case s.devs.DeviceFilter != "":
		return s.filter(d, ReasonDeviceFilter, "deviceFilter", s.devs.DeviceFilter, []string{d.Status.Device}, base)
	case s.devs.DevicePathFilter != "":
		paths := append([]string{d.Status.Path}, d.Status.Links...)
		return s.filter(d, ReasonDevicePathFilter, "devicePathFilter", s.devs.DevicePathFilter, paths, base)
	case s.devs.UseAllDevices != nil && *s.devs.UseAllDevices:
		return match{selected: true, reason: ReasonAllDevices, message: s.field + ".useAllDevices is true", config: base}, nil
	default:
		return match{reason: ReasonNothingSelected, message: s.field + " selects no devices; set useAllDevices, deviceFilter, devicePathFilter or devices"}, nil
	}
}

func (s scope) filter(_ *inventory.CephDisk, reason, field, expression string, candidates []string, config api.OSDConfig) (match, error) {
	filter, err := regexp.Compile(expression)
	if err != nil {
		return match{}, fmt.Errorf("%s.%s is no regular expression: %w", s.field, field, err)
	}
	if slices.ContainsFunc(candidates, filter.MatchString) {
		return match{selected: true, reason: reason, message: fmt.Sprintf("%s.%s %s matches", s.field, field, expression), config: config}, nil
	}
	return match{reason: reason, message: fmt.Sprintf("%s.%s %s does not match", s.field, field, expression)}, nil
}

// means tells whether an entry of devices means the disk: by kernel name, by
// the path of its device file, or by a link that leads to it.
func means(device *api.Device, d *inventory.CephDisk) bool {
	wanted := device.FullPath
	if wanted == "" {
		wanted = device.Name
	}
	if wanted == d.Status.Device {
		return true
	}
	if !strings.HasPrefix(wanted, "/dev/") {
		wanted = "/dev/" + wanted
	}
	return wanted == d.Status.Path || slices.Contains(d.Status.Links, wanted)
}

// merge returns base with what comes before it; neither is changed.
func merge(base, over api.OSDConfig) api.OSDConfig {
	if len(base)+len(over) == 0 {
		return nil
	}
	merged := api.OSDConfig{}
	maps.Copy(merged, base)
	maps.Copy(merged, over)
	return merged
}

// unsupported names the settings of a config that would change how a disk is
// prepared and that are not implemented: to ignore them would be wrong.
func unsupported(config api.OSDConfig) []string {
	var found []string
	for key, value := range config {
		switch key {
		case api.OSDConfigMetadataDevice:
			if value != "" {
				found = append(found, key)
			}
		case api.OSDConfigOSDsPerDevice:
			if value != "" && value != "1" {
				found = append(found, key)
			}
		case api.OSDConfigEncryptedDevice:
			if value == "true" {
				found = append(found, key)
			}
		}
	}
	slices.Sort(found)
	return found
}

// ignored names the settings of a config that are not acted on yet, though an
// OSD may well be made without them.
func ignored(config api.OSDConfig) []string {
	switch config[api.OSDConfigPrimaryAffinity] {
	case "", "1", "1.0":
		return nil
	default:
		return []string{api.OSDConfigPrimaryAffinity}
	}
}
