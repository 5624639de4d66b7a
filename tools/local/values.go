// Package local holds the chart values of a cluster on one box: images that were
// loaded by hand, loop devices as disks, daemons that share a node. The demo and
// the end-to-end tests install with the same values.
package local

// StorageClass is the class that the values make for the block pool.
const StorageClass = "ceph-block"

// BlockPool is the pool that the values make.
const BlockPool = "ceph-blockpool"

// Filesystem is the file system that the values make, and its StorageClass and
// VolumeSnapshotClass.
const Filesystem = "ceph-filesystem"

// ObjectStore is the object store that the values make, and BucketClass its
// StorageClass for bucket claims.
const (
	ObjectStore = "ceph-objectstore"
	BucketClass = "ceph-bucket"
)

// Settings say what is installed where.
type Settings struct {
	// Namespace holds the services and the Ceph cluster of the same name.
	Namespace string
	// Registry is in front of all image names.
	Registry string
	// Tag is the tag of our images, CephTag that of the Ceph image.
	Tag, CephTag string
	// Nodes of the cluster. With fewer than three all daemons share a node, and
	// copies are spread over OSDs instead of hosts.
	Nodes int
}

// ServiceValues are the values of chart rook-ceph: local images, and loop
// devices as disks.
func (s Settings) ServiceValues() map[string]any {
	values := map[string]any{
		"global": map[string]any{"image": map[string]any{"registry": s.Registry}},
	}
	for _, service := range []string{"mon-manager", "osd-manager", "mds-manager", "rgw-manager", "provisioner", "node-agent", "discover"} {
		values[service] = map[string]any{"image": map[string]any{"tag": s.Tag, "pullPolicy": "Never"}}
	}
	discover, _ := values["discover"].(map[string]any)
	discover["allowLoopDevices"] = true
	// The nodes share the kernel of the box, which is to stay as it was.
	nodeAgent, _ := values["node-agent"].(map[string]any)
	nodeAgent["loadModules"] = false
	return values
}

// ClusterValues are the values of chart rook-ceph-cluster.
func (s Settings) ClusterValues() map[string]any {
	shared := s.Nodes < 3
	failureDomain := "host"
	// The manager's module restful cannot start twice in one process with
	// Debian's Python libraries; nothing here needs it.
	override := "[global]\nmon_data_avail_warn = 5\nmon_data_avail_crit = 2\nmgr_initial_modules = iostat\n"
	if shared {
		failureDomain = "osd"
		override += "osd_crush_chooseleaf_type = 0\n"
	}
	return map[string]any{
		"operatorNamespace": s.Namespace,
		"configOverride":    override,
		"cephImage": map[string]any{
			"repository": s.Registry + "/rook-ceph/ceph", "tag": s.CephTag, "imagePullPolicy": "Never",
		},
		"toolbox": map[string]any{"enabled": true},
		"cephClusterSpec": map[string]any{
			"mon":                map[string]any{"allowMultiplePerNode": shared},
			"mgr":                map[string]any{"allowMultiplePerNode": shared},
			"dashboard":          map[string]any{"enabled": false},
			"resources":          nil, // a box has no gigabytes to reserve
			"priorityClassNames": nil,
			"cephConfig": map[string]any{
				// Three OSDs hold the pools of everything that is tried on a box.
				"global": map[string]any{"osd_memory_target": "939524096", "mon_max_pg_per_osd": "400"},
			},
		},
		"cephObjectStores": []any{map[string]any{
			"name": ObjectStore,
			"spec": map[string]any{
				"metadataPool": map[string]any{"failureDomain": failureDomain, "replicated": map[string]any{"size": 3}},
				"dataPool":     map[string]any{"failureDomain": failureDomain, "replicated": map[string]any{"size": 3}},
				"gateway":      map[string]any{"port": 80, "instances": 1},
			},
			"storageClass": map[string]any{
				"enabled": true, "name": BucketClass, "reclaimPolicy": "Delete", "parameters": map[string]any{"region": "us-east-1"},
			},
		}},
		"cephFileSystems": []any{map[string]any{
			"name": Filesystem,
			"spec": map[string]any{
				"metadataPool": map[string]any{"failureDomain": failureDomain, "replicated": map[string]any{"size": 3}},
				"dataPools": []any{map[string]any{
					"name": "data0", "failureDomain": failureDomain, "replicated": map[string]any{"size": 3}}},
				"metadataServer": map[string]any{"activeCount": 1, "activeStandby": true},
			},
			"storageClass": map[string]any{
				"enabled": true, "name": Filesystem, "pool": "data0", "reclaimPolicy": "Delete", "allowVolumeExpansion": true,
				"parameters": secrets("cephfs", s.Namespace),
			},
		}},
		"cephFileSystemVolumeSnapshotClass": map[string]any{"enabled": true, "name": Filesystem},
		"cephBlockPools": []any{map[string]any{
			"name": BlockPool,
			"spec": map[string]any{"failureDomain": failureDomain, "replicated": map[string]any{"size": 3}},
			"storageClass": map[string]any{
				"enabled": true, "name": StorageClass, "isDefault": true, "reclaimPolicy": "Delete", "allowVolumeExpansion": true,
				"parameters": blockParameters(s.Namespace),
			},
		}},
	}
}

func blockParameters(namespace string) map[string]any {
	parameters := secrets("rbd", namespace)
	parameters["imageFormat"], parameters["imageFeatures"] = "2", "layering"
	parameters["csi.storage.k8s.io/fstype"] = "ext4"
	return parameters
}

// secrets are the parameters of a StorageClass that name the Secrets of a driver.
func secrets(driver, namespace string) map[string]any {
	parameters := map[string]any{}
	for purpose, user := range map[string]string{"provisioner": "provisioner", "controller-expand": "provisioner", "node-stage": "node"} {
		parameters["csi.storage.k8s.io/"+purpose+"-secret-name"] = "rook-csi-" + driver + "-" + user
		parameters["csi.storage.k8s.io/"+purpose+"-secret-namespace"] = namespace
	}
	return parameters
}

// CephImage is the image of all daemons. Test pods run it, too: it has a shell and
// is on the nodes already.
func (s Settings) CephImage() string { return s.Registry + "/rook-ceph/ceph:" + s.CephTag }
