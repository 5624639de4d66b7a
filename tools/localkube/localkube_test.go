//go:build localkube

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/image"
)

const clusterName = "localkube-test"

// TestALocalClusterWorksAndLeavesNothing takes one cluster through its life.
// It needs root, and minutes when Kubernetes has not been built yet.
func TestALocalClusterWorksAndLeavesNothing(t *testing.T) {
	c := newTestCluster(t)
	before := observe(t)
	c.must("up", "--nodes", "2", "--disks", "1", "--disk-size", "128Mi")
	t.Run("a second up changes nothing and is quick", c.secondUp)
	t.Run("a pod of a local image serves by name on both nodes", c.serves)
	t.Run("logs and exec work", c.logsAndExec)
	t.Run("a node sees its own disks only", c.ownDisks)
	t.Run("a disk can be added and pulled", c.hotPlug)
	t.Run("a killed node comes back", c.killNode)
	t.Run("a killed control plane comes back", c.killControl)
	c.leaveTraces()
	c.must("down")
	if diff := cmp.Diff(before, observe(t)); diff != "" {
		t.Errorf("down left something behind (-before +after):\n%s", diff)
	}
	c.must("down")
}

// TestDownCleansUpAfterACrash removes a cluster whose description is lost and
// whose machines were killed.
func TestDownCleansUpAfterACrash(t *testing.T) {
	c := newTestCluster(t)
	before := observe(t)
	c.must("up", "--nodes", "1", "--disks", "2", "--disk-size", "128Mi")
	for _, machine := range []string{"control", "node1"} {
		c.kill(machine)
	}
	if err := os.Remove(filepath.Join(c.state(), "cluster.json")); err != nil {
		t.Fatal(err)
	}
	c.must("down")
	if diff := cmp.Diff(before, observe(t)); diff != "" {
		t.Errorf("down left something behind (-before +after):\n%s", diff)
	}
}

type testCluster struct {
	t        *testing.T
	binary   string
	root     string
	kube     string
	probe    string
	kubectls string
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test needs root")
	}
	directory := t.TempDir()
	c := &testCluster{
		t: t, binary: filepath.Join(directory, "localkube"), root: "/var/lib/rook-ceph-local",
		kube: filepath.Join(directory, "config", "kubeconfig"), probe: filepath.Join(directory, "probe-image"),
		kubectls: filepath.Join("..", "..", "bin", "kubectl"),
	}
	c.run("go", "build", "-o", c.binary, ".")
	program := filepath.Join(directory, "probe")
	build := exec.Command("go", "build", "-o", program, "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the probe: %v: %s", err, said)
	}
	if err := image.Make(c.probe, "localhost/localkube/probe:1", program); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.must("down") })
	return c
}

func (c *testCluster) state() string { return filepath.Join(c.root, clusterName) }

func (c *testCluster) run(name string, arguments ...string) string {
	c.t.Helper()
	said, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %s: %v: %s", filepath.Base(name), strings.Join(arguments, " "), err, said)
	}
	return string(said)
}

// must runs one localkube command on the test's cluster.
func (c *testCluster) must(command string, arguments ...string) string {
	c.t.Helper()
	return c.run(c.binary, append([]string{command, "--name", clusterName, "--state-root", c.root, "--kubeconfig", c.kube}, arguments...)...)
}

func (c *testCluster) kubectl(arguments ...string) string {
	c.t.Helper()
	return c.run(c.kubectls, append([]string{"--kubeconfig", c.kube}, arguments...)...)
}

func (c *testCluster) up() string {
	c.t.Helper()
	return c.must("up", "--nodes", "2", "--disks", "1", "--disk-size", "128Mi")
}

func (c *testCluster) secondUp(t *testing.T) {
	began := time.Now()
	if said := c.up(); !strings.Contains(said, "runs already") {
		t.Errorf("a second up says %q", said)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a second up took %s, want at most 5 s", took)
	}
}

