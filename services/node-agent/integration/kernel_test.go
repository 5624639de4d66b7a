//go:build integration

package integration

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/node-agent/integration/guest"
	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/attach"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// kernelRig is a Ceph cluster and a machine whose kernel has its clients.
type kernelRig struct {
	*rig
	machine    *machine
	connection api.Connection
	keys       map[string]keyring.Key
}

// TestKernelClients runs node-agent's ways to attach and mount by the kernel in an emulated
// machine. It takes no KVM, and no modules of this machine's kernel.
func TestKernelClients(t *testing.T) {
	address := hostAddress(t)
	k := &kernelRig{rig: &rig{t: t, root: t, dir: t.TempDir()}, keys: map[string]keyring.Key{}}
	k.ceph = real.Start(t, librados.Dialer{}, real.Address(address), real.OSDs(2), real.MDSs("m"), real.Setting("global", "osd_pool_default_size", "2"))
	k.connection = k.ceph.Connection()
	k.makePool()
	k.makeFilesystem()
	for _, name := range []string{"csi-rbd-node", "csi-cephfs-node"} {
		identity := keyring.CSI()[name]
		user, err := k.ceph.Client().AuthGetOrCreate(t.Context(), identity.Entity, identity.Caps)
		if err != nil {
			t.Fatal(err)
		}
		k.keys[name] = user.Key()
	}
	k.machine = bootMachine(t, address)
	var release string
	k.machine.call(t, "Kernel", guest.Nothing{}, &release)
	t.Logf("the machine runs Linux %s", release)
	t.Run("ext4_on_a_mapped_image_keeps_data", func(t *testing.T) { k.keepsData(t, "ext4") })
	t.Run("xfs_on_a_mapped_image_keeps_data", func(t *testing.T) { k.keepsData(t, "xfs") })
	t.Run("a_raw_device_keeps_data", k.rawKeepsData)
	t.Run("ext4_grows_while_it_is_mounted", func(t *testing.T) { k.mountedGrows(t, "ext4") })
	t.Run("xfs_grows_while_it_is_mounted", func(t *testing.T) { k.mountedGrows(t, "xfs") })
	t.Run("a_raw_device_grows", k.rawGrows)
	t.Run("a_read_only_device_takes_no_writes", k.readOnlyRefuses)
	t.Run("an_image_of_a_namespace_is_mapped", k.namespaceMapped)
	t.Run("a_fenced_device_takes_no_writes_and_is_noticed", k.fencedDevice)
	t.Run("a_mounted_subvolume_is_shared_with_clients_elsewhere", k.sharedMount)
	t.Run("options_of_the_cluster_and_of_a_StorageClass_reach_the_mount", k.mountOptions)
	t.Run("a_fenced_mount_takes_no_writes_and_is_replaced", k.fencedMount)
	t.Run("keys_are_in_no_options_and_no_records", k.keysStaySecret)
}

const imageSize = 64 << 20

// image makes an image and says how to attach it.
func (k *kernelRig) image(t *testing.T, name string) attach.Volume {
	t.Helper()
	k.withPool(func(pool storage.Pool) {
		if err := pool.CreateImage(t.Context(), name, storage.Layout{Size: imageSize * 8, Features: []string{"layering"}}); err != nil {
			t.Fatal(err)
		}
	})
	return attach.Volume{ID: "volume-" + name, Connection: k.connection, Key: k.keys["csi-rbd-node"], Pool: poolName, Image: name}
}

func (k *kernelRig) attach(t *testing.T, volume attach.Volume) attach.Attachment {
	t.Helper()
	var made attach.Attachment
	k.machine.call(t, "Attach", guest.AttachArgs{Volume: volume, Mounter: attach.Kernel}, &made)
	return made
}

func (k *kernelRig) detach(t *testing.T, volume attach.Volume) {
	t.Helper()
	k.machine.call(t, "Detach", volume.ID, &guest.Nothing{})
	if watchers := k.watchers(t, volume.Image); len(watchers) > 0 {
		t.Errorf("image %s is open after detaching at %v", volume.Image, watchers)
	}
}

func (k *kernelRig) watchers(t *testing.T, image string) (found []storage.Watcher) {
	t.Helper()
	k.withPool(func(pool storage.Pool) {
		var err error
		if found, err = pool.Watchers(t.Context(), image); err != nil {
			t.Fatal(err)
		}
	})
	return found
}

func (k *kernelRig) fill(t *testing.T, path string, seed uint64, size int64) guest.Outcome {
	t.Helper()
	var ended guest.Outcome
	k.machine.call(t, "Fill", guest.FillArgs{Path: path, Seed: seed, Size: size}, &ended)
	return ended
}

func (k *kernelRig) expectSum(t *testing.T, path string, seed uint64, size int64) {
	t.Helper()
	var got guest.Sum
	k.machine.call(t, "Sum", guest.SumArgs{Path: path, Size: size}, &got)
	if want, err := guest.Expect(seed, size); err != nil || got != want {
		t.Errorf("%s holds %+v, want %+v, %v", path, got, want, err)
	}
}

