//go:build integration

package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi"
)

const fsName = "myfs"

// makeFilesystem makes a file system with its subvolume group, as mds-manager would.
func (r *rig) makeFilesystem() {
	r.t.Helper()
	r.ceph.AddFilesystem(fsName)
	ctx := r.t.Context()
	_, err := r.ceph.Client().Mgr(ctx, ceph.Command{
		Prefix: "fs subvolumegroup create", Args: map[string]any{"vol_name": fsName, "group_name": csi.DefaultSubvolumeGroup}})
	if err == nil {
		// How long a client that died keeps others waiting; there is no less.
		_, err = r.ceph.Client().Mon(ctx, ceph.Command{
			Prefix: "fs set", Args: map[string]any{"fs_name": fsName, "var": "session_timeout", "val": "30"}})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// shares is the CephFS driver of a rig.
type shares struct{ *rig }

func (r *rig) shares() shares { return shares{r} }

func (s shares) controllerSocket() string { return filepath.Join(s.dir, "cephfs.sock") }

func (s shares) nodeSocket() string {
	return filepath.Join(s.kubelet(), "plugins", csi.CephFSDriver(namespace), "csi.sock")
}

func (s shares) controller() csipb.ControllerClient {
	return csipb.NewControllerClient(s.dial(s.controllerSocket()))
}

func (s shares) node() csipb.NodeClient { return csipb.NewNodeClient(s.dial(s.nodeSocket())) }

func (s shares) parameters() map[string]string {
	return map[string]string{csi.ParamClusterID: namespace, csi.ParamFSName: fsName}
}

func testShares(t *testing.T, r *rig) {
	t.Run("two_mounts_see_each_others_writes", r.with(sharesWrites))
	t.Run("a_killed_node_agent_leaves_a_writing_pod_alone", r.with(shareSurvivesKill))
	t.Run("a_dead_client_is_replaced_for_the_next_pod", r.with(shareRevives))
	t.Run("a_quota_stops_writes_and_grows", r.with(shareQuota))
	t.Run("a_volume_of_an_old_driver_is_found_in_the_journal", r.with(shareWithoutPath))
	t.Run("snapshots_are_restored_cloned_and_shown", r.with(shareSnapshots))
	t.Run("claims_are_served_and_expanded", r.with(claimsAreServed))
	t.Run("options_of_the_cluster_reach_the_mount", r.with(shareOptions))
	t.Run("keys_are_in_no_arguments_and_no_logs", r.with(shareKeysStaySecret))
}

func shared(mode csipb.VolumeCapability_AccessMode_Mode, flags ...string) *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{MountFlags: flags}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: mode},
	}
}

func manyWriters() *csipb.VolumeCapability {
	return shared(csipb.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER)
}

func manyReaders() *csipb.VolumeCapability {
	return shared(csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY)
}

func (s shares) make(name string, use *csipb.VolumeCapability, source *csipb.VolumeContentSource) *csipb.Volume {
	s.t.Helper()
	request := &csipb.CreateVolumeRequest{
		Name: name, Parameters: s.parameters(), Secrets: s.secrets[csi.CephFSProvisionerSecret],
		CapacityRange:      &csipb.CapacityRange{RequiredBytes: 64 << 20},
		VolumeCapabilities: []*csipb.VolumeCapability{use}, VolumeContentSource: source,
	}
	var response *csipb.CreateVolumeResponse
	s.await("volume "+name, func() (err error) {
		began := time.Now()
		response, err = s.controller().CreateVolume(s.t.Context(), request)
		if err != nil && status.Code(err) != codes.Aborted && status.Code(err) != codes.Unavailable {
			s.t.Fatal(err)
		}
		s.t.Logf("CreateVolume took %s", time.Since(began))
		return err
	})
	return response.GetVolume()
}

