package tree

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	packaged = time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	started  = time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC)
)

// member is a file of a test file system.
type member struct {
	name, link, text string
	hard             bool
	uid              int
	at               time.Time
	xattr            string
}

func header(m member) *tar.Header {
	h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.text)), ModTime: m.at, Uid: m.uid, Uname: "someone"}
	switch {
	case strings.HasSuffix(m.name, "/"):
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
	case m.hard:
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, m.link, 0
	case m.link != "":
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, m.link, 0
	}
	if m.xattr != "" {
		h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": m.xattr, "comment": "noise"}
	}
	if h.ModTime.IsZero() {
		h.ModTime = packaged
	}
	return h
}

// fileSystem writes a tar file in the form that mmdebstrap gives.
func fileSystem(t *testing.T, members ...member) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "raw.tar"))
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(file)
	for _, m := range members {
		h := header(m)
		h.Name = "./" + h.Name
		if h.Typeflag == tar.TypeLink {
			h.Linkname = "./" + h.Linkname
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// contents reads a layer back: headers and texts by name, in order.
func contents(t *testing.T, name string) (names []string, headers map[string]*tar.Header, texts map[string]string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	headers, texts = map[string]*tar.Header{}, map[string]string{}
	for reader := tar.NewReader(file); ; {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return names, headers, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		names, headers[h.Name], texts[h.Name] = append(names, h.Name), h, string(data)
	}
}

func reshape(t *testing.T, shape Shape, members ...member) (Layer, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "layer.tar")
	layer, err := Reshape(fileSystem(t, members...), out, shape, started)
	if err != nil {
		t.Fatal(err)
	}
	return layer, out
}

func TestReshape(t *testing.T) {
	t.Parallel()
	members := []member{
		{name: "etc/"}, {name: "etc/passwd", text: "root:x:0:0::/:/bin/sh\nceph:x:64045:64046::/:/bin/sh\n", at: started.Add(time.Hour)},
		{name: "usr/"}, {name: "usr/bin/"}, {name: "usr/bin/tool", text: "tool", xattr: "cap"},
		{name: "usr/bin/alias", link: "usr/bin/tool", hard: true},
		{name: "usr/share/"}, {name: "usr/share/doc/"}, {name: "usr/share/doc/a/"},
		{name: "usr/share/doc/a/copyright", text: "mine"}, {name: "usr/share/doc/a/changelog", text: "long"},
		{name: "certs/"}, {name: "certs/b.crt", text: "B"}, {name: "certs/a.crt", text: "A"},
		{name: "var/"}, {name: "var/ceph/", uid: 7},
	}
	shape := Shape{
		Drop: []string{"usr/share/doc/", "certs/"}, Keep: []string{"usr/share/doc/*/copyright"},
		Directories: []Directory{{Path: "run/ceph", Mode: 0o770, Owner: "ceph"}, {Path: "var/ceph", Mode: 0o700, Owner: "ceph"}},
		Files:       []File{{Path: "etc/motd", Text: "hello"}},
		Bundle:      "etc/ssl/all.crt", BundleOf: "certs/*.crt",
	}
	layer, out := reshape(t, shape, members...)
	names, headers, texts := contents(t, out)
	t.Run("drops what is named and keeps the exceptions", func(t *testing.T) {
		t.Parallel()
		want := []string{
			"etc/", "etc/passwd", "usr/", "usr/bin/", "usr/bin/tool", "usr/bin/alias", "usr/share/", "usr/share/doc/", "usr/share/doc/a/",
			"usr/share/doc/a/copyright", "certs/", "var/", "var/ceph/", "run/", "run/ceph/", "etc/motd", "etc/ssl/", "etc/ssl/all.crt",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("gives directories their mode and owner, new or not", func(t *testing.T) {
		t.Parallel()
		for name, mode := range map[string]int64{"run/ceph/": 0o770, "var/ceph/": 0o700} {
			if h := headers[name]; h.Uid != 64045 || h.Gid != 64046 || h.Mode != mode {
				t.Errorf("%s: got owner %d:%d mode %o", name, h.Uid, h.Gid, h.Mode)
			}
		}
	})
	t.Run("joins the bundle in order of names", func(t *testing.T) {
		t.Parallel()
		if got := texts["etc/ssl/all.crt"]; got != "AB" {
			t.Errorf("got %q, want AB", got)
		}
	})
	t.Run("keeps capabilities and hard links and forgets user names", func(t *testing.T) {
		t.Parallel()
		tool, alias := headers["usr/bin/tool"], headers["usr/bin/alias"]
		if diff := cmp.Diff(map[string]string{"SCHILY.xattr.security.capability": "cap"}, tool.PAXRecords); diff != "" {
			t.Error(diff)
		}
		if alias.Typeflag != tar.TypeLink || alias.Linkname != "usr/bin/tool" || tool.Uname != "" {
			t.Errorf("got link %q and user %q", alias.Linkname, tool.Uname)
		}
	})
	t.Run("sets times of the build to the newest time of a package", func(t *testing.T) {
		t.Parallel()
		if got := headers["etc/passwd"].ModTime; !got.Equal(packaged) {
			t.Errorf("got %v, want %v", got, packaged)
		}
	})
	t.Run("gives the same digest again, whenever it is built", func(t *testing.T) {
		t.Parallel()
		later := slices.Clone(members)
		later[1].at = started.Add(48 * time.Hour)
		again, _ := reshape(t, shape, later...)
		if again != layer {
			t.Errorf("got %v, want %v", again, layer)
		}
		if read, err := Digest(out); err != nil || read != layer {
			t.Errorf("the file has %v (%v), want %v", read, err, layer)
		}
	})
	t.Run("gives another digest for another content", func(t *testing.T) {
		t.Parallel()
		changed := slices.Clone(members)
		changed[4].text = "loot"
		if other, _ := reshape(t, shape, changed...); other == layer {
			t.Error("the digest stayed the same")
		}
	})
}

func TestReshapeRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		shape Shape
		says  string
	}{
		"a root that no package has":         {Shape{Roots: []string{"usr/bin/absent"}}, "find usr/bin/absent"},
		"an owner that is no user":           {Shape{Directories: []Directory{{Path: "d", Owner: "ceph"}}}, `find user "ceph"`},
		"a bundle of nothing":                {Shape{Bundle: "all", BundleOf: "certs/*"}, "find certs/*"},
		"a library that no package provides": {Shape{Roots: []string{"usr/bin/self"}}, "no package provides it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			self, err := os.ReadFile(dynamicProgram(t))
			if err != nil {
				t.Fatal(err)
			}
			raw := fileSystem(t, member{name: "etc/passwd", text: "root:x:0:0::/:\n"}, member{name: "usr/bin/self", text: string(self)})
			_, err = Reshape(raw, filepath.Join(t.TempDir(), "layer.tar"), test.shape, started)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want one that says %q", err, test.says)
			}
		})
	}
}

