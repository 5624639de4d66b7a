package setup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/receipt"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/setup"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/disruption"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const (
	namespace = "rook-ceph"
	ourImage  = "rook-ceph/osd-manager:v1"
	cephImage = "ceph:v18.2.7"
)

var errCrash = errors.New("crash")

// world is the service with a fake API server, a fake Ceph and nodes that run
// what they are told to.
type world struct {
	t      *testing.T
	ceph   *cephtest.Cluster
	kube   client.WithWatch
	clock  *clocktesting.FakePassiveClock
	events *events.FakeRecorder
	image  string

	writes int
	last   []string
	// crashAt is the write at which the service crashes; 0 never.
	crashAt int
	// after lets the write happen before the crash.
	after bool
	// playing is true while the node acts, whose writes do not count.
	playing bool
	service *setup.Service
	// verdict is what osd-prepare says about a disk; Prepared without an entry.
	verdict map[string]receipt.Receipt
}

// newWorld has one node with the given number of blank disks, and a cluster
// with mons in quorum that takes all of them.
func newWorld(t *testing.T, disks int) *world {
	w := &world{
		t: t, ceph: cephtest.New(t, cephtest.Mons("a"), cephtest.Mgrs("x")), image: ourImage,
		clock:   clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		events:  events.NewFakeRecorder(10000),
		verdict: map[string]receipt.Receipt{},
	}
	identity := keyring.OSDManager()
	key := keyring.Key{Entity: identity.Entity, Secret: cephtest.DefaultSecret}
	w.ceph.AddUser(ceph.AuthUser{Entity: identity.Entity, Secret: key.Secret, Caps: identity.Caps})
	objs := []client.Object{
		w.cluster(),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: names.ServiceKeyring("osd-manager")},
			Data: map[string][]byte{"keyring": []byte(keyring.Render(key, nil))}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1", Labels: map[string]string{names.LabelHostname: "node1", corev1.LabelTopologyZone: "z1"}},
			Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}},
	}
	for i := range disks {
		objs = append(objs, blankDisk(i))
	}
	w.kube = testenv.Fake(t, objs...).WithInterceptorFuncs(testenv.Apart(w.counter())).Build()
	w.restart()
	return w
}

func (w *world) cluster() *api.CephCluster {
	at := w.ceph.Connection()
	return &api.CephCluster{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "test", UID: "c1", Generation: 1},
		Spec: api.ClusterSpec{
			DataDirHostPath: "/var/lib/rook",
			CephVersion:     api.CephVersionSpec{Image: cephImage},
			Storage:         api.StorageScopeSpec{UseAllNodes: true, Selection: api.Selection{UseAllDevices: ptr.To(true)}},
		},
		Status: api.ClusterStatus{
			Connection: &at,
			Conditions: []api.Condition{{Type: api.ConditionMonitorsInQuorum, Status: metav1.ConditionTrue, Reason: "AsExpected"}},
		},
	}
}

func blankDisk(i int) *inventory.CephDisk {
	device := "sd" + string(rune('a'+i))
	return &inventory.CephDisk{
		ObjectMeta: metav1.ObjectMeta{Name: "node1-" + device, UID: "d1"},
		Status: inventory.CephDiskStatus{
			Node: "node1", Device: device, Path: "/dev/" + device, StableID: "wwn:" + device, Type: inventory.DiskTypeSSD,
			SizeBytes: 1 << 40, Probe: &inventory.DiskProbe{State: inventory.ProbeAvailable, Reason: "Blank"},
		},
	}
}

