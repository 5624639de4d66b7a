package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/tools/local"
	"github.com/rook-ceph/rook-ceph/tools/release"
)

const (
	namespace = "rook-ceph"
	// look is the time between two looks; it bounds the resolution of a figure.
	look = 50 * time.Millisecond
)

// services are our programs, each with its memory budget in MiB: leaders and
// agents, then standbys.
var services = []struct {
	name            string
	leader, standby int64
}{
	{"mon-manager", 30, 20}, {"osd-manager", 30, 20}, {"mds-manager", 30, 20}, {"rgw-manager", 30, 20}, {"provisioner", 30, 20}, {"node-agent", 30, 0}, {"discover", 30, 0},
}

// ofServices selects the pods of our services.
var ofServices = client.MatchingLabels{"app.kubernetes.io/instance": "rook-ceph"}

// bench carries what the measurements share.
type bench struct {
	config   *rest.Config
	set      *kubernetes.Clientset
	kube     client.Client
	helm     release.Helm
	charts   string
	settings local.Settings
	auditLog string
	out      io.Writer
	figures  figures
}

func run(c *cli.Context) error {
	kubeconfig := c.String("kubeconfig")
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 200, 400
	if err := errors.Join(api.AddToScheme(scheme.Scheme), objectbucket.AddToScheme(scheme.Scheme)); err != nil {
		return fmt.Errorf("register kinds: %w", err)
	}
	kube, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	b := &bench{
		config: config, set: set, kube: kube, helm: release.Helm{Kubeconfig: kubeconfig}, charts: c.String("charts"), auditLog: c.String("audit-log"), out: c.App.Writer,
		settings: local.Settings{Namespace: namespace, Registry: "localhost", Tag: "dev", CephTag: c.String("ceph-tag"), Nodes: 1},
	}
	for _, part := range []struct {
		title   string
		measure func(context.Context) error
	}{
		{"bootstrap", b.bootstrap},
		{"filesystem", b.filesystem},
		{"claims of block volumes", func(ctx context.Context) error { return b.claims(ctx, "RBD", local.StorageClass, c.Int("claims")) }},
		{"claims of shared volumes", func(ctx context.Context) error { return b.claims(ctx, "CephFS", local.Filesystem, c.Int("claims")) }},
		{"object store", b.objectStore},
		{"bucket claims", func(ctx context.Context) error { return b.buckets(ctx, c.Int("claims")) }},
		{"users of object stores", func(ctx context.Context) error { return b.users(ctx, c.Int("users")) }},
		{"idle", func(ctx context.Context) error { return b.idle(ctx, c.Duration("idle")) }},
	} {
		fmt.Fprintf(b.out, "measuring %s\n", part.title)
		if err := part.measure(c.Context); err != nil {
			return fmt.Errorf("measure %s: %w", part.title, err)
		}
	}
	return b.figures.print(b.out)
}

// bootstrap times a CephCluster from its creation to HEALTH_OK. The services
// run already, and the images are on the node.
func (b *bench) bootstrap(ctx context.Context) error {
	values := b.settings.ServiceValues()
	for _, service := range services {
		// The bench reads their metrics through the API server, which passes no token on.
		if of, ok := values[service.name].(map[string]any); ok {
			of["extraArgs"] = []any{"--metrics-auth=false"}
		}
	}
	if err := b.chart(ctx, "rook-ceph", values); err != nil {
		return err
	}
	if err := b.await(ctx, 3*time.Minute, b.servicesReady); err != nil {
		return fmt.Errorf("services are not ready: %w", err)
	}
	cluster := b.settings.ClusterValues()
	cluster["cephFileSystems"], cluster["cephObjectStores"] = []any{}, []any{} // timed by themselves
	began := time.Now()
	if err := b.chart(ctx, "rook-ceph-cluster", cluster); err != nil {
		return err
	}
	if err := b.await(ctx, 5*time.Minute, b.clusterHealthy); err != nil {
		return fmt.Errorf("cluster is not healthy: %w", err)
	}
	b.figures.add("CephCluster applied -> HEALTH_OK (3 mons, 2 mgrs, 3 OSDs)", "<= 40 s", "%.1f s", time.Since(began).Seconds())
	return nil
}