// dynamicProgram returns a program of this machine that needs libraries.
func dynamicProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ls")
	if err != nil {
		t.Skip("this machine has no dynamically linked ls")
	}
	return path
}

func TestResolve(t *testing.T) {
	t.Parallel()
	a, err := openArchive(fileSystem(t,
		member{name: "lib", link: "usr/lib"}, member{name: "usr/"}, member{name: "usr/lib/"}, member{name: "usr/lib/x/"},
		member{name: "usr/lib/x/l.so.1.0", text: "library"}, member{name: "usr/lib/x/l.so.1", link: "l.so.1.0"},
		member{name: "usr/lib/x/abs", link: "/lib/x/l.so.1"}, member{name: "usr/lib/x/up", link: "../x/abs"},
		member{name: "loop", link: "loop"}, member{name: "dangling", link: "nowhere"},
	))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	for name, want := range map[string]string{
		"usr/lib/x/l.so.1": "usr/lib/x/l.so.1.0", "/lib/x/l.so.1": "usr/lib/x/l.so.1.0", "lib/x/up": "usr/lib/x/l.so.1.0",
		"loop": "", "dangling": "", "absent": "", "lib": "usr/lib",
	} {
		got := ""
		if e := a.resolve(name); e != nil {
			got = e.name
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if chain := a.chain("lib/x/up"); len(chain) != 6 {
		t.Errorf("got %d entries on the way, want the 5 links and the file", len(chain))
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := filepath.Join(dir, "built")
	if err := os.WriteFile(from, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(name string) (Layer, string) {
		out := filepath.Join(dir, name)
		layer, err := Programs(out, time.Unix(0, 0), []Program{{From: from, To: "usr/local/bin/program"}})
		if err != nil {
			t.Fatal(err)
		}
		return layer, out
	}
	first, out := write("one.tar")
	if err := os.Chtimes(from, started, started); err != nil {
		t.Fatal(err)
	}
	if second, _ := write("two.tar"); second != first {
		t.Errorf("got %v, want %v", second, first)
	}
	names, headers, _ := contents(t, out)
	if diff := cmp.Diff([]string{"usr/", "usr/local/", "usr/local/bin/", "usr/local/bin/program"}, names); diff != "" {
		t.Error(diff)
	}
	if h := headers["usr/local/bin/program"]; h.Mode != 0o755 || h.Uid != 0 || h.ModTime.Unix() != 0 {
		t.Errorf("got mode %o, owner %d, time %v", h.Mode, h.Uid, h.ModTime)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"usr/share/doc/", "usr/share/doc/a/b", true},
		{"usr/share/doc/", "usr/share/doc", false},
		{"usr/share/doc/", "usr/share/docs/a", false},
		{"dist/*/", "dist/en-US/main.js", true},
		{"dist/*/", "dist/index.html", false},
		{"lib*", "lib64", true},
		{"lib*", "lib/x", false},
		{"usr/*/copyright", "usr/a/b/copyright", false},
	} {
		if got := matches([]string{test.pattern}, test.name); got != test.want {
			t.Errorf("%s and %s: got %v, want %v", test.pattern, test.name, got, test.want)
		}
	}
}
