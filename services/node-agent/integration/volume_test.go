//go:build integration

package integration

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/journal"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

func TestServices(t *testing.T) {
	r := newRig(t)
	t.Run("ext4_keeps_data_across_nodes_of_life", r.with(filesystemKeepsData("ext4")))
	t.Run("xfs_keeps_data_across_nodes_of_life", r.with(filesystemKeepsData("xfs")))
	t.Run("raw_block_keeps_data", r.with(blockKeepsData))
	t.Run("a_killed_node_agent_leaves_volumes_working", r.with(survivesKill))
	t.Run("a_storage_daemon_that_died_is_replaced", r.with(survivesDeadDaemon))
	t.Run("a_second_node_is_refused_while_the_first_holds", r.with(secondNodeRefused))
	t.Run("a_static_volume_without_a_Secret_may_move", r.with(staticMoves))
	t.Run("a_device_with_foreign_data_is_not_formatted", r.with(foreignDataKept))
	t.Run("expansion", func(t *testing.T) { testExpansion(t, r) })
	t.Run("keys_are_in_no_arguments_and_no_logs", r.with(keysStaySecret))
	t.Run("cephfs", func(t *testing.T) { testShares(t, r) })
	t.Run("csi_sanity", r.with(sanityPasses))
}

func (r *rig) with(test func(*rig)) func(*testing.T) {
	return func(t *testing.T) {
		inner := *r
		inner.t = t
		defer func() { r.agent = inner.agent }() // also when the test is skipped
		test(&inner)
	}
}

func filesystemKeepsData(kind string) func(*rig) {
	return func(r *rig) {
		began := time.Now()
		volume := r.makeVolume("pvc-"+kind, mounted(kind))
		r.t.Logf("CreateVolume took %s", time.Since(began))
		content := make([]byte, 8<<20)
		_, _ = rand.Read(content)

		began = time.Now()
		target, detach := r.attach(volume, mounted(kind), kind)
		r.t.Logf("first stage and publish took %s", time.Since(began))
		file := filepath.Join(target, "data")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			r.t.Fatal(err)
		}
		if got := strings.TrimSpace(r.output("findmnt", "-n", "-o", "FSTYPE", "--target", target)); got != kind {
			r.t.Errorf("want %s, mounted %s", kind, got)
		}
		stats, err := r.node().NodeGetVolumeStats(r.t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: volume.GetVolumeId(), VolumePath: target})
		if err != nil || stats.GetVolumeCondition().GetAbnormal() || stats.GetUsage()[0].GetUsed() < int64(len(content)) {
			r.t.Errorf("stats: %v, %v", stats, err)
		}
		detach()
		r.expectEntry(volume, func(entry journal.Entry) error {
			if entry.Holder != nil || entry.Format != (journal.Format{State: journal.Formatted, Type: kind}) {
				return say("entry after detach: %+v", entry)
			}
			return nil
		})

		target, detach = r.attach(volume, mounted(kind), kind+"-again")
		got, err := os.ReadFile(filepath.Join(target, "data"))
		if err != nil || !bytes.Equal(got, content) {
			r.t.Errorf("data is not what was written (%v)", err)
		}
		detach()
		r.remove(volume)
	}
}

func blockKeepsData(r *rig) {
	volume := r.makeVolume("pvc-block", block())
	content := bytes.Repeat([]byte("rook"), 1<<18)
	target, detach := r.attach(volume, block(), "block")
	r.writeDevice(target, content)
	detach()
	target, detach = r.attach(volume, block(), "block-again")
	device, err := os.Open(target)
	if err != nil {
		r.t.Fatal(err)
	}
	got := make([]byte, len(content))
	if _, err := device.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		r.t.Errorf("data is not what was written (%v)", err)
	}
	if err := device.Close(); err != nil {
		r.t.Error(err)
	}
	detach()
	r.remove(volume)
}

