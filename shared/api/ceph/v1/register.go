package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of all kinds in this package.
const Group = "ceph.rook.io"

// Category is the name under which `kubectl get` lists all our kinds at once.
const Category = "rook-ceph"

// SchemeGroupVersion is the group and version of all kinds in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: Group, Version: "v1"}

// AddToScheme registers the kinds of this package with a scheme. It is safe to
// call more than once.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion,
		&CephCluster{}, &CephClusterList{},
		&CephBlockPool{}, &CephBlockPoolList{},
		&CephFilesystem{}, &CephFilesystemList{},
		&CephFilesystemSubVolumeGroup{}, &CephFilesystemSubVolumeGroupList{},
		&CephObjectStore{}, &CephObjectStoreList{},
		&CephObjectStoreUser{}, &CephObjectStoreUserList{},
		&CephObjectRealm{}, &CephObjectRealmList{},
		&CephObjectZoneGroup{}, &CephObjectZoneGroupList{},
		&CephObjectZone{}, &CephObjectZoneList{},
	)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}

// Resource gives the group resource of a plural name, for API errors.
func Resource(plural string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(plural).GroupResource()
}
