//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rook-ceph/rook-ceph/services/node-agent/integration/guest"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
)

const quota = 64 << 20

// share makes a subvolume and says how to stage and publish it in the machine.
func (k *kernelRig) share(t *testing.T, name string) guest.ShareArgs {
	t.Helper()
	at := ceph.Subvolume{Volume: fsName, Group: csi.DefaultSubvolumeGroup, Name: name}
	client := k.ceph.Client()
	if err := client.SubvolumeCreate(t.Context(), at, ceph.SubvolumeSpec{Size: quota}); err != nil {
		t.Fatal(err)
	}
	path, err := client.SubvolumePath(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return guest.ShareArgs{
		Connection: k.connection, Key: k.keys["csi-cephfs-node"],
		Handle: "0001-0009-rook-ceph-0000000000000001-00000000-0000-0000-0000-" + fmt.Sprintf("%012x", len(name)),
		Where:  "/run/staging/" + name, Pod: "/run/pods/" + name,
		Attributes: map[string]string{
			csi.ParamClusterID: namespace, csi.ParamFSName: fsName, csi.AttributeSubvolumePath: path, csi.ParamMounter: csi.MounterKernel,
		},
	}
}

// in returns the rig for the test t, which fails when a wait of it does.
func (k *kernelRig) in(t *testing.T) *rig {
	inner := *k.rig
	inner.t = t
	return &inner
}

// publish stages the share, again while servers cannot be reached, as the kubelet does.
func (k *kernelRig) publish(t *testing.T, share guest.ShareArgs) {
	t.Helper()
	k.in(t).await("the share "+share.Where, func() error {
		err := k.machine.try(t, "StageShare", share, &guest.Nothing{})
		if err != nil && !strings.Contains(err.Error(), "code = "+codes.Unavailable.String()) {
			t.Fatalf("StageShare in the machine: %v", err)
		}
		return err
	})
	k.machine.call(t, "PublishShare", share, &guest.Nothing{})
}

func (k *kernelRig) write(t *testing.T, path string, content []byte) guest.Outcome {
	t.Helper()
	var ended guest.Outcome
	k.machine.call(t, "Write", guest.WriteArgs{Path: path, Content: content}, &ended)
	return ended
}

// elsewhere mounts the subvolume by ceph-fuse on this machine.
func (k *kernelRig) elsewhere(t *testing.T, share guest.ShareArgs) string {
	t.Helper()
	inner := k.in(t)
	inner.dir = t.TempDir()
	dir := inner.shares().otherNode(&csipb.Volume{VolumeContext: share.Attributes})
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (k *kernelRig) sharedMount(t *testing.T) {
	share := k.share(t, "shared")
	k.publish(t, share)
	other := k.elsewhere(t, share)

	big := filepath.Join(share.Pod, "big")
	if ended := k.fill(t, big, 8, 4<<20); ended.Errno != 0 {
		t.Fatalf("write: %+v", ended)
	}
	file, err := os.Open(filepath.Join(other, "big"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := guest.SumOf(file)
	_ = file.Close()
	if want, failed := guest.Expect(8, 4<<20); err != nil || failed != nil || got != want {
		t.Errorf("the client elsewhere reads %+v, want %+v, %v, %v", got, want, err, failed)
	}

	if err := os.WriteFile(filepath.Join(other, "answer"), []byte("from elsewhere"), 0o644); err != nil {
		t.Fatal(err)
	}
	var content []byte
	k.machine.call(t, "Read", filepath.Join(share.Pod, "answer"), &content)
	if string(content) != "from elsewhere" {
		t.Errorf("the machine reads %q", content)
	}
	var health guest.Health
	k.machine.call(t, "ShareStats", guest.StatsArgs{Handle: share.Handle, Path: share.Pod}, &health)
	if health.Abnormal || health.Total != quota {
		t.Errorf("want a quota of %d, got %+v", quota, health)
	}
	k.machine.call(t, "RemoveShare", share, &guest.Nothing{})
}

func (k *kernelRig) options(t *testing.T, where string) []string {
	t.Helper()
	var options []string
	k.machine.call(t, "Options", where, &options)
	return options
}

func (k *kernelRig) mountOptions(t *testing.T) {
	share := k.share(t, "options")
	share.Options.KernelMountOptions = "rasize=65536,ms_mode=secure,noexec,nowsync"
	share.Flags = []string{"noatime", "nosuid", "_netdev"}
	share.Attributes[csi.ParamKernelMountOptions] = "rasize=131072,wsync,exec"
	k.publish(t, share)
	options := k.options(t, share.Where)
	for _, want := range []string{"ceph", "rw", "noatime", "nosuid", "rasize=131072", "ms_mode=secure"} {
		if !slices.Contains(options, want) {
			t.Errorf("%s is not among the options %q", want, options)
		}
	}
	for _, overruled := range []string{"rasize=65536", "noexec", "nowsync"} {
		if slices.Contains(options, overruled) {
			t.Errorf("%s is among the options %q", overruled, options)
		}
	}
	if ended := k.write(t, filepath.Join(share.Pod, "file"), []byte("kept")); ended.Errno != 0 {
		t.Errorf("write: %+v", ended)
	}
	k.machine.call(t, "RemoveShare", share, &guest.Nothing{})

	share.ReadOnly = true
	k.publish(t, share)
	if ended := k.write(t, filepath.Join(share.Where, "file"), []byte("lost")); ended.Errno != syscall.EROFS {
		t.Errorf("a write to a read-only mount ended with %+v", ended)
	}
	var content []byte
	k.machine.call(t, "Read", filepath.Join(share.Pod, "file"), &content)
	if string(content) != "kept" {
		t.Errorf("read %q", content)
	}
	k.machine.call(t, "RemoveShare", share, &guest.Nothing{})
}

// kernelClients are the addresses of the file system's clients that are kernels.
func (k *kernelRig) kernelClients(t *testing.T) []string {
	t.Helper()
	output, err := k.ceph.Tool(t.Context(), "ceph", "--admin-daemon", k.ceph.Inside("run/mds.m.asok"), "session", "ls")
	if err != nil {
		t.Fatal(err)
	}
	var sessions []struct {
		Entity struct {
			Addr struct {
				Addr  string `json:"addr"`
				Nonce int64  `json:"nonce"`
			} `json:"addr"`
		} `json:"entity"`
		Metadata struct {
			Kernel string `json:"kernel_version"`
		} `json:"client_metadata"`
	}
	if err := json.Unmarshal(output[bytes.IndexByte(output, '['):], &sessions); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	var found []string
	for _, session := range sessions {
		if session.Metadata.Kernel != "" {
			found = append(found, fmt.Sprintf("%s/%d", session.Entity.Addr.Addr, session.Entity.Addr.Nonce))
		}
	}
	return found
}

// fencedMount blocklists the client of a mount, as the operator of a lost node does.
func (k *kernelRig) fencedMount(t *testing.T) {
	share := k.share(t, "fenced")
	k.publish(t, share)
	before := filepath.Join(share.Pod, "before")
	if ended := k.write(t, before, []byte("before")); ended.Errno != 0 {
		t.Fatalf("write before: %+v", ended)
	}
	clients := k.kernelClients(t)
	if len(clients) != 1 {
		t.Fatalf("the file system has the kernel clients %v", clients)
	}
	k.fence(t, clients[0])
	if ended := k.write(t, filepath.Join(share.Pod, "after"), []byte("after")); ended.Errno == 0 {
		t.Error("a fenced client wrote")
	}
	var health guest.Health
	k.machine.call(t, "ShareStats", guest.StatsArgs{Handle: share.Handle, Path: share.Pod}, &health)
	if !health.Abnormal {
		t.Errorf("after it was fenced: %+v", health)
	}
	second := share
	second.Pod += "-again"
	k.publish(t, second)
	var content []byte
	k.machine.call(t, "Read", filepath.Join(second.Pod, "before"), &content)
	if string(content) != "before" {
		t.Errorf("the next pod reads %q", content)
	}
	if ended := k.write(t, filepath.Join(second.Pod, "after"), []byte("after")); ended.Errno != 0 {
		t.Errorf("write of the next pod: %+v", ended)
	}
	k.machine.call(t, "Unmount", share.Pod, &guest.Nothing{})
	k.machine.call(t, "RemoveShare", second, &guest.Nothing{})
}

func (k *kernelRig) keysStaySecret(t *testing.T) {
	share := k.share(t, "secret")
	k.publish(t, share)
	for _, place := range [][]string{k.options(t, share.Where), k.options(t, share.Pod)} {
		if len(place) == 0 || strings.Contains(strings.Join(place, ","), share.Key.Secret) {
			t.Errorf("options: %q", place)
		}
	}
	volume := k.image(t, "secret")
	k.attach(t, volume)
	var records []byte
	k.machine.call(t, "Records", guest.Nothing{}, &records)
	for _, key := range k.keys {
		if bytes.Contains(records, []byte(key.Secret)) || !bytes.Contains(records, []byte(volume.ID)) {
			t.Errorf("records: %s", records)
		}
	}
	console, err := os.ReadFile(k.machine.console)
	if err != nil || bytes.Contains(console, []byte(share.Key.Secret)) || bytes.Contains(console, []byte(volume.Key.Secret)) {
		t.Errorf("a key is on the console, or %v", err)
	}
	k.detach(t, volume)
	k.machine.call(t, "RemoveShare", share, &guest.Nothing{})
}