func survivesKill(r *rig) {
	volume := r.makeVolume("pvc-kill", mounted("ext4"))
	target, detach := r.attach(volume, mounted("ext4"), "kill")
	file, err := os.Create(filepath.Join(target, "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	write := func(text string) {
		r.t.Helper()
		if _, err := file.WriteString(text); err != nil {
			r.t.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			r.t.Fatal(err)
		}
	}
	write("before ")
	r.killAgent()
	write("without ")
	r.startAgent()
	write("after")
	stats, err := r.node().NodeGetVolumeStats(r.t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: volume.GetVolumeId(), VolumePath: target})
	if err != nil || stats.GetVolumeCondition().GetAbnormal() {
		r.t.Errorf("adopted volume: %v, %v", stats, err)
	}
	if err := file.Close(); err != nil {
		r.t.Error(err)
	}
	detach()
	r.expectEntry(volume, func(entry journal.Entry) error {
		if entry.Holder != nil {
			return say("a node-agent that did not stage the volume did not record its release: %+v", entry.Holder)
		}
		return nil
	})
	target, detach = r.attach(volume, mounted("ext4"), "kill-again")
	got, err := os.ReadFile(filepath.Join(target, "log"))
	if want := "before without after"; err != nil || string(got) != want {
		r.t.Errorf("want %q, got %q, %v", want, got, err)
	}
	detach()
	r.remove(volume)
}

// survivesDeadDaemon kills what exports an image: the device is dead then, and a new
// one is made where the old one was.
func survivesDeadDaemon(r *rig) {
	volume := r.makeVolume("pvc-dead", mounted("xfs"))
	target, detach := r.attach(volume, mounted("xfs"), "dead")
	if err := os.WriteFile(filepath.Join(target, "data"), []byte("kept"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.output("sync", "--file-system", target)
	killed := signalDaemons(r.dir, syscall.SIGKILL)
	if len(killed) != 1 {
		r.t.Fatalf("storage daemons of %v were killed, want one", killed)
	}
	r.await("the volume is said to be broken", func() error {
		// The kernel believes what it knew of the exported file for a second.
		if _, err := os.Stat(filepath.Join(killed[0], "image")); !errors.Is(err, syscall.ENOTCONN) {
			return say("the export is still known (%v)", err)
		}
		stats, err := r.node().NodeGetVolumeStats(r.t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: volume.GetVolumeId(), VolumePath: target})
		if err != nil || !stats.GetVolumeCondition().GetAbnormal() {
			return say("%v, %v", stats, err)
		}
		return nil
	})
	detach()
	staging, _ := r.paths("dead-again")
	r.await("Ceph has forgotten the daemon", func() error {
		_, err := r.node().NodeStageVolume(r.t.Context(), &csipb.NodeStageVolumeRequest{
			VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, VolumeCapability: mounted("xfs"),
			VolumeContext: volume.GetVolumeContext(), Secrets: r.secrets[csi.RBDNodeSecret],
		})
		return err
	})
	target, detach = r.attach(volume, mounted("xfs"), "dead-again")
	if got, err := os.ReadFile(filepath.Join(target, "data")); err != nil || string(got) != "kept" {
		r.t.Errorf("want what was written, got %q, %v", got, err)
	}
	detach()
	r.remove(volume)
}

func secondNodeRefused(r *rig) {
	volume := r.makeVolume("pvc-held", mounted("ext4"))
	publish := func(node string) error {
		_, err := r.controller().ControllerPublishVolume(r.t.Context(), &csipb.ControllerPublishVolumeRequest{
			VolumeId: volume.GetVolumeId(), NodeId: node, VolumeCapability: mounted("ext4"), Secrets: r.secrets[csi.RBDProvisionerSecret],
		})
		return err
	}
	if err := publish(nodeName); err != nil {
		r.t.Fatal(err)
	}
	if err := publish(otherNode); status.Code(err) != codes.FailedPrecondition {
		r.t.Errorf("second node: want FailedPrecondition, got %v", err)
	}
	_, detach := r.attach(volume, mounted("ext4"), "held")
	r.expectEntry(volume, func(entry journal.Entry) error {
		if entry.Holder == nil || entry.Holder.Node != nodeName || entry.Holder.Address == "" {
			return say("holder while attached: %+v", entry.Holder)
		}
		return nil
	})
	_, err := r.controller().DeleteVolume(r.t.Context(), &csipb.DeleteVolumeRequest{
		VolumeId: volume.GetVolumeId(), Secrets: r.secrets[csi.RBDProvisionerSecret]})
	if status.Code(err) != codes.FailedPrecondition {
		r.t.Errorf("delete while attached: want FailedPrecondition, got %v", err)
	}
	detach()
	_, err = r.controller().ControllerUnpublishVolume(r.t.Context(), &csipb.ControllerUnpublishVolumeRequest{
		VolumeId: volume.GetVolumeId(), NodeId: nodeName, Secrets: r.secrets[csi.RBDProvisionerSecret]})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := publish(otherNode); err != nil {
		r.t.Errorf("second node after release: %v", err)
	}
	r.remove(volume)
}

func foreignDataKept(r *rig) {
	volume := r.makeVolume("pvc-foreign", block())
	content := []byte("not a file system, and not blank")
	target, detach := r.attach(volume, block(), "foreign")
	r.writeDevice(target, append(content, make([]byte, 4096-len(content))...))
	detach()
	staging, _ := r.paths("foreign-mount")
	_, err := r.node().NodeStageVolume(r.t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, VolumeCapability: mounted("ext4"),
		VolumeContext: volume.GetVolumeContext(), Secrets: r.secrets[csi.RBDNodeSecret],
	})
	if status.Code(err) != codes.FailedPrecondition {
		r.t.Errorf("want FailedPrecondition, got %v", err)
	}
	_, err = r.node().NodeUnstageVolume(r.t.Context(), &csipb.NodeUnstageVolumeRequest{VolumeId: volume.GetVolumeId(), StagingTargetPath: staging})
	if err != nil {
		r.t.Fatal(err)
	}
	target, detach = r.attach(volume, block(), "foreign-again")
	device, err := os.Open(target)
	if err != nil {
		r.t.Fatal(err)
	}
	got := make([]byte, len(content))
	if _, err := device.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		r.t.Errorf("foreign data was changed (%v)", err)
	}
	_ = device.Close()
	detach()
	r.remove(volume)
}