// filesystem times a CephFilesystem from its creation to Ready, with one active
// metadata server and one standby.
func (b *bench) filesystem(ctx context.Context) error {
	began := time.Now()
	cluster := b.settings.ClusterValues()
	cluster["cephObjectStores"] = []any{}
	if err := b.chart(ctx, "rook-ceph-cluster", cluster); err != nil {
		return err
	}
	if err := b.await(ctx, 3*time.Minute, b.filesystemReady); err != nil {
		return fmt.Errorf("file system is not ready: %w", err)
	}
	b.figures.add("CephFilesystem applied -> Ready", "", "%.1f s", time.Since(began).Seconds())
	// The pools and the standby change the cluster for some seconds more.
	if err := b.await(ctx, 3*time.Minute, b.clusterHealthy); err != nil {
		return fmt.Errorf("cluster is not healthy: %w", err)
	}
	return nil
}

// claims times claims of a StorageClass from their creation to Bound, one after
// the other.
func (b *bench) claims(ctx context.Context, kind, class string, count int) error {
	var times []time.Duration
	for i := range count {
		claim := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bench-%s-%d", class, i), Namespace: metav1.NamespaceDefault},
			Spec: corev1.PersistentVolumeClaimSpec{
				StorageClassName: ptr.To(class),
				AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		}
		began := time.Now()
		if err := b.kube.Create(ctx, claim); err != nil {
			return fmt.Errorf("create claim: %w", err)
		}
		err := b.await(ctx, time.Minute, func(ctx context.Context) (bool, error) {
			err := b.kube.Get(ctx, client.ObjectKeyFromObject(claim), claim)
			return claim.Status.Phase == corev1.ClaimBound, err
		})
		if err != nil {
			return fmt.Errorf("claim %s is not bound: %w", claim.Name, err)
		}
		times = append(times, time.Since(began))
		if err := b.kube.Delete(ctx, claim); err != nil {
			return fmt.Errorf("delete claim: %w", err)
		}
	}
	b.figures.add(kind+" PVC created -> Bound, p50", "<= 300 ms", "%d ms", percentile(times, 0.5).Milliseconds())
	b.figures.add(kind+" PVC created -> Bound, p99", "<= 1000 ms", "%d ms", percentile(times, 0.99).Milliseconds())
	return nil
}

