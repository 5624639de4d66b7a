package config

import (
	_ "embed" // the manifest of the cluster's DNS
	"strings"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
)

//go:embed coredns.yaml
var coreDNS string

// Addons returns the manifests that every cluster has.
func Addons(cluster layout.Cluster) string {
	return strings.NewReplacer(
		"$DNS_ADDRESS", cluster.DNSService().String(),
		"$IMAGE", CoreDNSImage,
	).Replace(coreDNS)
}
