//go:build librados && integration

package integration_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
)

func theFilesystem() *api.CephFilesystem {
	fs := &api.CephFilesystem{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "myfs", UID: "fs-1", Generation: 1}}
	small := api.PoolSpec{FailureDomain: "osd", Replicated: api.ReplicatedSpec{Size: 2}, Parameters: map[string]string{"pg_num": "4", "pg_autoscale_mode": "off"}}
	coded := api.PoolSpec{FailureDomain: "osd", ErasureCoded: api.ErasureCodedSpec{DataChunks: 2, CodingChunks: 1}, Parameters: small.Parameters}
	fs.Spec.MetadataPool = &api.NamedPoolSpec{PoolSpec: small}
	fs.Spec.DataPools = []api.NamedPoolSpec{{Name: "replicated", PoolSpec: small}, {Name: "coded", PoolSpec: coded}}
	fs.Spec.MetadataServer = api.MetadataServerSpec{
		ActiveCount: 1, ActiveStandby: true,
		Resources: &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}},
	}
	return fs
}

// TestAFileSystemLivesWithRealCeph plays the whole life with the service's own
// identity.
func TestAFileSystemLivesWithRealCeph(t *testing.T) {
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			team := &api.CephFilesystemSubVolumeGroup{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "team", UID: "g-1", Generation: 1}}
			team.Spec = api.CephFilesystemSubVolumeGroupSpec{FilesystemName: "myfs", DataPoolName: "myfs-coded", Quota: ptr.To(resource.MustParse("1Gi"))}
			r := newRig(t, release, theFilesystem(), team)
			admin, ctx := r.ceph.Client(), t.Context()

			r.await("served", r.ready)
			r.await("group made", func() bool {
				info, err := admin.SubvolumeGroupInfo(ctx, "myfs", "team")
				return err == nil && info.BytesQuota == 1<<30 && info.DataPool == "myfs-coded"
			})
			if value, err := admin.ConfigGet(ctx, "mds.myfs-a", "mds_cache_memory_limit"); err != nil || value != "536870912" {
				t.Errorf("mds_cache_memory_limit is %s (%v)", value, err)
			}

			r.change(func(spec *api.FilesystemSpec) { spec.MetadataServer.ActiveCount = 2 })
			r.await("two ranks", func() bool { return r.ready() && r.mdsMap().Active() == 2 })
			r.change(func(spec *api.FilesystemSpec) { spec.MetadataServer.ActiveCount = 1 })
			r.await("one rank", func() bool {
				return r.ready() && len(r.mdsMap().In) == 1 && len(r.running) == 4 && !r.running["myfs-d"]
			})

			holder := r.mdsMap().Daemons()[0].Name
			r.ceph.Kill("mds." + holder)
			r.running[holder] = false // as Kubernetes starts a container again
			r.await("taken over", func() bool {
				daemons := r.mdsMap().Daemons()
				return len(daemons) > 0 && daemons[0].State == ceph.MDSActive && daemons[0].Name != holder
			})
			r.await("all back", r.ready)

			volume := ceph.Subvolume{Volume: "myfs", Group: "csi", Name: "csi-vol-1"}
			if err := admin.SubvolumeCreate(ctx, volume, ceph.SubvolumeSpec{}); err != nil {
				t.Fatal(err)
			}
			r.check(r.kube.Delete(ctx, team))
			r.check(r.kube.Delete(ctx, r.fs()))
			r.await("deletion names what is inside", func() bool {
				return holds(r.condition(api.ConditionDeletionIsBlocked), "subvolume csi/csi-vol-1")
			})
			r.check(admin.SubvolumeRemove(ctx, volume, ceph.RemoveEmpty))
			r.await("gone", func() bool { return r.fs() == nil })
			left, err := admin.PoolNames(ctx)
			users, usersErr := admin.AuthList(ctx)
			if err != nil || usersErr != nil || len(left) != 1 {
				t.Errorf("pools %v are left (%v, %v), want .mgr", left, err, usersErr)
			}
			for _, user := range users {
				if len(user.Entity) > 4 && user.Entity[:4] == "mds." {
					t.Errorf("user %s is left", user.Entity)
				}
			}

			r.mayNot("osd purge", map[string]any{"id": 0})
			r.mayNot("mon rm", map[string]any{"name": "a"})
			r.mayNot("auth get", map[string]any{"entity": "client.admin"})
			r.mayNot("auth get-or-create", map[string]any{"entity": "client.x", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth get-or-create", map[string]any{"entity": "mds.x", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth caps", map[string]any{"entity": "client.rook-mds-manager", "caps": []string{"mon", "allow *"}})
			r.mayNot("auth ls", nil)
			r.mayNot("config set", map[string]any{"who": "mon", "name": "auth_cluster_required", "value": "none"})
			r.mayNot("config rm", map[string]any{"who": "osd", "name": "osd_memory_target"})
		})
	}
}
