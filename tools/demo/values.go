package main

// settings are what the command line says about the installation.
type settings struct {
	namespace, registry, tag, cephTag string
	nodes                             int
}

// serviceValues are the values of chart rook-ceph: local images, and loop
// devices as disks.
func (s settings) serviceValues() map[string]any {
	values := map[string]any{
		"global": map[string]any{"image": map[string]any{"registry": s.registry}},
	}
	for _, service := range []string{"mon-manager", "osd-manager", "provisioner", "node-agent", "discover"} {
		values[service] = map[string]any{"image": map[string]any{"tag": s.tag, "pullPolicy": "Never"}}
	}
	discover, _ := values["discover"].(map[string]any)
	discover["allowLoopDevices"] = true
	return values
}

// clusterValues are the values of chart rook-ceph-cluster. On one node all
// daemons share it, and copies are spread over OSDs instead of hosts.
func (s settings) clusterValues() map[string]any {
	shared := s.nodes < 3
	failureDomain := "host"
	override := "[global]\nmon_data_avail_warn = 5\nmon_data_avail_crit = 2\n"
	if shared {
		failureDomain = "osd"
		override += "osd_crush_chooseleaf_type = 0\n"
	}
	return map[string]any{
		"operatorNamespace": s.namespace,
		"configOverride":    override,
		"cephImage": map[string]any{
			"repository": s.registry + "/rook-ceph/ceph", "tag": s.cephTag, "imagePullPolicy": "Never",
		},
		"toolbox": map[string]any{"enabled": true},
		"cephClusterSpec": map[string]any{
			"mon":                map[string]any{"allowMultiplePerNode": shared},
			"mgr":                map[string]any{"allowMultiplePerNode": shared},
			"dashboard":          map[string]any{"enabled": false},
			"resources":          nil, // a box has no gigabytes to reserve
			"priorityClassNames": nil,
			"cephConfig": map[string]any{
				"global": map[string]any{"osd_memory_target": "939524096"},
				"mgr":    map[string]any{"mgr/balancer/active": "false"},
			},
		},
		"cephBlockPools": []any{map[string]any{
			"name": "ceph-blockpool",
			"spec": map[string]any{"failureDomain": failureDomain, "replicated": map[string]any{"size": 3}},
			"storageClass": map[string]any{
				"enabled": true, "name": "ceph-block", "isDefault": true, "reclaimPolicy": "Delete",
				"parameters": map[string]any{
					"imageFormat": "2", "imageFeatures": "layering",
					"csi.storage.k8s.io/provisioner-secret-name":      "rook-csi-rbd-provisioner",
					"csi.storage.k8s.io/provisioner-secret-namespace": s.namespace,
					"csi.storage.k8s.io/node-stage-secret-name":       "rook-csi-rbd-node",
					"csi.storage.k8s.io/node-stage-secret-namespace":  s.namespace,
					"csi.storage.k8s.io/fstype":                       "ext4",
				},
			},
		}},
	}
}

// cephImage is the image that the demo's pod runs, too: it has a shell and is
// on the nodes already.
func (s settings) cephImage() string { return s.registry + "/rook-ceph/ceph:" + s.cephTag }
