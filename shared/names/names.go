// Package names holds the names and labels of Kubernetes objects that other
// tools rely on (toolbox, kubectl plugins, ceph-csi, dashboards). It only
// composes strings.
package names

import "strings"

// Objects with one fixed name per CephCluster namespace.
const (
	MonSecret           = "rook-ceph-mon"
	MonEndpoints        = "rook-ceph-mon-endpoints"
	ConfigSecret        = "rook-ceph-config"
	ConfigOverride      = "rook-config-override"
	MonsKeyring         = "rook-ceph-mons-keyring"
	AdminKeyring        = "rook-ceph-admin-keyring"
	DashboardPassword   = "rook-ceph-dashboard-password"
	MgrService          = "rook-ceph-mgr"
	MgrDashboardService = "rook-ceph-mgr-dashboard"
	MonPDB              = "rook-ceph-mon-pdb"
	MgrPDB              = "rook-ceph-mgr-pdb"
	OSDPDB              = "rook-ceph-osd"
	CSIConfig           = "rook-ceph-csi-config"
	DaemonAccount       = "rook-ceph-default"
	MgrAccount          = "rook-ceph-mgr"
	OSDAccount          = "rook-ceph-osd"
	RGWAccount          = "rook-ceph-rgw"
)

// The keys of the Secrets of object stores that other tools read.
const (
	// In ObjectUserSecret.
	ObjectUserAccessKey = "AccessKey"
	ObjectUserSecretKey = "SecretKey"
	ObjectUserEndpoint  = "Endpoint"
	ObjectUserSSLCert   = "SSLCertSecretName"
	// In RGWAdminOps, and in the Secret ExternalAdminOps that a person provides.
	AdminOpsAccessKey = "accessKey"
	AdminOpsSecretKey = "secretKey"
	// In RealmKeys.
	RealmAccessKey = "access-key"
	RealmSecretKey = "secret-key"
)

// ExternalAdminOps is the Secret with the keys of external gateways, and AdminOpsUser
// the user whose keys we manage our own ones with. Both bear one name.
const (
	ExternalAdminOps = "rgw-admin-ops-user"
	AdminOpsUser     = "rgw-admin-ops-user"
)

// SecretType is the type of every Secret that holds keys of a cluster.
const SecretType = "kubernetes.io/rook"

// Finalizers.
const (
	// DisasterProtection guards the identity of a cluster against a stray
	// delete: Secret rook-ceph-mon and ConfigMap rook-ceph-mon-endpoints.
	DisasterProtection = "ceph.rook.io/disaster-protection"
	finalizerPrefix    = "ceph.rook.io/"
)

// Finalizer returns the finalizer that a service holds on a CephCluster.
func Finalizer(service string) string { return finalizerPrefix + service }

// Mon returns the name of a mon's Deployment, Service and PVC.
func Mon(id string) string { return "rook-ceph-mon-" + id }

// Mgr returns the name of a mgr's Deployment.
func Mgr(id string) string { return "rook-ceph-mgr-" + id }

// OSD returns the name of an OSD's Deployment and CephOSD.
func OSD(id string) string { return "rook-ceph-osd-" + id }

// MDS returns the name of the Deployment of a metadata server, and of the budget
// of a file system's.
func MDS(id string) string { return "rook-ceph-mds-" + id }

// RGW returns the name of the Service and of the budget of an object store's
// gateways.
func RGW(store string) string { return "rook-ceph-rgw-" + store }

// RGWDeployment returns the name of the Deployment of a store's gateways, which
// are replicas of one daemon, a.
func RGWDeployment(store string) string { return RGW(store) + "-a" }

// RGWMimeTypes returns the name of the ConfigMap with the MIME types that a
// store's gateways know. People may change it.
func RGWMimeTypes(store string) string { return RGW(store) + "-mime-types" }

// RGWAdminOps returns the name of the Secret with the keys that we manage a store
// with, through its gateways.
func RGWAdminOps(store string) string { return RGW(store) + "-admin-ops" }

// ObjectUserSecret returns the name of the Secret with the keys of a user of an
// object store.
func ObjectUserSecret(store, user string) string {
	return "rook-ceph-object-user-" + store + "-" + user
}

// RealmKeys returns the name of the Secret with the keys with which the zones of a
// realm talk to each other.
func RealmKeys(realm string) string { return realm + "-keys" }

// OSDPrepare returns the name of the prepare Job of a disk.
func OSDPrepare(disk string) string { return "rook-ceph-osd-prepare-" + disk }

// Keyring returns the name of the Secret with the keyring of a resource.
func Keyring(resource string) string { return resource + "-keyring" }

// ServiceKeyring returns the name of the Secret with the cephx identity of one
// of our services. A namespace holds one served CephCluster, so the name is known
// beforehand and rights can be given to it alone.
func ServiceKeyring(service string) string { return Keyring("rook-ceph-" + service) }

// CSISecret returns the name of a CSI Secret: rook-csi-rbd-node and so on.
func CSISecret(identity string) string { return "rook-" + identity }

// DisruptionLease returns the name of the Lease that is held by whoever stops a
// daemon of the cluster on purpose.
func DisruptionLease(cluster string) string { return cluster + "-disruption" }

// Controller splits a controller name such as "mon-manager.quorum" and returns
// the service, which is also its leader election Lease and metrics label.
func Controller(name string) (service, controller string) {
	service, controller, _ = strings.Cut(name, ".")
	return service, controller
}