func keysStaySecret(r *rig) {
	volume := r.makeVolume("pvc-secret", mounted("ext4"))
	_, detach := r.attach(volume, mounted("ext4"), "secret")
	arguments := r.output("ps", "-eo", "args")
	if !strings.Contains(arguments, "qemu-storage-daemon") {
		r.t.Error("no storage daemon runs, so this test proves nothing")
	}
	texts := map[string]string{"process arguments": arguments}
	for _, service := range []string{"node-agent", "provisioner"} {
		text, err := os.ReadFile(filepath.Join(r.dir, service+".log"))
		if err != nil {
			r.t.Fatal(err)
		}
		texts[service+" log"] = string(text)
	}
	left, err := os.ReadDir(filepath.Join(r.dir, "keys"))
	if err != nil || len(left) > 0 {
		r.t.Errorf("files with keys are left: %v, %v", left, err)
	}
	for where, text := range texts {
		for name, secret := range r.secrets {
			if strings.Contains(text, secret[csi.SecretUserKey]) {
				r.t.Errorf("%s hold the key of %s", where, name)
			}
		}
	}
	detach()
	r.remove(volume)
}

// remove deletes a volume and waits until nothing is left of it.
func (r *rig) remove(volume *csipb.Volume) {
	r.t.Helper()
	_, err := r.controller().DeleteVolume(r.t.Context(), &csipb.DeleteVolumeRequest{
		VolumeId: volume.GetVolumeId(), Secrets: r.secrets[csi.RBDProvisionerSecret]})
	if err != nil {
		r.t.Fatal(err)
	}
	r.withPool(func(pool storage.Pool) {
		id, err := csi.ParseVolumeID(volume.GetVolumeId())
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := (journal.Journal{Omaps: pool}).Entry(r.t.Context(), id.UUID); !errors.Is(err, ceph.ErrNotFound) {
			r.t.Errorf("journal entry is left: %v", err)
		}
		if _, err := pool.Image(r.t.Context(), volume.GetVolumeContext()[csi.AttributeImageName]); !errors.Is(err, ceph.ErrNotFound) {
			r.t.Errorf("image is left: %v", err)
		}
		r.await("empty trash", func() error {
			trash, err := pool.ListTrash(r.t.Context())
			if err == nil && len(trash) > 0 {
				err = say("trash holds %v", trash)
			}
			return err
		})
	})
}

func (r *rig) expectEntry(volume *csipb.Volume, check func(journal.Entry) error) {
	r.t.Helper()
	r.withPool(func(pool storage.Pool) {
		id, err := csi.ParseVolumeID(volume.GetVolumeId())
		if err != nil {
			r.t.Fatal(err)
		}
		entry, err := (journal.Journal{Omaps: pool}).Entry(r.t.Context(), id.UUID)
		if err == nil {
			err = check(entry)
		}
		if err != nil {
			r.t.Error(err)
		}
	})
}

func (r *rig) writeDevice(path string, content []byte) {
	r.t.Helper()
	device, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := device.Write(content); err != nil {
		r.t.Fatal(err)
	}
	if err := errors.Join(device.Sync(), device.Close()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) output(name string, args ...string) string {
	r.t.Helper()
	output, err := exec.CommandContext(r.t.Context(), name, args...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s: %v: %s", name, err, output)
	}
	return string(output)
}
