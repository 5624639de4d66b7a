package config

import (
	"encoding/json"
	"fmt"
	"strconv"

	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

// NodeServices returns the services of a node, counted from 1.
func NodeServices(cluster layout.Cluster, node int) []Service {
	kubelet := []string{
		program("kube", "kubelet"),
		"--config=" + setting("kubelet.yaml"),
		"--kubeconfig=" + setting("kubelet.kubeconfig"),
		"--hostname-override=" + layout.Node(node),
		"--node-ip=" + cluster.NodeAddress(node).String(),
		"--housekeeping-interval=30s",
	}
	if cluster.Zones {
		kubelet = append(kubelet, "--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=zone"+strconv.Itoa(node))
	}
	return []Service{
		{Name: "containerd", Args: []string{program("containerd", "containerd"), "--config", setting("containerd.toml"), "--log-level", "warn"}},
		{Name: "kubelet", Args: kubelet},
		{Name: "kube-proxy", Args: []string{program("kube", "kube-proxy"), "--config=" + setting("kube-proxy.yaml")}},
	}
}

// NodeFiles returns the files that a node reads besides certificates and
// kubeconfigs.
func NodeFiles(cluster layout.Cluster, node int) ([]File, error) {
	kubelet, err := yaml.Marshal(kubeletConfig(cluster, node))
	if err != nil {
		return nil, fmt.Errorf("render kubelet configuration: %w", err)
	}
	proxy, err := yaml.Marshal(proxyConfig(cluster, node))
	if err != nil {
		return nil, fmt.Errorf("render kube-proxy configuration: %w", err)
	}
	network, err := json.MarshalIndent(networkConfig(cluster, node), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("render pod network configuration: %w", err)
	}
	return []File{
		{Path: setting("kubelet.yaml"), Content: string(kubelet)},
		{Path: setting("kube-proxy.yaml"), Content: string(proxy)},
		{Path: setting("containerd.toml"), Content: containerd},
		{Path: "/etc/cni/net.d/10-localkube.conflist", Content: string(network) + "\n"},
		{Path: Wrappers + "/losetup", Content: losetup},
	}, nil
}

// losetup makes the node of the loop device that the kernel offers next: the
// numbers are those of the whole host, and the machine's /dev has few of them.
// The kubelet calls it for each volume in block mode.
const losetup = `#!/bin/sh
device=$(/usr/sbin/losetup -f 2>/dev/null)
numbers=$(cat "/sys/block/${device##*/}/dev" 2>/dev/null)
[ -z "$numbers" ] || [ -e "$device" ] || mknod -m 0660 "$device" b "${numbers%:*}" "${numbers#*:}"
exec /usr/sbin/losetup "$@"
`

// containerd never changes oom_score_adj below its own: a machine may lack
// CAP_SYS_RESOURCE, and then no container would start.
const containerd = `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "` + ContainerdSocket + `"

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  image_pull_progress_timeout = "10s"

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "` + PauseImage + `"

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  max_container_log_line_size = 65536

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["` + Plugins + `"]
  conf_dir = "/etc/cni/net.d"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
    SystemdCgroup = false
`

type object = map[string]any

// kubeletConfig is tuned for a busy small machine: no image garbage
// collection, no eviction before the disk is really full, and quick pods.
func kubeletConfig(cluster layout.Cluster, node int) object {
	return object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"authentication": object{
			"anonymous": object{"enabled": false},
			"webhook":   object{"enabled": true},
			"x509":      object{"clientCAFile": setting("ca.crt")},
		},
		"authorization":               object{"mode": "Webhook"},
		"tlsCertFile":                 setting("kubelet.crt"),
		"tlsPrivateKeyFile":           setting("kubelet.key"),
		"cgroupDriver":                "cgroupfs",
		"cgroupRoot":                  cluster.MachineCgroup(layout.Node(node)),
		"clusterDNS":                  []string{cluster.DNSService().String()},
		"clusterDomain":               "cluster.local",
		"containerRuntimeEndpoint":    "unix://" + ContainerdSocket,
		"resolvConf":                  "/etc/resolv.conf",
		"failCgroupV1":                false,
		"failSwapOn":                  false,
		"maxPods":                     250,
		"serializeImagePulls":         false,
		"registryPullQPS":             0,
		"eventRecordQPS":              0,
		"kubeAPIQPS":                  100,
		"kubeAPIBurst":                200,
		"nodeLeaseDurationSeconds":    20,
		"nodeStatusUpdateFrequency":   "5s",
		"syncFrequency":               "15s",
		"fileCheckFrequency":          "1h",
		"imageGCHighThresholdPercent": 100,
		"imageMinimumGCAge":           "24h",
		"evictionHard": object{
			"memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%",
		},
		"volumePluginDir":      "/var/lib/kubelet/volumeplugins",
		"containerLogMaxSize":  "20Mi",
		"containerLogMaxFiles": 3,
		"shutdownGracePeriod":  "0s",
		"logging":              object{"verbosity": 1},
	}
}

// proxyConfig leaves every setting of the kernel that is not the machine's own
// as it is.
func proxyConfig(cluster layout.Cluster, node int) object {
	return object{
		"apiVersion":         "kubeproxy.config.k8s.io/v1alpha1",
		"kind":               "KubeProxyConfiguration",
		"mode":               "nftables",
		"clusterCIDR":        cluster.Pods().String(),
		"hostnameOverride":   layout.Node(node),
		"clientConnection":   object{"kubeconfig": setting("kube-proxy.kubeconfig")},
		"metricsBindAddress": "127.0.0.1:10249",
		"healthzBindAddress": "127.0.0.1:10256",
		"nftables":           object{"minSyncPeriod": "200ms", "syncPeriod": "1h"},
		"conntrack": object{
			"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
		},
	}
}

// networkConfig gives each pod a cable of its own to the node, which routes.
// A bridge between pods would need br_netfilter for Services, which not every
// kernel has. Reservations are kept below /run, so that they end with the
// machine.
func networkConfig(cluster layout.Cluster, node int) object {
	return object{
		"cniVersion": "1.0.0",
		"name":       "localkube",
		"plugins": []object{
			{
				"type": "ptp",
				"ipam": object{
					"type":    "host-local",
					"dataDir": "/run/cni",
					"ranges":  [][]object{{{"subnet": cluster.NodePods(node).String()}}},
					"routes":  []object{{"dst": "0.0.0.0/0"}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}
}
