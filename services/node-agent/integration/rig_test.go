//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/mount-utils"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

const (
	namespace = "rook-ceph"
	poolName  = "replicapool"
	nodeName  = "node1"
	otherNode = "node2"
	// volumeCgroup is where the storage daemons of the tests live.
	volumeCgroup = "rook-ceph-test"
	// patience bounds every wait.
	patience = 60 * time.Second
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// rig is a Ceph cluster, an API server and both services.
type rig struct {
	t *testing.T
	// root is the test that processes live as long as.
	root    *testing.T
	ceph    *real.Cluster
	kube    client.Client
	config  *rest.Config
	dir     string
	secrets map[string]map[string]string
	agent   *exec.Cmd
}

// newRig starts everything. It takes about 20 seconds.
func newRig(t *testing.T) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "csi-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sweep(dir) })
	r := &rig{t: t, root: t, dir: dir, config: testenv.Start(t), kube: testenv.Client(t), secrets: map[string]map[string]string{}}
	r.ceph = real.Start(t, librados.Dialer{}, real.OSDs(2), real.MDSs("m"), real.Setting("global", "osd_pool_default_size", "2"))
	r.makePool()
	r.makeFilesystem()
	r.makeObjects()
	r.build()
	r.run("provisioner", "--csi-socket="+r.controllerSocket(), "--cephfs-csi-socket="+r.shares().controllerSocket(), "--namespaces="+namespace, "--own-namespace="+namespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
	r.startAgent()
	r.awaitSocket(r.controllerSocket())
	r.awaitSocket(r.shares().controllerSocket())
	return r
}

// sweep removes what a failed test left: mounts, storage daemons, files.
func sweep(dir string) {
	mounts, _ := mount.ParseMountInfo("/proc/self/mountinfo")
	for i := len(mounts) - 1; i >= 0; i-- {
		if strings.HasPrefix(mounts[i].MountPoint, dir+"/") {
			_ = syscall.Unmount(mounts[i].MountPoint, syscall.MNT_DETACH)
		}
	}
	records, _ := filepath.Glob(filepath.Join(dir, "kubelet", "plugins", "*", "attached", "*", "attachment.json"))
	for _, file := range records {
		var record struct{ Device string }
		text, _ := os.ReadFile(file)
		if json.Unmarshal(text, &record) == nil && record.Device != "" {
			_ = exec.Command("losetup", "--detach", record.Device).Run()
		}
	}
	// Their cluster is gone, so they would wait for ever to write what they have cached.
	signalDaemons(dir, syscall.SIGKILL)
	_ = os.RemoveAll(dir)
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + volumeCgroup)
	for _, group := range append(groups, "/sys/fs/cgroup/"+volumeCgroup) {
		_ = os.Remove(group)
	}
}

