package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/pki"
)

const (
	authorityName  = "ca"
	frontAuthority = "front-proxy-ca"
)

// subjects returns whom the cluster's authority signs for, by file name.
func subjects(cluster layout.Cluster) map[string]pki.Subject {
	subjects := map[string]pki.Subject{
		"admin":                    {Name: "localkube-admin", Groups: []string{"system:masters"}},
		"apiserver-kubelet-client": {Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		"controller-manager":       {Name: "system:kube-controller-manager"},
		"scheduler":                {Name: "system:kube-scheduler"},
		"kube-proxy":               {Name: "system:kube-proxy"},
		"snapshot-controller":      {Name: "localkube-snapshot-controller", Groups: []string{"system:masters"}},
		"apiserver": {
			Name: "kube-apiserver",
			Hosts: []string{
				"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
			},
			Addresses: []netip.Addr{
				cluster.ControlAddress(), cluster.KubernetesService(), netip.AddrFrom4([4]byte{127, 0, 0, 1}),
			},
		},
	}
	for number := 1; number <= cluster.Nodes; number++ {
		name := layout.Node(number)
		subjects[name] = pki.Subject{
			Name: "system:node:" + name, Groups: []string{"system:nodes"},
			Hosts: []string{name}, Addresses: []netip.Addr{cluster.NodeAddress(number)},
		}
	}
	return subjects
}

// issue makes every certificate and key of the cluster that is missing.
func (r *run) issue() error {
	authority, err := pki.OpenAuthority(r.cluster.PKI(), authorityName, r.Clock())
	if err != nil {
		return err
	}
	for file, subject := range subjects(r.cluster) {
		if err := authority.Issue(file, subject); err != nil {
			return err
		}
	}
	front, err := pki.OpenAuthority(r.cluster.PKI(), frontAuthority, r.Clock())
	if err != nil {
		return err
	}
	return errors.Join(
		front.Issue("front-proxy-client", pki.Subject{Name: "front-proxy-client"}),
		pki.SigningKey(r.cluster.PKI(), "service-account"),
	)
}

// kubeconfig renders the kubeconfig of one subject.
func (r *run) kubeconfig(name, subject string) (string, error) {
	var identity config.Identity
	for file, target := range map[string]*[]byte{
		authorityName + ".crt": &identity.Authority, subject + ".crt": &identity.Certificate, subject + ".key": &identity.Key,
	} {
		content, err := os.ReadFile(filepath.Join(r.cluster.PKI(), file))
		if err != nil {
			return "", fmt.Errorf("read identity %s: %w", subject, err)
		}
		*target = content
	}
	return config.Kubeconfig(name, r.cluster.Server(), identity)
}

// writeKubeconfig writes the administrator's kubeconfig for people.
func (r *run) writeKubeconfig() error {
	name := "localkube"
	if r.cluster.Name != "default" {
		name += "-" + r.cluster.Name
	}
	content, err := r.kubeconfig(name, "admin")
	if err != nil {
		return err
	}
	return writeFile(r.cluster.Kubeconfig, content, 0o600)
}