// idle watches the settled cluster: memory, processor time, writes.
func (b *bench) idle(ctx context.Context, length time.Duration) error {
	if err := b.await(ctx, 2*time.Minute, b.volumesGone); err != nil {
		return fmt.Errorf("volumes are not gone: %w", err)
	}
	before, err := allProcesses()
	if err != nil {
		return err
	}
	sent, err := b.sentCommands(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := allProcesses()
	if err != nil {
		return err
	}
	length = time.Since(began)
	b.addProcesses(before, after, length)
	all, err := b.sentCommands(ctx)
	if err != nil {
		return err
	}
	b.figures.add("Ceph commands of all services", "", "%.0f per hour", float64(all.sent-sent.sent)/length.Hours())
	if err := b.addWrites(began, length); err != nil {
		return err
	}
	return b.addReads(ctx, all)
}

func allProcesses() (map[string][]process, error) {
	all := map[string][]process{}
	for _, service := range services {
		list, err := processesOf(service.name)
		if err != nil {
			return nil, err
		}
		all[service.name] = list
	}
	return all, nil
}

// addProcesses reports memory per process and processor time per service.
func (b *bench) addProcesses(before, after map[string][]process, length time.Duration) {
	hours, total, memory, own := length.Hours(), time.Duration(0), int64(0), int64(0)
	for _, service := range services {
		used := map[int]time.Duration{}
		for _, p := range before[service.name] {
			used[p.pid] = p.cpu
		}
		cpu := time.Duration(0)
		var sizes []string
		for _, p := range after[service.name] {
			cpu += p.cpu - used[p.pid]
			memory += p.pss
			own += p.own
			sizes = append(sizes, fmt.Sprintf("%.1f (%.1f)", float64(p.pss)/(1<<20), float64(p.own)/(1<<20)))
		}
		total += cpu
		budget := fmt.Sprintf("<= %d MiB", service.leader)
		if service.standby > 0 {
			budget = fmt.Sprintf("<= %d MiB leader, %d MiB standby", service.leader, service.standby)
		}
		b.figures.add("PSS (allocated) of "+service.name, budget, "%s MiB", strings.Join(sizes, " + "))
		b.figures.add("CPU of "+service.name, "", "%.1f s per hour", cpu.Seconds()/hours)
	}
	b.figures.add("PSS of all services", "<= 250 MiB with 2 replicas", "%.1f MiB", float64(memory)/(1<<20))
	b.figures.add("  of which allocated, not pages of programs", "", "%.1f MiB", float64(own)/(1<<20))
	b.figures.add("CPU of all services", "<= 30 s per hour", "%.1f s per hour", total.Seconds()/hours)
}

// addWrites counts what our services wrote, from the API server's audit log.
func (b *bench) addWrites(since time.Time, length time.Duration) error {
	if b.auditLog == "" {
		b.figures.add("API writes besides Leases", "0 per hour", "not measured (no audit log)")
		return nil
	}
	file, err := os.Open(filepath.Clean(b.auditLog))
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	defer file.Close()
	writes, err := countWrites(file, since)
	if err != nil {
		return err
	}
	b.figures.add("API writes besides Leases", "0 per hour", "%.0f per hour", float64(writes)/length.Hours())
	return nil
}

// countWrites counts the writes of our service accounts since a time, Leases
// and the reviews behind a metrics request left out.
func countWrites(log io.Reader, since time.Time) (int, error) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	writes := 0
	for lines.Scan() {
		var event struct {
			User      struct{ Username string }
			ObjectRef struct{ Resource string }
			Verb      string
			Time      time.Time `json:"requestReceivedTimestamp"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return 0, fmt.Errorf("parse audit log: %w", err)
		}
		ours := strings.HasPrefix(event.User.Username, "system:serviceaccount:"+namespace+":")
		switch event.ObjectRef.Resource {
		case "leases", "tokenreviews", "subjectaccessreviews":
			continue
		}
		if ours && event.Time.After(since) {
			writes++
		}
	}
	return writes, lines.Err()
}

func (b *bench) chart(ctx context.Context, name string, values map[string]any) error {
	_, err := b.helm.Apply(ctx, release.Release{Name: name, Namespace: namespace, Chart: filepath.Join(b.charts, name), Values: values})
	return err
}

func (b *bench) await(ctx context.Context, within time.Duration, check func(context.Context) (bool, error)) error {
	return wait.PollUntilContextTimeout(ctx, look, within, true, check)
}

func (b *bench) servicesReady(ctx context.Context) (bool, error) {
	pods := corev1.PodList{}
	err := b.kube.List(ctx, &pods, client.InNamespace(namespace), ofServices)
	if err != nil {
		return false, err
	}
	for _, pod := range pods.Items {
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready {
				return false, nil
			}
		}
	}
	return len(pods.Items) >= 2*5+2, nil
}

func (b *bench) clusterHealthy(ctx context.Context) (bool, error) {
	cluster := api.CephCluster{}
	if err := b.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: namespace}, &cluster); err != nil {
		return false, err
	}
	return cluster.Status.Phase == api.PhaseReady && cluster.Status.CephStatus != nil && cluster.Status.CephStatus.Health == "HEALTH_OK", nil
}

func (b *bench) filesystemReady(ctx context.Context) (bool, error) {
	filesystem := api.CephFilesystem{}
	if err := b.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: local.Filesystem}, &filesystem); err != nil {
		return false, err
	}
	return filesystem.Status != nil && filesystem.Status.Phase == api.PhaseReady, nil
}

func (b *bench) volumesGone(ctx context.Context) (bool, error) {
	volumes := corev1.PersistentVolumeList{}
	err := b.kube.List(ctx, &volumes)
	return len(volumes.Items) == 0, err
}
