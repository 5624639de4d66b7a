package attach

import (
	"slices"
	"strings"
	"unicode"
)

// forceUnmap removes a kernel device that is still open.
const forceUnmap = "force"

// mapReserved are the options that say which image is mapped, as whom, by what client and
// for whose writes: the volume decides that. udev is a matter of the rbd program.
func mapReserved(option string) bool {
	name, _, _ := strings.Cut(option, "=")
	return slices.Contains([]string{
		"name", "secret", "key", "fsid", "_pool_ns", "share", "noshare", "ro", "rw", "read_only", "read_write", "udev", "noudev",
	}, name)
}

func unmapReserved(option string) bool { return option != forceUnmap }

// Ignored returns the names of those options of a StorageClass that the backend is not
// given: the ones for other mounters, and the ones that are not the user's to set.
func Ignored(backend string, volume Volume) []string {
	_, mapping := optionsFor(backend, volume.MapOptions, mapReserved)
	_, unmapping := optionsFor(backend, volume.UnmapOptions, unmapReserved)
	var names []string
	for _, option := range slices.Concat(mapping, unmapping) {
		name, _, _ := strings.Cut(option, "=")
		names = append(names, name)
	}
	return names
}

// optionsFor splits the map or unmap options of a StorageClass into those that the backend
// is to be given and the others. The text has one part per mounter,
// "krbd:option,option;nbd:option"; a part without a name is for the kernel.
func optionsFor(backend, text string, reserved func(string) bool) (taken, ignored []string) {
	for part := range strings.SplitSeq(text, ";") {
		mounter, list := mounterOf(part)
		for option := range strings.SplitSeq(list, ",") {
			option = strings.TrimSpace(option)
			switch {
			case option == "":
			case mounter == backend && backend == Kernel && wellFormed(option) && !reserved(option):
				taken = append(taken, option)
			default:
				ignored = append(ignored, option)
			}
		}
	}
	return taken, ignored
}

// mounterOf cuts the name of the mounter off a part. A colon behind the first option
// belongs to that option's value, as in crush_location=zone:a.
func mounterOf(part string) (mounter, options string) {
	name, rest, found := strings.Cut(part, ":")
	if !found || strings.ContainsAny(name, "=,") {
		return Kernel, part
	}
	switch name = strings.ToLower(strings.TrimSpace(name)); name {
	case "", "krbd":
		return Kernel, rest
	case "nbd":
		return NBD, rest
	}
	return name, rest
}

// wellFormed refuses what has no name, and what would end the field of the kernel's order.
func wellFormed(option string) bool {
	name, value, _ := strings.Cut(option, "=")
	odd := func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	blank := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return name != "" && !strings.ContainsFunc(name, odd) && !strings.ContainsFunc(value, blank)
}
