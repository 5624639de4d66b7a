package claim

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// The parameters of a class of buckets.
const (
	paramStore     = "objectStoreName"
	paramNamespace = "objectStoreNamespace"
	paramRegion    = "region"
	paramEndpoint  = "endpoint"
	paramBucket    = "bucketName"
)

// suffix is the end of the name of every provisioner of ours.
const suffix = "ceph.rook.io/bucket"

// Config is what the installation says about claims.
type Config struct {
	// Provisioners are our names in StorageClasses.
	Provisioners []string
	// Allowed are the settings that claims may make.
	Allowed []string
	// Namespaces are those that may hold the stores; empty for all.
	Namespaces []string
}

// Provisioners are the names of the provisioner: with a prefix that alone; otherwise
// with the namespaces that hold clusters for prefixes, or without any.
func Provisioners(prefix string, byNamespace []string) []string {
	switch {
	case prefix != "":
		return []string{prefix + "." + suffix}
	case len(byNamespace) == 0:
		return []string{suffix}
	}
	var names []string
	for _, namespace := range byNamespace {
		names = append(names, namespace+"."+suffix)
	}
	return names
}

// ours tells whether a provisioner is us.
func (c Config) ours(provisioner string) bool { return slices.Contains(c.Provisioners, provisioner) }

// label is a provisioner's name as the value of a label.
func label(provisioner string) string { return strings.ReplaceAll(provisioner, "/", ".") }

// storeOf is the store that a class names.
func storeOf(class *storagev1.StorageClass) types.NamespacedName {
	at := types.NamespacedName{Namespace: class.Parameters[paramNamespace], Name: class.Parameters[paramStore]}
	if at.Namespace == "" {
		at.Namespace, _ = strings.CutSuffix(class.Provisioner, "."+suffix)
	}
	return at
}

// address is where clients find the buckets of a store.
type address struct {
	host string
	port int32
}

// addressOf is what clients are told: what the class says, else what the store
// advertises, else its Service.
func addressOf(class *storagev1.StorageClass, store *api.CephObjectStore) (address, error) {
	if given := class.Parameters[paramEndpoint]; given != "" {
		return parseAddress(given)
	}
	if hosting := store.Spec.Hosting; hosting != nil && hosting.AdvertiseEndpoint != nil {
		return address{hosting.AdvertiseEndpoint.DNSName, hosting.AdvertiseEndpoint.Port}, nil
	}
	if secure := store.Spec.Gateway.SecurePort; secure != 0 {
		return address{ops.Host(store), secure}, nil
	}
	return address{ops.Host(store), store.Spec.Gateway.Port}, nil
}

// parseAddress reads a host with an optional scheme and port.
func parseAddress(given string) (address, error) {
	port, rest := "80", given
	if strings.Contains(given, "://") {
		at, err := url.Parse(given)
		if err != nil || at.Host == "" {
			return address{}, fmt.Errorf("`%s: %s` is no host and no URL", paramEndpoint, given)
		}
		if rest = at.Host; at.Scheme == "https" {
			port = "443"
		}
	}
	host := rest
	if h, p, err := net.SplitHostPort(rest); err == nil {
		host, port = h, p
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || host == "" {
		return address{}, fmt.Errorf("`%s: %s` is no host with a port", paramEndpoint, given)
	}
	return address{host, int32(number)}, nil //nolint:gosec // sixteen bits
}