// stage stages a volume at a path of that name and returns how to undo it.
func (s shares) stage(volume *csipb.Volume, use *csipb.VolumeCapability, name string) (staging string, undo func()) {
	s.t.Helper()
	staging, _ = s.paths(name)
	began := time.Now()
	_, err := s.node().NodeStageVolume(s.t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, VolumeCapability: use,
		VolumeContext: volume.GetVolumeContext(), Secrets: s.secrets[csi.CephFSNodeSecret],
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("stage took %s", time.Since(began))
	return staging, func() {
		s.t.Helper()
		_, err := s.node().NodeUnstageVolume(s.t.Context(), &csipb.NodeUnstageVolumeRequest{VolumeId: volume.GetVolumeId(), StagingTargetPath: staging})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s shares) publish(volume *csipb.Volume, use *csipb.VolumeCapability, staging, name string) (target string, undo func()) {
	s.t.Helper()
	_, target = s.paths(name)
	_, err := s.node().NodePublishVolume(s.t.Context(), &csipb.NodePublishVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, TargetPath: target, VolumeCapability: use,
		VolumeContext: volume.GetVolumeContext(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return target, func() {
		s.t.Helper()
		_, err := s.node().NodeUnpublishVolume(s.t.Context(), &csipb.NodeUnpublishVolumeRequest{VolumeId: volume.GetVolumeId(), TargetPath: target})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s shares) remove(volumes ...*csipb.Volume) {
	s.t.Helper()
	for _, volume := range volumes {
		// A client that died holds on to its files until its session ends, and the
		// mgr, which answers one call after the other, waits for it.
		s.await("removal of "+volume.GetVolumeId(), func() error {
			_, err := s.controller().DeleteVolume(s.t.Context(), &csipb.DeleteVolumeRequest{
				VolumeId: volume.GetVolumeId(), Secrets: s.secrets[csi.CephFSProvisionerSecret]})
			if err != nil && status.Code(err) != codes.Unavailable && status.Code(err) != codes.Aborted {
				s.t.Fatal(err)
			}
			return err
		})
		at := ceph.Subvolume{Volume: fsName, Group: csi.DefaultSubvolumeGroup, Name: volume.GetVolumeContext()[csi.AttributeSubvolumeName]}
		if _, err := s.ceph.Client().SubvolumeInfo(s.t.Context(), at); !errors.Is(err, ceph.ErrNotFound) {
			s.t.Errorf("subvolume %s is left: %v", at.Name, err)
		}
	}
}

func (s shares) stats(volume *csipb.Volume, path string) *csipb.NodeGetVolumeStatsResponse {
	s.t.Helper()
	stats, err := s.node().NodeGetVolumeStats(s.t.Context(), &csipb.NodeGetVolumeStatsRequest{VolumeId: volume.GetVolumeId(), VolumePath: path})
	if err != nil {
		s.t.Fatal(err)
	}
	return stats
}

// sharesWrites mounts one volume twice, through two clients as on two nodes.
func sharesWrites(r *rig) {
	s := r.shares()
	volume := s.make("pvc-shared", manyWriters(), nil)
	staging, unstage := s.stage(volume, manyWriters(), "shared")
	target, unpublish := s.publish(volume, manyWriters(), staging, "shared-a")
	second, unpublishSecond := s.publish(volume, manyWriters(), staging, "shared-b")
	other := s.otherNode(volume)
	for _, dir := range []string{target, second, other} {
		line := filepath.Base(filepath.Dir(dir)) + "\n"
		file, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := file.WriteString(line); err != nil {
			r.t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, dir := range []string{target, second, other} {
		got, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil || len(strings.Split(strings.TrimSpace(string(got)), "\n")) != 3 {
			r.t.Errorf("%s sees %q, %v", dir, got, err)
		}
	}
	if total := s.stats(volume, target).GetUsage()[0].GetTotal(); total != 64<<20 {
		r.t.Errorf("the pod sees %d bytes, not its quota", total)
	}
	unpublish()
	unpublishSecond()
	unstage()
	if err := syscall.Unmount(other, 0); err != nil {
		r.t.Error(err)
	}
	s.remove(volume)
}

// otherNode mounts the volume by a client of its own, as another node would.
func (s shares) otherNode(volume *csipb.Volume) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "other-node", "mount")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		s.t.Fatal(err)
	}
	conf := filepath.Join(s.dir, "other-node", "ceph.conf")
	text := "[global]\nmon_host = " + s.ceph.Connection().MonHost + "\nlog_file =\nadmin_socket =\npid_file =\n[client.admin]\nkey = " + s.ceph.Admin().Secret + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.output("ceph-fuse", dir, "-c", conf, "--id", "admin", "-r", volume.GetVolumeContext()[csi.AttributeSubvolumePath])
	return dir
}

func shareSurvivesKill(r *rig) {
	s := r.shares()
	volume := s.make("pvc-share-kill", manyWriters(), nil)
	staging, _ := s.stage(volume, manyWriters(), "share-kill")
	target, _ := s.publish(volume, manyWriters(), staging, "share-kill")
	ctx, stop := context.WithCancel(r.t.Context())
	wrote := make(chan error, 1)
	lines := make(chan int, 1)
	go func() { n, err := keepWriting(ctx, filepath.Join(target, "log")); lines <- n; wrote <- err }()
	s.killAgent()
	s.startAgent()
	r.agent = s.agent
	if stats := s.stats(volume, target); stats.GetVolumeCondition().GetAbnormal() {
		r.t.Errorf("adopted volume: %v", stats)
	}
	stop()
	count := <-lines
	if err := <-wrote; err != nil {
		r.t.Fatalf("the pod's writes failed after %d lines: %v", count, err)
	}
	got, err := os.ReadFile(filepath.Join(target, "log"))
	if err != nil || bytes.Count(got, []byte("\n")) != count || count == 0 {
		r.t.Errorf("%d lines were written, %d are there, %v", count, bytes.Count(got, []byte("\n")), err)
	}
	// The new process undoes what the old one did.
	_, unpublish := s.publish(volume, manyWriters(), staging, "share-kill")
	unpublish()
	_, unstage := s.stage(volume, manyWriters(), "share-kill")
	unstage()
	s.remove(volume)
}

// keepWriting appends and syncs lines until ctx ends.
func keepWriting(ctx context.Context, path string) (lines int, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for ctx.Err() == nil {
		if _, err := file.WriteString(strconv.Itoa(lines) + "\n"); err != nil {
			return lines, err
		}
		if err := file.Sync(); err != nil {
			return lines, err
		}
		lines++
	}
	return lines, nil
}

func shareRevives(r *rig) {
	s := r.shares()
	volume := s.make("pvc-revive", manyWriters(), nil)
	staging, unstage := s.stage(volume, manyWriters(), "revive")
	target, unpublish := s.publish(volume, manyWriters(), staging, "revive-a")
	if err := os.WriteFile(filepath.Join(target, "data"), []byte("kept"), 0o600); err != nil {
		r.t.Fatal(err)
	}
	s.output("sync", "-f", filepath.Join(target, "data"))
	pids, err := filepath.Glob(filepath.Join(s.kubelet(), "plugins", csi.CephFSDriver(namespace), "attached", "*", "pid"))
	if err != nil || len(pids) != 1 {
		r.t.Fatalf("clients: %v, %v", pids, err)
	}
	text, err := os.ReadFile(pids[0])
	if err != nil {
		r.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		r.t.Fatal(err)
	}
	r.await("abnormal volume", func() error {
		if !s.stats(volume, target).GetVolumeCondition().GetAbnormal() {
			return say("the volume passes for healthy")
		}
		return nil
	})
	second, unpublishSecond := s.publish(volume, manyWriters(), staging, "revive-b")
	if got, err := os.ReadFile(filepath.Join(second, "data")); err != nil || string(got) != "kept" {
		r.t.Errorf("next pod reads %q, %v", got, err)
	}
	unpublish()
	unpublishSecond()
	unstage()
	s.remove(volume)
}

func shareQuota(r *rig) {
	s := r.shares()
	volume := s.make("pvc-quota", manyWriters(), nil)
	staging, unstage := s.stage(volume, manyWriters(), "quota")
	target, unpublish := s.publish(volume, manyWriters(), staging, "quota")
	fill := func(name string, bytes int) error {
		file, err := os.Create(filepath.Join(target, name))
		if err != nil {
			return err
		}
		_, err = file.Write(make([]byte, bytes))
		return errors.Join(err, file.Sync(), file.Close())
	}
	if err := fill("fits", 60<<20); err != nil {
		r.t.Fatal(err)
	}
	r.await("full volume", func() error {
		if err := fill("more", 32<<20); !errors.Is(err, syscall.EDQUOT) {
			return say("write beyond the quota: %v", err)
		}
		return nil
	})
	response, err := s.controller().ControllerExpandVolume(r.t.Context(), &csipb.ControllerExpandVolumeRequest{
		VolumeId: volume.GetVolumeId(), CapacityRange: &csipb.CapacityRange{RequiredBytes: 256 << 20}, Secrets: s.secrets[csi.CephFSProvisionerSecret]})
	if err != nil || response.GetCapacityBytes() != 256<<20 || response.GetNodeExpansionRequired() {
		r.t.Fatal(response, err)
	}
	r.await("room", func() error { return fill("more", 32<<20) })
	unpublish()
	unstage()
	s.remove(volume)
}

func shareWithoutPath(r *rig) {
	s := r.shares()
	volume := s.make("pvc-old", manyWriters(), nil)
	kept := volume.GetVolumeContext()[csi.AttributeSubvolumePath]
	delete(volume.GetVolumeContext(), csi.AttributeSubvolumePath)
	_, unstage := s.stage(volume, shared(csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER, "noatime"), "old")
	if got := s.record(volume); !strings.Contains(got, kept) {
		r.t.Errorf("mounted %s, want %s", got, kept)
	}
	unstage()
	s.remove(volume)
}

// record is the only mount that the driver knows.
func (s shares) record(*csipb.Volume) string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.kubelet(), "plugins", csi.CephFSDriver(namespace), "attached", "*", "attachment.json"))
	if err != nil || len(files) != 1 {
		s.t.Fatalf("records: %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func shareSnapshots(r *rig) {
	s := r.shares()
	source := s.make("pvc-source", manyWriters(), nil)
	staging, unstage := s.stage(source, manyWriters(), "source")
	put := func(text string) {
		r.t.Helper()
		if err := os.WriteFile(filepath.Join(staging, "data"), []byte(text), 0o644); err != nil {
			r.t.Fatal(err)
		}
		s.output("sync", "-f", filepath.Join(staging, "data"))
	}
	put("old")
	response, err := s.controller().CreateSnapshot(r.t.Context(), &csipb.CreateSnapshotRequest{
		Name: "snap", SourceVolumeId: source.GetVolumeId(), Secrets: s.secrets[csi.CephFSProvisionerSecret]})
	if err != nil {
		r.t.Fatal(err)
	}
	put("new")
	snapshot := &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Snapshot{
		Snapshot: &csipb.VolumeContentSource_SnapshotSource{SnapshotId: response.GetSnapshot().GetSnapshotId()}}}
	clone := &csipb.VolumeContentSource{Type: &csipb.VolumeContentSource_Volume{
		Volume: &csipb.VolumeContentSource_VolumeSource{VolumeId: source.GetVolumeId()}}}
	restored := s.make("pvc-restored", manyWriters(), snapshot)
	cloned := s.make("pvc-cloned", manyWriters(), clone)
	shown := s.make("pvc-shown", manyReaders(), snapshot)
	s.expectData(restored, manyWriters(), "restored", "old")
	s.expectData(cloned, manyWriters(), "cloned", "new")
	s.expectData(shown, manyReaders(), "shown", "old")
	drop := func() error {
		_, err := s.controller().DeleteSnapshot(r.t.Context(), &csipb.DeleteSnapshotRequest{
			SnapshotId: response.GetSnapshot().GetSnapshotId(), Secrets: s.secrets[csi.CephFSProvisionerSecret]})
		return err
	}
	if err := drop(); status.Code(err) != codes.FailedPrecondition {
		r.t.Errorf("deletion of a snapshot that is shown: %v", err)
	}
	s.remove(restored, cloned, shown)
	if err := drop(); err != nil {
		r.t.Error(err)
	}
	unstage()
	s.remove(source)
}

func (s shares) expectData(volume *csipb.Volume, use *csipb.VolumeCapability, name, want string) {
	s.t.Helper()
	staging, unstage := s.stage(volume, use, name)
	target, unpublish := s.publish(volume, use, staging, name)
	if got, err := os.ReadFile(filepath.Join(target, "data")); err != nil || string(got) != want {
		s.t.Errorf("%s: want %q, got %q, %v", name, want, got, err)
	}
	err := os.WriteFile(filepath.Join(target, "probe"), nil, 0o600)
	if readOnly := use.GetAccessMode().GetMode() == csipb.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY; readOnly != errors.Is(err, syscall.EROFS) {
		s.t.Errorf("%s: write: %v", name, err)
	}
	unpublish()
	unstage()
}

// mountOptions makes them those of the cluster's CephFS volumes.
func (s shares) mountOptions(of api.CSICephFSSpec) {
	s.t.Helper()
	cluster := &api.CephCluster{}
	if err := s.kube.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster); err != nil {
		s.t.Fatal(err)
	}
	before := client.MergeFrom(cluster.DeepCopy())
	cluster.Spec.CSI.CephFS = of
	if err := s.kube.Patch(s.t.Context(), cluster, before); err != nil {
		s.t.Fatal(err)
	}
}

func shareOptions(r *rig) {
	s := r.shares()
	s.mountOptions(api.CSICephFSSpec{KernelMountOptions: "nosuch", FuseMountOptions: "noatime,nodev,max_read=65536"})
	volume := s.make("pvc-options", manyWriters(), nil)
	static := &csipb.Volume{VolumeId: "pv-options", VolumeContext: map[string]string{
		csi.AttributeStaticVolume: "true", csi.ParamClusterID: namespace, csi.ParamFSName: fsName,
		csi.AttributeRootPath: volume.GetVolumeContext()[csi.AttributeSubvolumePath],
	}}
	volume.VolumeContext[csi.ParamFUSEMountOptions] = "max_read=131072,atime"
	for name, tc := range map[string]struct {
		volume *csipb.Volume
		want   []string
		not    []string
	}{
		"options-static":  {static, []string{"fuse.ceph-fuse", "noatime", "nodev", "max_read=65536"}, nil},
		"options-dynamic": {volume, []string{"fuse.ceph-fuse", "nodev", "max_read=131072"}, []string{"noatime", "max_read=65536"}},
	} {
		staging, unstage := s.stage(tc.volume, manyWriters(), name)
		options := r.options(staging)
		for _, want := range tc.want {
			if !slices.Contains(options, want) {
				r.t.Errorf("%s: %s is not among the options %q", name, want, options)
			}
		}
		for _, not := range tc.not {
			if slices.Contains(options, not) {
				r.t.Errorf("%s: %s is among the options %q", name, not, options)
			}
		}
		unstage()
	}

	s.mountOptions(api.CSICephFSSpec{FuseMountOptions: "noatime,id=admin"})
	r.await("ProvisioningReady names the option", func() error {
		cluster := &api.CephCluster{}
		if err := r.kube.Get(r.t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster); err != nil {
			return err
		}
		found := api.FindCondition(cluster.Status.Conditions, api.ConditionProvisioningReady)
		if found == nil || found.Reason != api.ReasonInvalidSpec || !strings.Contains(found.Message, "`id`") {
			return say("%+v", found)
		}
		return nil
	})
	staging, _ := s.paths("options-refused")
	_, err := s.node().NodeStageVolume(r.t.Context(), &csipb.NodeStageVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, VolumeCapability: manyWriters(),
		VolumeContext: volume.GetVolumeContext(), Secrets: s.secrets[csi.CephFSNodeSecret],
	})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "`spec.csi.cephfs`") {
		r.t.Errorf("with an option that is refused: %v", err)
	}
	s.mountOptions(api.CSICephFSSpec{})
	s.remove(volume)
}

