package disk

import "strings"

// classify decides the kind of a device from its name first, because the names
// of network devices are reserved by their drivers and must keep us from
// opening them whatever else sysfs says.
func classify(name string, hardware, hidden bool, mapperUUID string) Kind {
	for _, known := range []struct {
		prefix string
		kind   Kind
	}{
		{"rbd", Network}, {"nbd", Network}, {"drbd", Network}, {"zd", Network}, {"ublkb", Network},
		{"zram", Memory}, {"ram", Memory}, {"brd", Memory},
		{"loop", Loop}, {"md", Array},
		{"sr", Optical}, {"scd", Optical}, {"fd", Optical},
		{"mtdblock", Firmware}, {"bcache", Virtual},
	} {
		if numbered(name, known.prefix) {
			return known.kind
		}
	}
	switch {
	case strings.HasPrefix(mapperUUID, "mpath-"):
		return Multipath
	case numbered(name, "dm-"):
		return Mapper
	case hidden:
		return Hidden
	case strings.HasPrefix(name, "mmcblk") && (strings.Contains(name, "boot") || strings.Contains(name, "rpmb") || strings.Contains(name, "gp")):
		return Firmware
	case hardware:
		return Disk
	default:
		return Virtual
	}
}

// numbered reports whether name is prefix followed by a digit or an underscore
// (md_d0, md_home).
func numbered(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && rest != "" && (rest[0] == '_' || (rest[0] >= '0' && rest[0] <= '9'))
}
