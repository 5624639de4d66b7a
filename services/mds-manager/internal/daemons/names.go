package daemons

import (
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Service is this service: its name, and whose cephx identity it uses.
const Service = "mds-manager"

// App is the value of the label app.
const App = "rook-ceph-mds"

// letters is the number of letters in the alphabet.
const letters = 26

// Letter names the daemon at an index: a, b, ... z, aa, ab, ...
func Letter(index int) string {
	letter := string(rune('a' + index%letters))
	if index < letters {
		return letter
	}
	return Letter(index/letters-1) + letter
}

// IDs returns the names of the metadata servers that a file system wants, as
// Ceph knows them.
func IDs(fs *api.CephFilesystem) []string {
	list := make([]string, fs.Spec.MetadataServer.Daemons())
	for i := range list {
		list[i] = fs.Name + "-" + Letter(i)
	}
	return list
}

// Entity is the cephx user of a metadata server, and the section of its options.
func Entity(id string) string { return "mds." + id }

// Keyring is the Secret with the key of a metadata server.
func Keyring(id string) string { return names.Keyring(names.MDS(id)) }

// OfKeyring is the metadata server whose key a Secret of ours holds.
func OfKeyring(secret string) string {
	return strings.TrimPrefix(strings.TrimSuffix(secret, names.Keyring("")), names.MDS(""))
}

// Selector matches the pods of all metadata servers of a file system.
func Selector(fs *api.CephFilesystem) map[string]string {
	return map[string]string{names.LabelApp: App, names.LabelCluster: fs.Namespace, names.LabelFilesystem: fs.Name}
}

// Labels are those of the objects of a file system that are of no single
// metadata server.
func Labels(fs *api.CephFilesystem, cluster string) map[string]string {
	labels := Selector(fs)
	labels[names.LabelPartOf] = cluster
	labels[names.LabelManagedBy] = Service
	labels[names.LabelCreatedBy] = "rook-ceph"
	return labels
}
