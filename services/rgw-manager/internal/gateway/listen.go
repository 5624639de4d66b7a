package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// insidePort is where a gateway listens for HTTP in a network of its own.
const insidePort = 8080

// HostNetwork tells whether gateways listen on their nodes.
func HostNetwork(cluster *api.CephCluster, store *api.CephObjectStore) bool {
	if own := store.Spec.Gateway.HostNetwork; own != nil {
		return *own
	}
	return cluster.Spec.Network.UsesHostNetwork()
}

// Ports are where the pods of a store listen; 0 for not at all.
func Ports(cluster *api.CephCluster, store *api.CephObjectStore) (insecure, secure int32) {
	insecure = store.Spec.Gateway.Port
	if insecure > 0 && !HostNetwork(cluster, store) {
		insecure = insidePort
	}
	return insecure, store.Spec.Gateway.SecurePort
}

// frontend is how a gateway is told where to listen.
func frontend(cluster *api.CephCluster, store *api.CephObjectStore, certificate Certificate) string {
	insecure, secure := Ports(cluster, store)
	words := []string{"beast"}
	if insecure > 0 {
		words = append(words, fmt.Sprintf("port=%d", insecure))
	}
	if secure > 0 && certificate.Secret != "" {
		words = append(words, fmt.Sprintf("ssl_port=%d", secure), "ssl_certificate="+certificateFile)
		if certificate.KeyApart {
			words = append(words, "ssl_private_key="+privateKeyFile)
		}
		words = append(words, encryption(store.Spec.Security)...)
		if every := store.Spec.Gateway.SSLReloadInterval; every != nil && every.Duration >= 0 {
			words = append(words, "ssl_reload="+strconv.FormatInt(int64(every.Duration/time.Second), 10))
		}
	}
	return strings.Join(words, " ")
}

// encryption is how connections over TLS are kept, in OpenSSL's words.
func encryption(security *api.ObjectStoreSecuritySpec) []string {
	var words []string
	if security == nil {
		return nil
	}
	if len(security.SSLOptions) > 0 {
		words = append(words, "ssl_options="+strings.Join(security.SSLOptions, ":"))
	}
	if len(security.Ciphers) > 0 {
		words = append(words, "ssl_ciphers="+strings.Join(security.Ciphers, ":"))
	}
	return words
}

// arguments are those of the gateway beyond what every daemon takes.
func (s Spec) arguments() []string {
	args := []string{
		"--rgw-frontends=" + frontend(s.Cluster, s.Store, s.Certificate),
		"--rgw-mime-types-file=" + mimeTypesDir + "/mime.types",
		"--rgw-realm=" + s.Site.Realm,
		"--rgw-zonegroup=" + s.Site.ZoneGroup,
		"--rgw-zone=" + s.Site.Zone,
		"--host=$(POD_NAME)",
	}
	flags := s.Store.Spec.Gateway.RGWCommandFlags
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		args = append(args, "--"+strings.TrimLeft(strings.ReplaceAll(name, "_", "-"), "-")+"="+flags[name])
	}
	return args
}

// Host is the name of the Service of a store.
func Host(store *api.CephObjectStore) string {
	return names.RGW(store.Name) + "." + store.Namespace + ".svc"
}

// URL is where the gateways of a store are reached, over TLS if they listen there.
func URL(store *api.CephObjectStore) string {
	insecure, secure := URLs(store)
	if secure != "" {
		return secure
	}
	return insecure
}

// URLs are those of the Service of a store; empty where it does not listen.
func URLs(store *api.CephObjectStore) (insecure, secure string) {
	host := Host(store)
	for _, endpoint := range store.Spec.Gateway.ExternalRGWEndpoints {
		if name := outside(endpoint); name != "" {
			host = name
			break
		}
	}
	if port := store.Spec.Gateway.Port; port > 0 {
		insecure = fmt.Sprintf("http://%s:%d", host, port)
	}
	if port := store.Spec.Gateway.SecurePort; port > 0 {
		secure = fmt.Sprintf("https://%s:%d", host, port)
	}
	return insecure, secure
}

// Endpoints are the URLs of a store for people and claims: that of its Service, and
// first the one that is advertised in its place.
func Endpoints(store *api.CephObjectStore) api.ObjectEndpoints {
	var list api.ObjectEndpoints
	if hosting := store.Spec.Hosting; hosting != nil && hosting.AdvertiseEndpoint != nil {
		at := hosting.AdvertiseEndpoint
		if at.UseTLS {
			list.Secure = append(list.Secure, fmt.Sprintf("https://%s:%d", at.DNSName, at.Port))
		} else {
			list.Insecure = append(list.Insecure, fmt.Sprintf("http://%s:%d", at.DNSName, at.Port))
		}
	}
	insecure, secure := URLs(store)
	if insecure != "" {
		list.Insecure = append(list.Insecure, insecure)
	}
	if secure != "" {
		list.Secure = append(list.Secure, secure)
	}
	return list
}

// Hostnames are the names under which gateways take the first part of a host name
// for a bucket; none unless the user names one. Once there are any, Ceph takes each
// other name for a bucket, so that the Service has to be among them.
func Hostnames(store *api.CephObjectStore) []string {
	hosting := store.Spec.Hosting
	if hosting == nil || len(hosting.DNSNames) == 0 {
		return nil
	}
	list := append([]string{Host(store)}, hosting.DNSNames...)
	if hosting.AdvertiseEndpoint != nil {
		list = append(list, hosting.AdvertiseEndpoint.DNSName)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