// counter counts the writes of the service and crashes it at one of them.
func (w *world) counter() interceptor.Funcs {
	write := func(do func() error) error {
		if w.playing {
			return do()
		}
		w.writes++
		if w.crashAt == 0 || w.writes < w.crashAt {
			return do()
		}
		if w.writes == w.crashAt && w.after {
			_ = do()
		}
		return errCrash
	}
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return write(func() error { return c.Create(ctx, obj, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			w.note("update", obj)
			return write(func() error { return c.Update(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			w.note("delete", obj)
			return write(func() error { return c.Delete(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			w.note("patch", obj)
			return write(func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			w.note("apply", obj)
			return write(func() error { return errors.Join(c.Apply(ctx, obj, opts...), w.stopChanged(ctx, c)) })
		},
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			w.note("apply "+sub, obj)
			return write(func() error { return c.SubResource(sub).Apply(ctx, obj, opts...) })
		},
	}
}

// stopChanged makes the status of a Deployment whose template changed lag behind,
// as it does until Kubernetes has stopped the pod.
func (w *world) stopChanged(ctx context.Context, c client.WithWatch) error {
	var list appsv1.DeploymentList
	if err := c.List(ctx, &list); err != nil {
		return err
	}
	for i := range list.Items {
		d := &list.Items[i]
		if d.Status.ObservedGeneration < d.Generation || d.Annotations["seen"] == d.Spec.Template.Spec.String() {
			continue
		}
		d.Status.ObservedGeneration = d.Generation - 1
		if err := c.Status().Update(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) availability(status corev1.ConditionStatus) []appsv1.DeploymentCondition {
	return []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: status, LastTransitionTime: metav1.NewTime(w.clock.Now())}}
}

// note remembers the last writes, for a test that fails.
func (w *world) note(verb string, obj any) {
	body, err := json.Marshal(obj)
	if err == nil && !w.playing {
		w.last = append(w.last[max(0, len(w.last)-5):], verb+" "+string(body))
	}
}

// restart begins a new life of the service, which remembers nothing.
func (w *world) restart() {
	w.service = setup.New(setup.Environment{
		Kube: w.kube, Live: w.kube, Dialer: w.ceph, Clock: w.clock, Random: rand.New(rand.NewSource(1)), Image: w.image,
		Events: func(string) events.EventRecorder { return w.events },
	})
}

// pass runs every controller once for every object. A crash ends it.
func (w *world) pass() error {
	ctx := w.t.Context()
	_, selected := w.service.Selection.Reconcile(ctx, reconcile.Request{})
	failed := []error{selected}
	for _, osd := range w.osds() {
		_, err := w.service.Prepare.Reconcile(ctx, &osd)
		failed = append(failed, err)
	}
	var clusters api.CephClusterList
	w.check(w.kube.List(ctx, &clusters))
	for i := range clusters.Items {
		for _, do := range []func(context.Context, *api.CephCluster) (reconcile.Result, error){
			w.service.Rollout.Reconcile, w.service.Drain.Reconcile, w.service.Report.Reconcile, w.service.Teardown.Reconcile,
		} {
			cluster := &api.CephCluster{}
			if err := w.kube.Get(ctx, client.ObjectKeyFromObject(&clusters.Items[i]), cluster); err != nil {
				continue
			}
			_, err := do(ctx, cluster)
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// settle lets the service and the node act in turns until both rest.
func (w *world) settle() {
	w.t.Helper()
	for range 60 {
		before := w.writes
		if err := w.pass(); err != nil {
			w.t.Fatal(err)
		}
		acted := w.play()
		if w.writes == before && !acted {
			return
		}
	}
	w.t.Fatalf("the service does not come to rest:\n%s", strings.Join(w.last, "\n"))
}

// play is what the node does: run Jobs, start and stop pods. It tells whether
// it did anything.
func (w *world) play() bool {
	w.playing = true
	defer func() { w.playing = false }()
	jobs, deployments := w.runJobs(), w.runDeployments()
	return jobs || deployments
}

func (w *world) runJobs() bool {
	acted := false
	var jobs batchv1.JobList
	w.check(w.kube.List(w.t.Context(), &jobs))
	for i := range jobs.Items {
		if job := &jobs.Items[i]; len(job.Status.Conditions) == 0 {
			w.runJob(job)
			acted = true
		}
	}
	return acted
}

// runJob does what osd-prepare does, and what discover sees afterwards.
func (w *world) runJob(job *batchv1.Job) {
	ctx := w.t.Context()
	args := job.Spec.Template.Spec.Containers[0].Args
	id, err := strconv.Atoi(argument(args, "--osd-id"))
	w.check(err)
	disk := w.diskByID(argument(args, "--stable-id"))
	wiping := args[0] == "wipe"
	result, scripted := w.verdict[disk.Name]
	if !scripted && wiping {
		result = receipt.Receipt{Outcome: receipt.Wiped}
	} else if !scripted {
		result = receipt.Receipt{Outcome: receipt.Prepared, Device: disk.Status.Device}
	}
	result.OSDID, result.OSDUUID = id, argument(args, "--osd-uuid")
	body, err := receipt.Encode(result)
	w.check(err)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: job.Name + "-x", Labels: map[string]string{
			batchv1.JobNameLabel: job.Name, "app": job.Labels["app"], names.LabelPartOf: "test"}},
		Status: corev1.PodStatus{Phase: corev1.PodSucceeded, ContainerStatuses: []corev1.ContainerStatus{{
			Name: args[0], State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: string(body)}}}}},
	}
	w.check(client.IgnoreAlreadyExists(w.kube.Create(ctx, pod)))
	w.check(w.kube.Status().Update(ctx, pod))
	job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.clock.Now())}}
	w.check(w.kube.Status().Update(ctx, job))
	switch result.Outcome {
	case receipt.Prepared:
		w.label(disk, result.OSDUUID, id)
	case receipt.Wiped:
		if disk.Status.OSD.FSID != w.ceph.FSID() {
			w.t.Fatalf("disk %s of another cluster was wiped", disk.Name)
		}
		disk.Status.OSD, disk.Status.Probe = nil, &inventory.DiskProbe{State: inventory.ProbeAvailable, Reason: "Blank"}
		w.check(w.kube.Status().Update(ctx, disk))
	}
}

// label makes discover report the finished OSD on a disk. A disk that holds
// another OSD is a catastrophe.
func (w *world) label(disk *inventory.CephDisk, uuid string, id int) {
	w.t.Helper()
	if old := disk.Status.OSD; old != nil && old.UUID != uuid {
		w.t.Fatalf("disk %s of OSD %s was given to OSD %s", disk.Name, old.UUID, uuid)
	}
	disk.Status.OSD = &inventory.OSDLabel{FSID: w.ceph.FSID(), UUID: uuid, OSDID: ptr.To(int32(id)), Description: "main"}
	disk.Status.Probe = &inventory.DiskProbe{State: inventory.ProbeOSD, Reason: "BlueStoreOSD", Message: "holds an OSD"}
	w.check(w.kube.Status().Update(w.t.Context(), disk))
}

func (w *world) runDeployments() bool {
	acted := false
	var deployments appsv1.DeploymentList
	w.check(w.kube.List(w.t.Context(), &deployments))
	running := map[int]bool{}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		id, err := strconv.Atoi(d.Labels[names.LabelOSDID])
		w.check(err)
		running[id] = true
		// The fake server counts no generations: the template tells a new one.
		template := d.Spec.Template.Spec.String()
		if d.Annotations["seen"] == template {
			continue
		}
		w.ceph.StartOSD(id, startOn(d.Labels["failure-domain"]))
		d.Annotations = map[string]string{"seen": template}
		w.check(w.kube.Update(w.t.Context(), d))
		d.Status = appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1, ObservedGeneration: d.Generation,
			Conditions: w.availability(corev1.ConditionTrue)}
		w.check(w.kube.Status().Update(w.t.Context(), d))
		acted = true
	}
	return acted
}

// startOn is how an OSD of a host starts.
func startOn(host string) cephtest.OSDStart {
	return cephtest.OSDStart{Location: ceph.Location{"root=default", "host=" + host}, Class: "ssd", Weight: 1}
}

func (w *world) osds() []inventory.CephOSD {
	var list inventory.CephOSDList
	w.check(w.kube.List(w.t.Context(), &list))
	return list.Items
}

func (w *world) disks() []inventory.CephDisk {
	var list inventory.CephDiskList
	w.check(w.kube.List(w.t.Context(), &list))
	return list.Items
}

func (w *world) diskByID(stableID string) *inventory.CephDisk {
	w.t.Helper()
	for _, disk := range w.disks() {
		if disk.Status.StableID == stableID {
			return &disk
		}
	}
	w.t.Fatalf("no disk %s", stableID)
	return nil
}

func (w *world) live() *api.CephCluster {
	w.t.Helper()
	cluster := &api.CephCluster{}
	w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: "test"}, cluster))
	return cluster
}