// signalDaemons sends a signal to all storage daemons, and returns the directories of
// their volumes.
func signalDaemons(dir string, signal syscall.Signal) (volumes []string) {
	files, _ := filepath.Glob(filepath.Join(dir, "kubelet", "plugins", "*", "attached", "*", "pid"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 && syscall.Kill(pid, signal) == nil {
			volumes = append(volumes, filepath.Dir(file))
		}
	}
	return volumes
}

func (r *rig) controllerSocket() string { return filepath.Join(r.dir, "controller.sock") }
func (r *rig) kubelet() string          { return filepath.Join(r.dir, "kubelet") }

func (r *rig) nodeSocket() string {
	return filepath.Join(r.kubelet(), "plugins", csi.RBDDriver(namespace), "csi.sock")
}

// makePool makes a pool for RBD, as the pool controller would.
func (r *rig) makePool() {
	r.t.Helper()
	ctx := r.t.Context()
	err := r.ceph.Client().PoolCreate(ctx, ceph.PoolSpec{Name: poolName}, ceph.Unconfirmed)
	if err != nil {
		r.t.Fatal(err)
	}
	r.withPool(func(pool storage.Pool) {
		if err := pool.Init(ctx); err != nil {
			r.t.Fatal(err)
		}
	})
}

// withPool opens the pool as client.admin.
func (r *rig) withPool(do func(storage.Pool)) {
	r.t.Helper()
	cluster, err := librados.Dialer{}.DialStorage(r.t.Context(), r.ceph.Connection(), r.ceph.Admin())
	if err != nil {
		r.t.Fatal(err)
	}
	defer cluster.Close()
	pool, err := cluster.Pool(r.t.Context(), poolName, "")
	if err != nil {
		r.t.Fatal(err)
	}
	defer pool.Close()
	do(pool)
}

// makeObjects makes the cluster, its Secrets and two nodes.
func (r *rig) makeObjects() {
	r.t.Helper()
	r.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	for _, name := range []string{nodeName, otherNode} {
		r.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	cluster := &api.CephCluster{ObjectMeta: metav1.ObjectMeta{Name: "test", Namespace: namespace}}
	cluster.Spec.CephVersion.Image = "ceph"
	cluster.Spec.DataDirHostPath = "/var/lib/rook"
	r.create(cluster)
	connection := r.ceph.Connection()
	cluster.Status.Connection = &connection
	if err := r.kube.Status().Update(r.t.Context(), cluster); err != nil {
		r.t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"csi-rbd-provisioner": csi.RBDProvisionerSecret, "csi-rbd-node": csi.RBDNodeSecret,
		"csi-cephfs-provisioner": csi.CephFSProvisionerSecret, "csi-cephfs-node": csi.CephFSNodeSecret,
	} {
		identity := keyring.CSI()[name]
		user, err := r.ceph.Client().AuthGetOrCreate(r.t.Context(), identity.Entity, identity.Caps)
		if err != nil {
			r.t.Fatal(err)
		}
		data := map[string]string{csi.SecretUserID: name, csi.SecretUserKey: user.Key().Secret}
		r.secrets[secret] = data
		r.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secret, Namespace: namespace}, StringData: data})
	}
}

func (r *rig) create(object client.Object) {
	r.t.Helper()
	if err := r.kube.Create(r.t.Context(), object); err != nil {
		r.t.Fatalf("create %T %s: %v", object, object.GetName(), err)
	}
}

// build compiles both services as images carry them.
func (r *rig) build() {
	r.t.Helper()
	for _, service := range []string{"provisioner", "node-agent"} {
		cmd := exec.CommandContext(r.t.Context(), "go", "build", "-tags="+tags(), "-o", filepath.Join(r.dir, service), ".")
		cmd.Dir = filepath.Join("..", "..", service)
		if output, err := cmd.CombinedOutput(); err != nil {
			r.t.Fatalf("build %s: %v\n%s", service, err, output)
		}
	}
}

// tags are those that this test was built with.
func tags() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "-tags" {
			return setting.Value
		}
	}
	return ""
}

// run starts a service until the test ends and returns its process.
func (r *rig) run(service string, args ...string) *exec.Cmd {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, service+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(r.dir, service), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.root.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if r.root.Failed() {
			text, _ := os.ReadFile(log.Name())
			r.root.Logf("%s:\n%s", service, text)
		}
	})
	return cmd
}

func (r *rig) startAgent() {
	r.t.Helper()
	r.agent = r.run("node-agent", "--node-name="+nodeName, "--kubelet-dir="+r.kubelet(), "--key-dir="+filepath.Join(r.dir, "keys"),
		"--host-cgroups=/sys/fs/cgroup", "--volume-cgroup="+volumeCgroup, "--namespaces="+namespace, "--own-namespace="+namespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
	r.awaitSocket(r.nodeSocket())
	r.awaitSocket(r.shares().nodeSocket())
}

// killAgent ends the node service without warning.
func (r *rig) killAgent() {
	r.t.Helper()
	if err := r.agent.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	_ = r.agent.Wait()
	for _, socket := range []string{r.nodeSocket(), r.shares().nodeSocket()} {
		if err := os.Remove(socket); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) awaitSocket(path string) {
	r.t.Helper()
	r.await("socket "+path, func() error {
		_, err := os.Stat(path)
		return err
	})
}

// await polls until check passes.
func (r *rig) await(what string, check func() error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			r.t.Fatalf("wait for %s: %v", what, err)
		case <-tick.C:
		}
	}
}

