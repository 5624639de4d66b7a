package names

// Labels that dashboards, scripts and other tools select on.
const (
	LabelApp            = "app"
	LabelCluster        = "rook_cluster"
	LabelDaemonType     = "ceph_daemon_type"
	LabelDaemonID       = "ceph_daemon_id"
	LabelMgrRole        = "mgr_role"
	LabelOSDID          = "ceph-osd-id"
	LabelFilesystem     = "rook_file_system"
	LabelObjectStore    = "rook_object_store"
	LabelManagedBy      = "app.kubernetes.io/managed-by"
	LabelPartOf         = "app.kubernetes.io/part-of"
	LabelName           = "app.kubernetes.io/name"
	LabelInstance       = "app.kubernetes.io/instance"
	LabelComponent      = "app.kubernetes.io/component"
	LabelCreatedBy      = "app.kubernetes.io/created-by"
	LabelDoNotReconcile = "ceph.rook.io/do-not-reconcile"
	LabelCephVersion    = "ceph-version"
	LabelHostname       = "kubernetes.io/hostname"
)

// AnnotationForceDeletion is by what Rook is asked to remove an object along with
// what is inside.
const AnnotationForceDeletion = "rook.io/force-deletion"

// Daemon returns the labels of the pods and Deployments of one Ceph daemon.
// Role is mon, mgr, osd, mds or rgw; service is who manages it.
func Daemon(namespace, cluster, role, id, service string) map[string]string {
	return map[string]string{
		LabelApp:        "rook-ceph-" + role,
		LabelCluster:    namespace,
		LabelDaemonType: role,
		LabelDaemonID:   id,
		role:            id,
		LabelName:       "ceph-" + role,
		LabelInstance:   id,
		LabelComponent:  "cephclusters.ceph.rook.io",
		LabelPartOf:     cluster,
		LabelManagedBy:  service,
		LabelCreatedBy:  "rook-ceph",
	}
}

// Selector returns the labels that select the pods of one daemon; they never
// change, because a Deployment's selector cannot.
func Selector(namespace, role, id string) map[string]string {
	return map[string]string{LabelApp: "rook-ceph-" + role, LabelCluster: namespace, role: id}
}

// Paused tells whether an object with these labels is to be left alone. The label
// counts by being there; its value does not matter.
func Paused(labels map[string]string) bool {
	_, asked := labels[LabelDoNotReconcile]
	return asked
}
