package report

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// dependents are the kinds that need the CephCluster of their namespace, by the
// name of their resource.
func dependents() map[string]string {
	return map[string]string{
		"cephblockpools": "CephBlockPool", "cephblockpoolradosnamespaces": "CephBlockPoolRadosNamespace", "cephrbdmirrors": "CephRBDMirror",
		"cephfilesystems": "CephFilesystem", "cephfilesystemsubvolumegroups": "CephFilesystemSubVolumeGroup",
		"cephfilesystemmirrors": "CephFilesystemMirror", "cephnfses": "CephNFS", "cephclients": "CephClient",
		"cephobjectstores": "CephObjectStore", "cephobjectstoreusers": "CephObjectStoreUser", "cephobjectstoreaccounts": "CephObjectStoreAccount",
		"cephobjectrealms": "CephObjectRealm", "cephobjectzonegroups": "CephObjectZoneGroup", "cephobjectzones": "CephObjectZone",
		"cephbuckettopics": "CephBucketTopic", "cephbucketnotifications": "CephBucketNotification",
		"cephcosidrivers": "CephCOSIDriver", "cephnvmeofgateways": "CephNVMeOFGateway",
	}
}

// observeDependents names the objects that still need the cluster. A kind that
// is not installed has no objects. It reads metadata only, and only while the
// cluster is being deleted.
func observeDependents(ctx context.Context, reader client.Reader, cluster *api.CephCluster) ([]string, error) {
	var found []string
	for _, kind := range slices.Sorted(maps.Values(dependents())) {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{
			Group: api.SchemeGroupVersion.Group, Version: api.SchemeGroupVersion.Version, Kind: kind + "List",
		})
		err := reader.List(ctx, list, client.InNamespace(cluster.Namespace))
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list %ss: %w", kind, err)
		}
		for i := range list.Items {
			found = append(found, kind+" "+list.Items[i].Name)
		}
	}
	return found, nil
}
