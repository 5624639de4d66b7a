package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Usage is which devices are mounted and which are swapped on.
type Usage struct {
	byNumber map[[2]uint32][]string
	bySource map[string][]string
	swaps    map[string]bool
	// fuse are the mount points of user-space file systems.
	fuse []string
}

// readUsage reads the mount table of the first process and the swap table.
func readUsage(h Host) (Usage, error) {
	usage := &Usage{byNumber: map[[2]uint32][]string{}, bySource: map[string][]string{}, swaps: map[string]bool{}}
	if err := eachLine(filepath.Join(h.Proc, "1", "mountinfo"), usage.addMount); err != nil {
		return Usage{}, fmt.Errorf("read mounts: %w", err)
	}
	err := eachLine(filepath.Join(h.Proc, "swaps"), usage.addSwap)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Usage{}, fmt.Errorf("read swaps: %w", err)
	}
	return *usage, nil
}

// addMount takes one line of mountinfo. The device number names the device for
// most file systems; btrfs has none of its own, so the source is kept as well.
func (u *Usage) addMount(line string) {
	fields := strings.Fields(line)
	dash := slices.Index(fields, "-")
	if len(fields) < 5 || dash < 0 || dash+2 >= len(fields) {
		return
	}
	target := unescape(fields[4])
	if strings.HasPrefix(fields[dash+1], "fuse") {
		u.fuse = append(u.fuse, target)
	}
	before, after, _ := strings.Cut(fields[2], ":")
	major, errMajor := strconv.ParseUint(before, 10, 32)
	minor, errMinor := strconv.ParseUint(after, 10, 32)
	if errMajor == nil && errMinor == nil && major != 0 {
		key := [2]uint32{uint32(major), uint32(minor)}
		u.byNumber[key] = append(u.byNumber[key], target)
	}
	if source := unescape(fields[dash+2]); strings.HasPrefix(source, "/dev/") {
		name := strings.TrimPrefix(source, "/dev/")
		u.bySource[name] = append(u.bySource[name], target)
	}
}

func (u *Usage) addSwap(line string) {
	if name, ok := strings.CutPrefix(unescape(strings.Fields(line + " -")[0]), "/dev/"); ok {
		u.swaps[name] = true
	}
}

// mounts returns where a device is mounted, sorted. A file system that is
// mounted in another mount namespace only is found through its sysfs directory.
func (u Usage) mounts(h Host, name string, major, minor uint32) []string {
	found := slices.Concat(u.byNumber[[2]uint32{major, minor}], u.bySource[nodeName(name)])
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) > 0 {
		return found
	}
	for _, pattern := range []string{"ext4/" + name, "xfs/" + name, "f2fs/" + name, "btrfs/*/devices/" + name} {
		matches, err := filepath.Glob(filepath.Join(h.Sys, "fs", pattern))
		if err == nil && len(matches) > 0 {
			return []string{"another mount namespace"}
		}
	}
	return nil
}

// onFuse reports whether a file belongs to a user-space file system: the files
// behind exported volumes do.
func (u Usage) onFuse(file string) bool { return file != "" && below(file, u.fuse) }

func (u Usage) swap(name string) bool { return u.swaps[nodeName(name)] }

// nodeName turns a kernel name into the name below /dev: sysfs writes '!' for '/'.
func nodeName(name string) string { return strings.ReplaceAll(name, "!", "/") }

// unescape decodes the octal escapes of procfs.
func unescape(field string) string {
	if !strings.Contains(field, `\`) {
		return field
	}
	var out strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if code, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		out.WriteByte(field[i])
	}
	return out.String()
}

func eachLine(path string, visit func(string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		visit(lines.Text())
	}
	return lines.Err()
}