const probeManifest = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: probe}
spec:
  selector: {matchLabels: {app: probe}}
  template:
    metadata: {labels: {app: probe}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: probe
        image: localhost/localkube/probe:1
        imagePullPolicy: Never
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: probe}
spec: {selector: {app: probe}, ports: [{port: 80, targetPort: 8080}]}
`

func (c *testCluster) serves(t *testing.T) {
	if said := c.must("load", c.probe); !strings.Contains(said, "into 2 nodes") {
		t.Errorf("load says %q", said)
	}
	if said := c.must("load", c.probe); !strings.Contains(said, "already there") {
		t.Errorf("a second load says %q", said)
	}
	apply := exec.Command(c.kubectls, "--kubeconfig", c.kube, "apply", "-f", "-")
	apply.Stdin = strings.NewReader(probeManifest)
	if said, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v: %s", err, said)
	}
	c.kubectl("rollout", "status", "daemonset/probe", "--timeout=60s")
	for _, pod := range c.pods() {
		if got := c.kubectl("exec", pod, "--", "/probe", "get", "http://probe.default.svc.cluster.local"); got != "greetings from the probe" {
			t.Errorf("%s gets %q by name", pod, got)
		}
	}
	for _, address := range strings.Fields(c.kubectl("get", "pods", "-l", "app=probe", "-o", "jsonpath={.items[*].status.podIP}")) {
		response, err := (&http.Client{Timeout: 3 * time.Second}).Get("http://" + address + ":8080/")
		if err != nil {
			t.Errorf("reach pod %s from the host: %v", address, err)
			continue
		}
		got, err := io.ReadAll(response.Body)
		if closeErr := response.Body.Close(); err != nil || closeErr != nil || string(got) != "greetings from the probe" {
			t.Errorf("pod %s says %q, %v", address, got, err)
		}
	}
}

func (c *testCluster) pods() []string {
	c.t.Helper()
	pods := strings.Fields(c.kubectl("get", "pods", "-l", "app=probe", "-o", "name"))
	if len(pods) != 2 {
		c.t.Fatalf("pods = %v, want one on each of 2 nodes", pods)
	}
	return pods
}

func (c *testCluster) logsAndExec(t *testing.T) {
	for _, pod := range c.pods() {
		if got := c.kubectl("logs", pod); got != "serving\n" {
			t.Errorf("logs of %s = %q", pod, got)
		}
		if got := c.kubectl("exec", pod, "--", "/probe", "get", "http://127.0.0.1:8080"); got != "greetings from the probe" {
			t.Errorf("exec in %s = %q", pod, got)
		}
	}
}

// disks returns the loop devices with a file behind them that a node sees.
func (c *testCluster) disks(node string) []string {
	c.t.Helper()
	var disks []string
	for _, name := range strings.Fields(c.must("exec", "--node", node, "--", "ls", "/dev")) {
		if _, err := os.Stat("/sys/block/" + name + "/loop"); err == nil {
			disks = append(disks, name)
		}
	}
	return disks
}

func (c *testCluster) ownDisks(t *testing.T) {
	one, two := c.disks("node1"), c.disks("node2")
	if len(one) != 1 || len(two) != 1 || one[0] == two[0] {
		t.Errorf("node1 sees %v and node2 sees %v, want one disk each", one, two)
	}
	if said := c.must("exec", "--node", "node1", "--", "ls", "/dev"); strings.Contains(said, "vda") || strings.Contains(said, "sda") {
		t.Errorf("node1 sees disks of the host: %s", said)
	}
}

func (c *testCluster) hotPlug(t *testing.T) {
	added := strings.TrimSpace(c.must("add-disk", "--node", "node2"))
	if got := c.disks("node2"); !slices.Contains(got, filepath.Base(added)) || len(got) != 2 {
		t.Errorf("node2 sees %v after adding %s", got, added)
	}
	c.must("remove-disk", "--node", "node2", added)
	if got := c.disks("node2"); slices.Contains(got, filepath.Base(added)) {
		t.Errorf("node2 sees %v after pulling %s", got, added)
	}
}

func (c *testCluster) killNode(t *testing.T) {
	c.must("kill-node", "--node", "node2")
	if status, err := exec.Command(c.binary, "status", "--name", clusterName, "--state-root", c.root).CombinedOutput(); !strings.Contains(string(status), "stopped") {
		t.Errorf("status of a killed node: %v: %s", err, status)
	}
	c.up()
	c.kubectl("rollout", "status", "daemonset/probe", "--timeout=60s")
	if status := c.must("status"); strings.Contains(status, "stopped") {
		t.Errorf("status after repair: %s", status)
	}
}

func (c *testCluster) kill(machine string) {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.state(), "machines", machine, "pid.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(string(content), `{"pid":%d`, &pid); err != nil {
		c.t.Fatal(err)
	}
	c.run("kill", "-KILL", strconv.Itoa(pid))
}

func (c *testCluster) killControl(t *testing.T) {
	uid := c.kubectl("get", "service", "probe", "-o", "jsonpath={.metadata.uid}")
	c.kill("control")
	c.up()
	if got := c.kubectl("get", "service", "probe", "-o", "jsonpath={.metadata.uid}"); got != uid {
		t.Errorf("the Service has another identity after the control plane came back: %s, was %s", got, uid)
	}
}

// leaveTraces does on a node what volumes do: a loop device on a file below
// the kubelet's directory, mounted, with a process on it.
func (c *testCluster) leaveTraces() {
	c.t.Helper()
	c.must("exec", "--node", "node1", "--", "sh", "-c", `
		set -e
		loop=$(ls /dev/loop[0-9]* | tail -1)
		mkdir -p /var/lib/kubelet/trace /mnt/trace
		truncate -s 64M /var/lib/kubelet/trace/volume
		losetup $loop /var/lib/kubelet/trace/volume
		mkfs.ext4 -q $loop
		mount $loop /mnt/trace
		cd /mnt/trace
		setsid sleep 1000 </dev/null >/dev/null 2>&1 &
	`)
}

// traces are what a cluster could leave on its host.
type traces struct {
	Mounts, Loops, Links, Cgroups, Processes, Files, Limits []string
}

func observe(t *testing.T) traces {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	found := traces{Mounts: strings.Split(string(mounts), "\n")}
	found.Loops = list(t, "/sys/block/loop*")
	found.Links = list(t, "/sys/class/net/*")
	found.Cgroups = list(t, "/sys/fs/cgroup/*"+clusterName+"*", "/sys/fs/cgroup/*/*"+clusterName+"*")
	found.Files = list(t, "/var/lib/rook-ceph-local/"+clusterName, "/var/lib/kubelet", "/var/lib/cni", "/etc/cni", "/run/containerd", "/run/netns/*")
	found.Limits = []string{read(t, "/proc/sys/vm/overcommit_memory"), read(t, "/proc/sys/kernel/panic"), read(t, "/proc/sys/net/ipv4/ip_forward")}
	for _, directory := range list(t, "/proc/[0-9]*") {
		line, err := os.ReadFile(filepath.Join(directory, "cmdline"))
		if err == nil && bytes.Contains(line, []byte(clusterName)) && !bytes.Contains(line, []byte(".test")) {
			found.Processes = append(found.Processes, string(line))
		}
	}
	return found
}

func list(t *testing.T, patterns ...string) []string {
	t.Helper()
	var found []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, matches...)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