// edit changes the cluster's spec as a user would.
func (w *world) edit(change func(*api.CephCluster)) {
	w.t.Helper()
	w.playing = true
	defer func() { w.playing = false }()
	cluster := w.live()
	change(cluster)
	cluster.Generation++
	w.check(w.kube.Update(w.t.Context(), cluster))
}

func (w *world) condition(typ string) api.Condition {
	w.t.Helper()
	c := api.FindCondition(w.live().Status.Conditions, typ)
	if c == nil {
		w.t.Fatalf("no condition %s", typ)
	}
	return *c
}

// told returns the events so far.
func (w *world) told() []string {
	var list []string
	for {
		select {
		case text := <-w.events.Events:
			list = append(list, text)
		default:
			return list
		}
	}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func argument(args []string, name string) string {
	at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, name+"=") })
	if at < 0 {
		return ""
	}
	return strings.TrimPrefix(args[at], name+"=")
}

// oneOSDPerDisk checks what no crash may break: every disk is one OSD in
// Kubernetes and in Ceph, and all agree about it.
func (w *world) oneOSDPerDisk(disks int) {
	w.t.Helper()
	osds := w.osds()
	if len(osds) != disks || len(w.ceph.OSDIDs()) != disks {
		w.t.Fatalf("%d disks, %d CephOSDs, OSDs %v in Ceph", disks, len(osds), w.ceph.OSDIDs())
	}
	ids := map[int32]bool{}
	for _, osd := range osds {
		disk := w.diskByID(osd.Spec.Disk.StableID)
		if osd.Spec.ID == nil || ids[*osd.Spec.ID] || disk.Status.OSD == nil || disk.Status.OSD.UUID != osd.Spec.UUID {
			w.t.Errorf("CephOSD %s %+v does not agree with its disk %+v", osd.Name, osd.Spec, disk.Status.OSD)
			continue
		}
		ids[*osd.Spec.ID] = true
		user, found := w.ceph.User("osd." + fleet.ID(&osd))
		secret := &corev1.Secret{}
		w.check(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: namespace, Name: fleet.Keyring(&osd)}, secret))
		if !found || string(secret.Data[fleet.Key]) != user.Secret {
			w.t.Errorf("osd.%d: the key in the Secret is not Ceph's", *osd.Spec.ID)
		}
	}
}

