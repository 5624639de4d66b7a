package config

import (
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

// Names of the images of a cluster's own pods.
const (
	PauseImage   = "localhost/localkube/pause:1"
	CoreDNSImage = "localhost/localkube/coredns:1.13.1"
)

// ControlServices returns the services of the control plane's machine.
func ControlServices(cluster layout.Cluster) []Service {
	return []Service{
		{Name: "etcd", Args: etcd()},
		{Name: "kube-apiserver", Args: apiServer(cluster)},
		{Name: "kube-controller-manager", Args: controllerManager(cluster)},
		{Name: "kube-scheduler", Args: []string{
			program("kube", "kube-scheduler"),
			"--kubeconfig=" + setting("scheduler.kubeconfig"),
			"--leader-elect=false",
			"--bind-address=127.0.0.1",
			"--profiling=false",
		}},
		{Name: "snapshot-controller", Args: []string{
			program("snapshot-controller", "snapshot-controller"),
			"--kubeconfig=" + setting("snapshot-controller.kubeconfig"),
			"--kube-api-qps=100",
			"--kube-api-burst=200",
		}},
	}
}

// ControlFiles returns the files that the control plane reads besides
// certificates and kubeconfigs.
func ControlFiles() []File {
	return []File{{Path: setting("audit-policy.yaml"), Content: auditPolicy}}
}

// AuditLog is where the API server notes every write when auditing is on.
const AuditLog = Logs + "/audit.log"

// auditPolicy notes each write once, when it is answered, without its body.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

func etcd() []string {
	const client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	return []string{
		program("etcd", "etcd"),
		"--name=control",
		"--data-dir=/var/lib/etcd",
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=control=" + peer,
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiServer(cluster layout.Cluster) []string {
	arguments := []string{
		program("kube", "kube-apiserver"),
		"--advertise-address=" + cluster.ControlAddress().String(),
		"--secure-port=6443",
		"--etcd-servers=http://127.0.0.1:2379",
		"--service-cluster-ip-range=" + cluster.Services().String(),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--enable-aggregator-routing=true",
		"--profiling=false",
		"--client-ca-file=" + setting("ca.crt"),
		"--tls-cert-file=" + setting("apiserver.crt"),
		"--tls-private-key-file=" + setting("apiserver.key"),
		"--kubelet-certificate-authority=" + setting("ca.crt"),
		"--kubelet-client-certificate=" + setting("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + setting("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + setting("service-account.pub"),
		"--service-account-signing-key-file=" + setting("service-account.key"),
		"--requestheader-client-ca-file=" + setting("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + setting("front-proxy-client.crt"),
		"--proxy-client-key-file=" + setting("front-proxy-client.key"),
	}
	if cluster.Audit {
		arguments = append(arguments, "--audit-policy-file="+setting("audit-policy.yaml"), "--audit-log-path="+AuditLog,
			"--audit-log-maxsize=200", "--audit-log-maxbackup=2")
	}
	return arguments
}

// controllerManager notices a lost node after 20 s, four leases of the
// kubelet, in place of the usual 40 s or more.
func controllerManager(cluster layout.Cluster) []string {
	return []string{
		program("kube", "kube-controller-manager"),
		"--kubeconfig=" + setting("controller-manager.kubeconfig"),
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		"--profiling=false",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + setting("service-account.key"),
		"--root-ca-file=" + setting("ca.crt"),
		"--cluster-signing-cert-file=" + setting("ca.crt"),
		"--cluster-signing-key-file=" + setting("ca.key"),
		"--service-cluster-ip-range=" + cluster.Services().String(),
		"--node-monitor-grace-period=20s",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}
}
