package debian

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Sources is where packages of a Debian release come from.
type Sources struct {
	// Mirror is the URI of a Debian archive; empty means mmdebstrap's default.
	Mirror string
	// Keyring is the file with the archive's keys; empty means those that apt
	// trusts, or with the default mirror those that mmdebstrap finds.
	Keyring string
}

// archiveKeyring is where the package debian-archive-keyring puts its keys.
const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// FindSources returns the Debian mirror that the apt configuration below root
// (normally "/") uses. A machine without one, such as Ubuntu, gets an empty
// mirror, which is not an error.
func FindSources(root string) (Sources, error) {
	found := Sources{}
	if _, err := os.Stat(filepath.Join(root, archiveKeyring)); err == nil {
		found.Keyring = archiveKeyring
	}
	files, err := filepath.Glob(filepath.Join(root, "etc/apt/sources.list.d/*"))
	if err != nil {
		return Sources{}, fmt.Errorf("list apt sources: %w", err)
	}
	slices.Sort(files)
	files = append([]string{filepath.Join(root, "etc/apt/sources.list")}, files...)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return Sources{}, fmt.Errorf("read apt sources: %w", err)
		}
		mirror := ""
		switch filepath.Ext(file) {
		case ".list":
			mirror = mirrorOfList(string(data))
		case ".sources":
			mirror = mirrorOfStanzas(string(data))
		}
		if mirror != "" {
			found.Mirror = mirror
			return found, nil
		}
	}
	return found, nil
}

// mirrorOfList reads the one-line format: deb [options] URI suite component…
func mirrorOfList(text string) string {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			_, rest, _ = strings.Cut(rest, "]")
		}
		fields := strings.Fields(rest)
		if len(fields) > 2 && isMirror(fields[0], fields[1:2]) {
			return fields[0]
		}
	}
	return ""
}

// mirrorOfStanzas reads the deb822 format.
func mirrorOfStanzas(text string) string {
	for _, stanza := range strings.Split(text, "\n\n") {
		fields := map[string][]string{}
		lines := bufio.NewScanner(strings.NewReader(stanza))
		for lines.Scan() {
			if key, value, ok := strings.Cut(lines.Text(), ":"); ok && !strings.HasPrefix(key, "#") {
				fields[strings.ToLower(key)] = strings.Fields(value)
			}
		}
		if !slices.Contains(fields["types"], "deb") || slices.Contains(fields["enabled"], "no") {
			continue
		}
		for _, uri := range fields["uris"] {
			if isMirror(uri, fields["suites"]) {
				return uri
			}
		}
	}
	return ""
}

// isMirror tells whether an apt source is a whole Debian archive: it serves a
// release by its plain name and its path ends in /debian. Archives of updates
// and of other vendors differ in one of the two.
func isMirror(uri string, suites []string) bool {
	if !strings.HasSuffix(strings.TrimRight(uri, "/"), "/debian") {
		return false
	}
	releases := []string{
		"bullseye", "bookworm", "trixie", "forky", "sid",
		"oldstable", "stable", "testing", "unstable",
	}
	return slices.ContainsFunc(suites, func(suite string) bool { return slices.Contains(releases, suite) })
}

// Stanza returns the apt source of one release, or "" for the default mirror.
func (s Sources) Stanza(suite string) string {
	if s.Mirror == "" {
		return ""
	}
	text := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", s.Mirror, suite)
	if s.Keyring != "" {
		text += "Signed-By: " + s.Keyring + "\n"
	}
	return text
}
