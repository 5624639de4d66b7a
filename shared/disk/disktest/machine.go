package disktest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rook-ceph/rook-ceph/shared/disk"
	"github.com/rook-ceph/rook-ceph/shared/disk/internal/corpus"
	"github.com/rook-ceph/rook-ceph/shared/disk/scan"
)

// Device describes a block device to add to a machine.
type Device struct {
	// Name is the kernel name.
	Name string
	// SizeBytes is its capacity.
	SizeBytes int64
	// Attributes are further sysfs files relative to the device's directory,
	// such as "queue/rotational" or "device/wwid".
	Attributes map[string]string
	// Partitions are the sizes of its partitions in bytes, laid end to end from 1 MiB.
	Partitions []int64
	// Slot is where the hardware is plugged in; the name of the device by default.
	Slot string
	// Virtual leaves out the link to hardware, as for loop devices.
	Virtual bool
	// Minor is the device's minor number; the major number is derived from the name.
	Minor int
}

// Machine is a set of block devices. It implements scan.Nodes. Its methods may
// be called from several goroutines.
type Machine struct {
	t    testing.TB
	root string

	mu      sync.Mutex
	images  map[string]*corpus.Image
	opened  []string
	absent  map[string]bool
	failing map[string]error
	hanging map[string]chan struct{}
}

var _ scan.Nodes = (*Machine)(nil)

// New makes a machine without any device. Its directories go with the test.
func New(t testing.TB) *Machine {
	t.Helper()
	m := &Machine{
		t: t, root: t.TempDir(), images: map[string]*corpus.Image{},
		absent: map[string]bool{}, failing: map[string]error{}, hanging: map[string]chan struct{}{},
	}
	m.check(os.MkdirAll(filepath.Join(m.root, "sys/block"), 0o755))
	m.write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
	m.write("proc/1/mountinfo", "21 1 0:19 / /sys rw - sysfs sysfs rw\n")
	return m
}

// Host returns where the machine's sysfs and procfs are.
func (m *Machine) Host() disk.Host {
	return disk.Host{Sys: filepath.Join(m.root, "sys"), Proc: filepath.Join(m.root, "proc")}
}

// Add plugs in a device whose content is zero. Attributes below "device/" are
// those of the hardware.
func (m *Machine) Add(device Device) {
	m.t.Helper()
	slot := device.Slot
	if slot == "" {
		slot = device.Name
	}
	hardware := filepath.Join("sys/devices/pci0000:00", slot)
	place := filepath.Join(hardware, "block", device.Name)
	if device.Virtual {
		place = filepath.Join("sys/devices/virtual/block", device.Name)
	}
	number := fmt.Sprintf("%d:%d\n", majorOf(device.Name), device.Minor)
	m.writeAll(place, map[string]string{
		"dev": number, "size": strconv.FormatInt(device.SizeBytes/512, 10) + "\n",
		"queue/logical_block_size": "512\n", "queue/physical_block_size": "4096\n",
	})
	for name, value := range device.Attributes {
		if sub, ok := strings.CutPrefix(name, "device/"); ok {
			m.write(filepath.Join(hardware, sub), value)
		} else {
			m.write(filepath.Join(place, name), value)
		}
	}
	if !device.Virtual {
		m.check(os.Symlink("../..", filepath.Join(m.root, place, "device")))
	}
	m.partition(place, device)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images[device.Name] = &corpus.Image{Size: device.SizeBytes}
	m.check(os.Symlink(filepath.Join(m.root, place), filepath.Join(m.root, "sys/block", device.Name)))
}

func (m *Machine) partition(place string, device Device) {
	start := int64(1 << 20)
	for i, size := range device.Partitions {
		m.writeAll(filepath.Join(place, partitionName(device.Name, i+1)), map[string]string{
			"partition": strconv.Itoa(i+1) + "\n",
			"dev":       fmt.Sprintf("%d:%d\n", majorOf(device.Name), device.Minor+i+1),
			"start":     strconv.FormatInt(start/512, 10) + "\n",
			"size":      strconv.FormatInt(size/512, 10) + "\n",
		})
		start += size
	}
}

// Remove unplugs a device. Its content is lost.
func (m *Machine) Remove(name string) {
	m.t.Helper()
	link := filepath.Join(m.root, "sys/block", name)
	place, err := os.Readlink(link)
	m.check(err)
	m.check(os.Remove(link))
	m.check(os.RemoveAll(place))
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.images, name)
}

// Set writes one sysfs attribute of a device or partition ("sda", "sda/sda1").
func (m *Machine) Set(device, attribute, value string) {
	m.t.Helper()
	m.write(filepath.Join("sys/block", device, attribute), value)
}

// Hold makes holder appear upon a device.
func (m *Machine) Hold(device, holder string) {
	m.t.Helper()
	m.write(filepath.Join("sys/block", device, "holders", holder, "dev"), "253:0\n")
}

