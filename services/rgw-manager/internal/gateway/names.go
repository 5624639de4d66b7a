package gateway

import (
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Service is this service: its name, and whose cephx identity it uses.
const Service = "rgw-manager"

// App is the value of the label app.
const App = "rook-ceph-rgw"

// Daemon names the gateways of a store, which are replicas of one daemon, to Ceph;
// see keyring.RGW.
func Daemon(store string) string { return store + ".a" }

// Entity is the cephx user of the gateways of a store, and the section of their
// options.
func Entity(store string) string { return "client.rgw." + Daemon(store) }

// Keyring is the Secret with the key of the gateways of a store.
func Keyring(store string) string { return names.Keyring(names.RGWDeployment(store)) }

// Selector matches the pods of the gateways of a store.
func Selector(store *api.CephObjectStore) map[string]string {
	return names.Selector(store.Namespace, api.RoleRGW, store.Name)
}

// Labels are those of the objects of a store that are no daemons.
func Labels(store *api.CephObjectStore, cluster string) map[string]string {
	labels := Selector(store)
	labels[names.LabelObjectStore] = store.Name
	labels[names.LabelPartOf] = cluster
	labels[names.LabelManagedBy] = Service
	labels[names.LabelCreatedBy] = "rook-ceph"
	return labels
}
