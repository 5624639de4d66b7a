package debian

import (
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/image/internal/tree"
)

// format changes when the same recipe starts to give different content, so
// that results of older versions of this tool are not used again.
const format = 5

// Variant says how packages become a file system.
type Variant string

// Variants of mmdebstrap that recipes use.
const (
	// Installed runs the packages' own scripts in the new file system. For a
	// foreign architecture this needs its programs to run on this machine.
	Installed Variant = "minbase"
	// Extracted only unpacks. Nothing of the new file system runs, so every
	// architecture works everywhere.
	Extracted Variant = "extract"
)

// Recipe describes one Debian file system.
type Recipe struct {
	// Name is for people and for the cache directory.
	Name string
	// Suite is the Debian release, such as trixie.
	Suite string
	// Variant says whether packages are installed or only unpacked.
	Variant Variant
	// Packages are named without their dependencies.
	Packages []string
	// Customize is a shell script that runs when all packages are installed; $1
	// is the new root. Extracted recipes have none.
	Customize string `json:",omitempty"`
	// Versioned is the package whose upstream version stands for the whole.
	Versioned string
	// Shape says which files stay.
	Shape tree.Shape
}

// Platform is an OCI platform of Linux.
type Platform struct {
	// Arch is Go's name of the architecture, which OCI shares.
	Arch string
}

// String returns the platform as OCI writes it, such as linux/arm64.
func (p Platform) String() string { return "linux/" + p.Arch }

// Triplet returns Debian's multiarch name, such as aarch64-linux-gnu.
func (p Platform) Triplet() string {
	if p.Arch == "arm64" {
		return "aarch64-linux-gnu"
	}
	return "x86_64-linux-gnu"
}

// ParsePlatform reads a platform such as linux/amd64. Only platforms that
// images are made for are accepted.
func ParsePlatform(text string) (Platform, error) {
	switch strings.TrimSpace(text) {
	case "linux/amd64":
		return Platform{Arch: "amd64"}, nil
	case "linux/arm64":
		return Platform{Arch: "arm64"}, nil
	}
	return Platform{}, fmt.Errorf("platform %q is none of linux/amd64, linux/arm64", text)
}

// UpstreamVersion cuts epoch, repacking marks and Debian revision from a
// package version: 18.2.7+ds-1+deb13u1 becomes 18.2.7.
func UpstreamVersion(version string) string {
	if _, rest, found := strings.Cut(version, ":"); found {
		version = rest
	}
	if cut := strings.IndexAny(version, "+~-"); cut >= 0 {
		version = version[:cut]
	}
	return version
}
