package config

import (
	_ "embed" // the manifest of the cluster's DNS
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

//go:embed coredns.yaml
var coreDNS string

// Addons returns the manifests that every cluster has, with the definitions of the
// kinds that its own controllers work on.
func Addons(cluster layout.Cluster, definitions ...string) string {
	dns := strings.NewReplacer(
		"$DNS_ADDRESS", cluster.DNSService().String(),
		"$IMAGE", CoreDNSImage,
	).Replace(coreDNS)
	return strings.Join(append([]string{dns}, definitions...), "\n---\n")
}