func (k *kernelRig) keepsData(t *testing.T, kind string) {
	volume := k.image(t, "fs-"+kind)
	made := k.attach(t, volume)
	if watchers := k.watchers(t, volume.Image); len(watchers) != 1 || watchers[0].Address != made.Address {
		t.Errorf("the record names client %q, the image is open at %v", made.Address, watchers)
	}
	mountAt := guest.MountArgs{Device: made.Device, Where: "/run/" + kind, Kind: kind}
	var formatted string
	k.machine.call(t, "Format", guest.FormatArgs{Device: made.Device, Kind: kind}, &formatted)
	if formatted != kind {
		t.Errorf("made %q", formatted)
	}
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	if ended := k.fill(t, mountAt.Where+"/data", 1, 8<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.detach(t, volume)

	again := k.attach(t, volume)
	mountAt.Device = again.Device
	k.machine.call(t, "Format", guest.FormatArgs{Device: again.Device, Kind: "ext4"}, &formatted)
	if formatted != kind {
		t.Errorf("found %q", formatted)
	}
	if again.Address == made.Address {
		t.Errorf("both clients are %s", again.Address)
	}
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	k.expectSum(t, mountAt.Where+"/data", 1, 8<<20)
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.detach(t, volume)
}

func (k *kernelRig) rawKeepsData(t *testing.T) {
	volume := k.image(t, "raw")
	volume.MapOptions = "krbd:rxbounce,queue_depth=32"
	made := k.attach(t, volume)
	if ended := k.fill(t, made.Device, 2, 4<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	k.detach(t, volume)
	made = k.attach(t, volume)
	k.expectSum(t, made.Device, 2, 4<<20)
	k.detach(t, volume)
}

func (k *kernelRig) readOnlyRefuses(t *testing.T) {
	volume := k.image(t, "read-only")
	made := k.attach(t, volume)
	if ended := k.fill(t, made.Device, 3, 1<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	k.detach(t, volume)
	volume.ReadOnly = true
	made = k.attach(t, volume)
	if ended := k.fill(t, made.Device, 4, 4096); ended.Errno != syscall.EPERM && ended.Errno != syscall.EROFS && ended.Errno != syscall.EACCES {
		t.Errorf("a write to a read-only device ended with %+v", ended)
	}
	k.expectSum(t, made.Device, 3, 1<<20)
	k.detach(t, volume)
}

func (k *kernelRig) namespaceMapped(t *testing.T) {
	const namespace, image = "tenant", "in-namespace"
	_, err := k.ceph.Tool(t.Context(), "rbd", "-c", k.ceph.Inside("ceph.conf"), "--keyring", k.ceph.Inside("seed.keyring"),
		"namespace", "create", poolName+"/"+namespace)
	if err != nil {
		t.Fatal(err)
	}
	k.inNamespace(t, namespace, func(pool storage.Pool) {
		if err := pool.CreateImage(t.Context(), image, storage.Layout{Size: imageSize, Features: []string{"layering"}}); err != nil {
			t.Fatal(err)
		}
	})
	volume := attach.Volume{ID: image, Connection: k.connection, Key: k.keys["csi-rbd-node"], Pool: poolName, Namespace: namespace, Image: image}
	made := k.attach(t, volume)
	if ended := k.fill(t, made.Device, 5, 1<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	k.machine.call(t, "Detach", volume.ID, &guest.Nothing{})
	made = k.attach(t, volume)
	k.expectSum(t, made.Device, 5, 1<<20)
	k.machine.call(t, "Detach", volume.ID, &guest.Nothing{})
}

func (k *kernelRig) inNamespace(t *testing.T, namespace string, do func(storage.Pool)) {
	t.Helper()
	cluster, err := librados.Dialer{}.DialStorage(t.Context(), k.connection, k.ceph.Admin())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	pool, err := cluster.Pool(t.Context(), poolName, namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	do(pool)
}

// fencedDevice blocklists the client of a mounted volume, as a takeover does.
func (k *kernelRig) fencedDevice(t *testing.T) {
	volume := k.image(t, "fenced")
	made := k.attach(t, volume)
	mountAt := guest.MountArgs{Device: made.Device, Where: "/run/fenced", Kind: "ext4"}
	var kind string
	k.machine.call(t, "Format", guest.FormatArgs{Device: made.Device, Kind: "ext4"}, &kind)
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	if ended := k.fill(t, mountAt.Where+"/before", 6, 1<<20); ended.Errno != 0 {
		t.Fatalf("write before: %+v", ended)
	}
	stats := guest.StatsArgs{Handle: volume.ID, Path: mountAt.Where}
	var health guest.Health
	k.machine.call(t, "Stats", stats, &health)
	if health.Abnormal {
		t.Errorf("before it was fenced: %+v", health)
	}
	k.fence(t, made.Address)
	if ended := k.fill(t, mountAt.Where+"/after", 7, 1<<20); ended.Errno == 0 {
		t.Error("a fenced client wrote")
	}
	k.machine.call(t, "Stats", stats, &health)
	if !health.Abnormal {
		t.Errorf("after it was fenced: %+v", health)
	}
	var serves bool
	k.machine.call(t, "Serves", volume.ID, &serves)
	if serves {
		t.Error("a fenced device counts as one that serves")
	}
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.detach(t, volume)
	again := k.attach(t, volume)
	if again.Address == made.Address {
		t.Errorf("the new client is the fenced one, %s", again.Address)
	}
	mountAt.Device = again.Device
	k.machine.call(t, "Mount", mountAt, &guest.Nothing{})
	k.expectSum(t, mountAt.Where+"/before", 6, 1<<20)
	k.machine.call(t, "Unmount", mountAt.Where, &guest.Nothing{})
	k.detach(t, volume)
}

func (k *kernelRig) fence(t *testing.T, address string) {
	t.Helper()
	client := k.ceph.Client()
	if err := client.BlocklistAdd(t.Context(), address, time.Hour); err != nil {
		t.Fatal(err)
	}
	list, err := client.BlocklistList(t.Context())
	if err != nil || !slices.ContainsFunc(list, func(e ceph.BlocklistEntry) bool { return e.Addr == address }) {
		t.Fatalf("%s is not in the blocklist %v, %v", address, list, err)
	}
}
