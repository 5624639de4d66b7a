package debian

import (
	"archive/tar"
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// readPackages lists the packages of a file system in tar form, from dpkg's
// database or from the records of unpacked packages.
func readPackages(name string) (packages []Package, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if header.Typeflag != tar.TypeReg || !isStatus(path.Clean("/"+header.Name)) {
			continue
		}
		some, err := parseStatus(reader)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", header.Name, err)
		}
		packages = append(packages, some...)
	}
	slices.SortFunc(packages, func(a, b Package) int { return cmp.Compare(a.Name, b.Name) })
	return packages, nil
}

func isStatus(name string) bool {
	return name == "/var/lib/dpkg/status" ||
		path.Dir(name) == "/var/lib/dpkg/status.d" && path.Ext(name) != ".md5sums"
}

// parseStatus reads stanzas of control data.
func parseStatus(text io.Reader) ([]Package, error) {
	var packages []Package
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "Package: "); ok {
			packages = append(packages, Package{Name: name})
		}
		if version, ok := strings.CutPrefix(lines.Text(), "Version: "); ok && len(packages) > 0 {
			packages[len(packages)-1].Version = version
		}
	}
	return packages, lines.Err()
}