// Release takes a holder away again.
func (m *Machine) Release(device, holder string) {
	m.t.Helper()
	m.check(os.RemoveAll(filepath.Join(m.root, "sys/block", device, "holders", holder)))
}

// Slave makes a stacked device name the one below it.
func (m *Machine) Slave(device, below string) {
	m.t.Helper()
	dir := filepath.Join(m.root, "sys/block", device, "slaves")
	m.check(os.MkdirAll(dir, 0o755))
	m.check(os.Symlink(filepath.Join(m.root, "sys/block", below), filepath.Join(dir, below)))
}

// Mount adds a line to the mount table of the first process.
func (m *Machine) Mount(number, target, source string) {
	m.t.Helper()
	m.add("proc/1/mountinfo", fmt.Sprintf("30 1 %s / %s rw,relatime shared:1 - ext4 %s rw\n", number, target, source))
}

// Swap adds a line to the swap table.
func (m *Machine) Swap(path string) {
	m.t.Helper()
	m.add("proc/swaps", path+"\tpartition\t1024\t0\t-2\n")
}

// Put writes content to a device.
func (m *Machine) Put(name string, offset int64, content []byte) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.images[name].WriteAt(content, offset)
	m.check(err)
}

// Content replaces the content of a device by an image of the corpus, given by
// the path of its file.
func (m *Machine) Content(name, path string) {
	m.t.Helper()
	file, err := os.Open(path)
	m.check(err)
	image, err := corpus.Decode(file)
	m.check(err)
	m.check(file.Close())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images[name] = image
}

// Hide takes the device node away from this node, as for a disk of another
// node that shares the kernel.
func (m *Machine) Hide(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.absent[name] = true
}

// Break makes every open of a device fail.
func (m *Machine) Break(name string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing[name] = err
}

// Hang makes every open of a device block until release is called.
func (m *Machine) Hang(name string) (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gate := make(chan struct{})
	m.hanging[name] = gate
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.hanging, name)
		close(gate)
	})
}

// Opened returns the names of the devices that were opened since the last call,
// in order.
func (m *Machine) Opened() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := m.opened
	m.opened = nil
	return names
}

// Present implements scan.Nodes.
func (m *Machine) Present(facts disk.Facts) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.absent[facts.KernelName]
}

// Links implements scan.Nodes: every device has one link.
func (m *Machine) Links() map[string][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	links := map[string][]string{}
	for name := range m.images {
		links[name] = []string{"/dev/disk/by-test/" + name}
	}
	return links
}

// Open implements scan.Nodes.
func (m *Machine) Open(facts disk.Facts) (scan.Device, error) {
	m.mu.Lock()
	m.opened = append(m.opened, facts.KernelName)
	image, err, gate := m.images[facts.KernelName], m.failing[facts.KernelName], m.hanging[facts.KernelName]
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
	switch {
	case err != nil:
		return nil, err
	case image == nil:
		return nil, fs.ErrNotExist
	default:
		return reader{m, image}, nil
	}
}

// reader reads an image while the test may write to it.
type reader struct {
	machine *Machine
	io.ReaderAt
}

// ReadAt implements io.ReaderAt.
func (r reader) ReadAt(out []byte, offset int64) (int, error) {
	r.machine.mu.Lock()
	defer r.machine.mu.Unlock()
	return r.ReaderAt.ReadAt(out, offset)
}

// Close implements io.Closer.
func (reader) Close() error { return nil }

func (m *Machine) writeAll(dir string, files map[string]string) {
	m.t.Helper()
	for name, content := range files {
		m.write(filepath.Join(dir, name), content)
	}
}

func (m *Machine) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	m.check(os.MkdirAll(filepath.Dir(path), 0o755))
	m.check(os.WriteFile(path, []byte(content), 0o644))
}

func (m *Machine) add(name, line string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	content, err := os.ReadFile(path)
	m.check(err)
	m.check(os.WriteFile(path, append(content, line...), 0o644))
}

func (m *Machine) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func partitionName(disk string, number int) string {
	if last := disk[len(disk)-1]; last >= '0' && last <= '9' {
		return fmt.Sprintf("%sp%d", disk, number)
	}
	return fmt.Sprintf("%s%d", disk, number)
}

// majorOf gives the block major number that Linux uses for a family of names.
func majorOf(name string) int {
	for _, family := range []struct {
		prefix string
		major  int
	}{{"loop", 7}, {"sd", 8}, {"md", 9}, {"sr", 11}, {"nbd", 43}, {"drbd", 147}, {"mmcblk", 179}, {"rbd", 252}, {"dm-", 253}, {"zram", 251}, {"nvme", 259}} {
		if strings.HasPrefix(name, family.prefix) {
			return family.major
		}
	}
	return 254
}
