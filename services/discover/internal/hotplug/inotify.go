package hotplug

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// What is watched of directories and of device nodes.
const (
	dirMask  = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_ONLYDIR
	nodeMask = unix.IN_CLOSE_WRITE | unix.IN_DONT_FOLLOW
)

// nodes watches a directory of device nodes: which nodes and links come and go,
// and which of the nodes that were asked for are closed after writing.
type nodes struct {
	dir  scan.DevDir
	file *os.File

	mu      sync.Mutex
	watches map[int]string // watch descriptor -> path
	written map[string]int // kernel name -> watch descriptor
}

func watchNodes(dir scan.DevDir) (*nodes, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	n := &nodes{dir: dir, file: os.NewFile(uintptr(fd), "inotify"), watches: map[int]string{}, written: map[string]int{}}
	if _, err := n.add(string(dir), dirMask); err != nil {
		return nil, errors.Join(err, n.file.Close())
	}
	n.watchLinks()
	return n, nil
}

// watchLinks watches the directories of links that exist; udev makes them late
// or never, so their absence is no error.
func (n *nodes) watchLinks() {
	disk := filepath.Join(string(n.dir), "disk")
	if _, err := n.add(disk, dirMask); err != nil {
		return
	}
	links, err := filepath.Glob(filepath.Join(disk, "by-*"))
	if err != nil {
		return
	}
	for _, dir := range links {
		_, _ = n.add(dir, dirMask)
	}
}

func (n *nodes) add(path string, mask uint32) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var watch int
	var failed error
	conn, err := n.file.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) { watch, failed = unix.InotifyAddWatch(int(fd), path, mask) })
	}
	if err := errors.Join(err, failed); err != nil {
		return 0, fmt.Errorf("watch %s: %w", path, err)
	}
	n.watches[watch] = path
	return watch, nil
}

// follow makes the nodes of the named devices the ones whose writes are
// reported. Nodes that do not exist are left out.
func (n *nodes) follow(names []string) error {
	wanted := map[string]bool{}
	var failed error
	for _, name := range names {
		wanted[name] = true
		n.mu.Lock()
		_, known := n.written[name]
		n.mu.Unlock()
		if known {
			continue
		}
		watch, err := n.add(filepath.Join(string(n.dir), strings.ReplaceAll(name, "!", "/")), nodeMask)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
			continue
		}
		n.mu.Lock()
		n.written[name] = watch
		n.mu.Unlock()
	}
	n.forget(wanted)
	return failed
}

// forget stops watching nodes that are no longer wanted.
func (n *nodes) forget(wanted map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, watch := range n.written {
		if wanted[name] {
			continue
		}
		delete(n.written, name)
		delete(n.watches, watch)
		if conn, err := n.file.SyscallConn(); err == nil {
			// It fails when the kernel dropped the watch with the node.
			_ = conn.Control(func(fd uintptr) { _, _ = unix.InotifyRmWatch(int(fd), uint32(watch)) })
		}
	}
}

// read passes on every event until the file is closed.
func (n *nodes) read(changed func(Change)) error {
	buffer := make([]byte, 64<<10)
	for {
		length, err := n.file.Read(buffer)
		if err != nil {
			return fmt.Errorf("read inotify: %w", err)
		}
		for rest := buffer[:length]; len(rest) >= unix.SizeofInotifyEvent; {
			watch := int(int32(binary.NativeEndian.Uint32(rest)))
			mask, size := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
			end := unix.SizeofInotifyEvent + int(size)
			if end > len(rest) {
				break
			}
			n.dispatch(watch, mask, strings.TrimRight(string(rest[unix.SizeofInotifyEvent:end]), "\x00"), changed)
			rest = rest[end:]
		}
	}
}

func (n *nodes) dispatch(watch int, mask uint32, entry string, changed func(Change)) {
	n.mu.Lock()
	path := n.watches[watch]
	if mask&unix.IN_IGNORED != 0 {
		delete(n.watches, watch)
		for name, descriptor := range n.written {
			if descriptor == watch {
				delete(n.written, name)
			}
		}
	}
	n.mu.Unlock()
	switch {
	case mask&unix.IN_Q_OVERFLOW != 0:
		changed(Change{Lost: true})
	case path == "" || mask&unix.IN_IGNORED != 0:
	case mask&unix.IN_CLOSE_WRITE != 0:
		changed(Change{Device: kernelName(string(n.dir), path)})
	case mask&unix.IN_ISDIR != 0:
		n.dirChanged(path, entry, changed)
	case path == string(n.dir):
		changed(Change{Device: entry})
	default:
		n.linkChanged(filepath.Join(path, entry), changed)
	}
}

// dirChanged watches new directories of links. What was made in them before
// they were watched is unknown, so everything has to be looked at.
func (n *nodes) dirChanged(path, entry string, changed func(Change)) {
	if path == string(n.dir) && entry != "disk" {
		return
	}
	n.watchLinks()
	changed(Change{Lost: true})
}

// linkChanged names the device that a link leads to. The target of a link that
// has gone is unknown, so everything has to be looked at.
func (n *nodes) linkChanged(link string, changed func(Change)) {
	if name, ok := n.dir.Target(link); ok {
		changed(Change{Device: name})
		return
	}
	if _, err := os.Lstat(link); errors.Is(err, fs.ErrNotExist) && !strings.Contains(filepath.Base(link), ".tmp-") {
		changed(Change{Lost: true})
	}
}

func kernelName(dir, path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(path, dir), "/"), "/", "!")
}