func (r *rig) kubeconfig() string {
	path := filepath.Join(r.dir, "kubeconfig")
	ca, err := os.ReadFile(r.config.CAFile)
	if err != nil {
		r.t.Fatal(err)
	}
	if block, _ := pem.Decode(ca); block == nil {
		r.t.Fatal("the API server has no certificate")
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: r.config.Host, CertificateAuthorityData: ca}
	config.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: r.config.BearerToken}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// dial connects to a CSI socket.
func (r *rig) dial(path string) *grpc.ClientConn {
	r.t.Helper()
	conn, err := grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (r *rig) controller() csipb.ControllerClient {
	return csipb.NewControllerClient(r.dial(r.controllerSocket()))
}

func (r *rig) node() csipb.NodeClient { return csipb.NewNodeClient(r.dial(r.nodeSocket())) }

func (r *rig) parameters() map[string]string {
	return map[string]string{csi.ParamClusterID: namespace, csi.ParamPool: poolName, csi.ParamImageFeatures: "layering"}
}

// makeVolume makes a volume through the controller.
func (r *rig) makeVolume(name string, capability *csipb.VolumeCapability) *csipb.Volume {
	r.t.Helper()
	const size = 512 << 20
	response, err := r.controller().CreateVolume(r.t.Context(), &csipb.CreateVolumeRequest{
		Name: name, Parameters: r.parameters(), Secrets: r.secrets[csi.RBDProvisionerSecret],
		CapacityRange:      &csipb.CapacityRange{RequiredBytes: size},
		VolumeCapabilities: []*csipb.VolumeCapability{capability},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return response.GetVolume()
}

func mounted(fsType string) *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Mount{Mount: &csipb.VolumeCapability_MountVolume{FsType: fsType}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}

func block() *csipb.VolumeCapability {
	return &csipb.VolumeCapability{
		AccessType: &csipb.VolumeCapability_Block{Block: &csipb.VolumeCapability_BlockVolume{}},
		AccessMode: &csipb.VolumeCapability_AccessMode{Mode: csipb.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}

// paths are where a test stages and publishes a volume.
func (r *rig) paths(name string) (staging, target string) {
	r.t.Helper()
	staging = filepath.Join(r.kubelet(), "staging", name)
	target = filepath.Join(r.kubelet(), "pods", name, "mount")
	for _, dir := range []string{staging, filepath.Dir(target)} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			r.t.Fatal(err)
		}
	}
	return staging, target
}

// attach stages and publishes a volume and returns how to undo it.
func (r *rig) attach(volume *csipb.Volume, capability *csipb.VolumeCapability, name string) (target string, detach func()) {
	r.t.Helper()
	staging, target := r.paths(name)
	ctx := r.t.Context()
	_, err := r.node().NodeStageVolume(ctx, &csipb.NodeStageVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, VolumeCapability: capability,
		VolumeContext: volume.GetVolumeContext(), Secrets: r.secrets[csi.RBDNodeSecret],
	})
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = r.node().NodePublishVolume(ctx, &csipb.NodePublishVolumeRequest{
		VolumeId: volume.GetVolumeId(), StagingTargetPath: staging, TargetPath: target, VolumeCapability: capability,
		VolumeContext: volume.GetVolumeContext(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return target, func() {
		r.t.Helper()
		_, err := r.node().NodeUnpublishVolume(ctx, &csipb.NodeUnpublishVolumeRequest{VolumeId: volume.GetVolumeId(), TargetPath: target})
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = r.node().NodeUnstageVolume(ctx, &csipb.NodeUnstageVolumeRequest{VolumeId: volume.GetVolumeId(), StagingTargetPath: staging})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

func say(format string, args ...any) error { return fmt.Errorf(format, args...) }