// deletePods removes the pods of ended Jobs, as the garbage collector does
// when a Job is deleted.
func (w *world) deletePods() {
	w.playing = true
	defer func() { w.playing = false }()
	w.check(w.kube.DeleteAllOf(w.t.Context(), &corev1.Pod{}, client.InNamespace(namespace)))
}

// templates is the pod template of every Deployment.
func (w *world) templates() string {
	var list appsv1.DeploymentList
	w.check(w.kube.List(w.t.Context(), &list))
	var text strings.Builder
	for _, d := range list.Items {
		fmt.Fprintln(&text, d.Name, d.Spec.Template.Labels, d.Spec.Template.Spec.String())
	}
	return text.String()
}

// protect makes a pool of which no two OSDs may be away at once.
func (w *world) protect() {
	w.t.Helper()
	ctx, conn := w.t.Context(), w.ceph.Client()
	w.check(conn.CrushRuleCreateReplicated(ctx, ceph.CrushRuleSpec{Name: "byosd", Root: "default", FailureDomain: "osd"}))
	w.check(conn.PoolCreate(ctx, ceph.PoolSpec{Name: "p", PGNum: 16, Size: 2, Rule: "byosd"}, ceph.Unconfirmed))
}

// running counts the Deployments with the Ceph image.
func (w *world) running(image string) int {
	var list appsv1.DeploymentList
	w.check(w.kube.List(w.t.Context(), &list))
	count := 0
	for _, d := range list.Items {
		if d.Spec.Template.Spec.Containers[0].Image == image {
			count++
		}
	}
	return count
}

func (w *world) tokenHeld() bool {
	held, err := disruption.Token{Client: w.kube, Service: "osd-manager"}.Held(w.t.Context(), w.live(), w.clock.Now())
	w.check(err)
	return held
}

// mgrs makes mon-manager say which image all mgrs run.
func (w *world) mgrs(image string) {
	w.playing = true
	defer func() { w.playing = false }()
	applier := apply.Applier{Client: w.kube, Manager: api.WriterMgr}
	w.check(applier.Status(w.t.Context(), w.live(), api.ClusterStatus{Daemons: map[string]api.DaemonStatus{api.RoleMgr: {Image: image}}}))
}