// options are those of the mount at a path, those of the file system and its type among them.
func (r *rig) options(where string) []string {
	r.t.Helper()
	all, err := mount.ParseMountInfo("/proc/self/mountinfo")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, m := range all {
		if m.MountPoint == where {
			return slices.Concat([]string{m.FsType}, m.MountOptions, m.SuperOptions)
		}
	}
	return nil
}

func shareKeysStaySecret(r *rig) {
	s := r.shares()
	volume := s.make("pvc-share-secret", manyWriters(), nil)
	_, unstage := s.stage(volume, manyWriters(), "share-secret")
	arguments := s.output("ps", "-eo", "args")
	if !strings.Contains(arguments, "ceph-fuse") {
		r.t.Error("no ceph-fuse runs, so this test proves nothing")
	}
	texts := map[string]string{"process arguments": arguments, "record": s.record(volume)}
	for _, service := range []string{"node-agent", "provisioner"} {
		text, err := os.ReadFile(filepath.Join(s.dir, service+".log"))
		if err != nil {
			r.t.Fatal(err)
		}
		texts[service+" log"] = string(text)
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "keys")); err != nil || len(left) > 0 {
		r.t.Errorf("files with keys are left: %v, %v", left, err)
	}
	for where, text := range texts {
		for _, name := range []string{csi.CephFSNodeSecret, csi.CephFSProvisionerSecret} {
			if strings.Contains(text, s.secrets[name][csi.SecretUserKey]) {
				r.t.Errorf("%s hold the key of %s", where, name)
			}
		}
	}
	unstage()
	s.remove(volume)
}
