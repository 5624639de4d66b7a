package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GatewaySpec says how many RGW daemons there are, where they listen, and how
// they run.
type GatewaySpec struct {
	// port of the Service for HTTP. With the host's network the daemons listen on
	// it too, otherwise on 8080.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +nullable
	// +optional
	Port int32 `json:"port,omitempty"`

	// securePort of the Service and of the daemons for HTTPS.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +nullable
	// +optional
	SecurePort int32 `json:"securePort,omitempty"`

	// instances is the number of daemons. Default 1.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	// +optional
	Instances *int32 `json:"instances,omitempty"`

	// sslCertificateRef is the Secret with the certificate for securePort: of type
	// kubernetes.io/tls, or any with the whole PEM under the key cert.
	// +kubebuilder:validation:MaxLength=253
	// +nullable
	// +optional
	SSLCertificateRef string `json:"sslCertificateRef,omitempty"`

	// sslReloadInterval is how often the daemons read the certificate again, such as
	// 1h; 0s for never.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="`sslReloadInterval` must not be negative; use 1h, or 0s for never"
	// +nullable
	// +optional
	SSLReloadInterval *metav1.Duration `json:"sslReloadInterval,omitempty"`

	// caBundleRef is the Secret with further roots of trust, under the key cabundle,
	// for what the daemons connect to.
	// +kubebuilder:validation:MaxLength=253
	// +nullable
	// +optional
	CABundleRef string `json:"caBundleRef,omitempty"`

	// placement of the daemons, on top of the cluster's for rgw.
	// +nullable
	// +optional
	Placement Placement `json:"placement,omitzero"`

	// disableMultisiteSyncTraffic keeps the daemons from copying to other zones.
	// +optional
	DisableMultisiteSyncTraffic bool `json:"disableMultisiteSyncTraffic,omitempty"`

	// annotations of the pods.
	// +nullable
	// +optional
	Annotations Annotations `json:"annotations,omitempty"`

	// labels of the pods.
	// +nullable
	// +optional
	Labels Labels `json:"labels,omitempty"`

	// resources of each daemon.
	// +nullable
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// priorityClassName of the pods.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// externalRgwEndpoints are gateways that run elsewhere. No daemon is started.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +nullable
	// +optional
	ExternalRGWEndpoints []EndpointAddress `json:"externalRgwEndpoints,omitempty"`

	// service tunes the store's Service.
	// +nullable
	// +optional
	Service *RGWServiceSpec `json:"service,omitempty"`

	// opsLogSidecar prints the log of operations from a container of its own.
	// +nullable
	// +optional
	OpsLogSidecar *OpsLogSidecar `json:"opsLogSidecar,omitempty"`

	// hostNetwork overrides the cluster's network for gateways.
	// +nullable
	// +optional
	HostNetwork *bool `json:"hostNetwork,omitempty"`

	// dashboardEnabled shows the store in Ceph's dashboard.
	// +nullable
	// +optional
	DashboardEnabled *bool `json:"dashboardEnabled,omitempty"`

	// additionalVolumeMounts are files for the daemons, below /var/rgw.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=subPath
	// +optional
	AdditionalVolumeMounts []AdditionalVolumeMount `json:"additionalVolumeMounts,omitempty"`

	// rgwConfig are options of Ceph for the daemons. A change restarts none of them,
	// and an option that is taken out has its default again.
	// +kubebuilder:validation:MaxProperties=256
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.matches('^[a-z][a-z0-9_-]*$'))",message="the keys of `rgwConfig` must be names of options of Ceph; use one such as rgw_enable_usage_log"
	// +nullable
	// +optional
	RGWConfig map[string]string `json:"rgwConfig,omitempty"`

	// rgwConfigFromSecret are options whose values are in Secrets.
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.matches('^[a-z][a-z0-9_-]*$'))",message="the keys of `rgwConfigFromSecret` must be names of options of Ceph; use one such as rgw_enable_usage_log"
	// +nullable
	// +optional
	RGWConfigFromSecret map[string]corev1.SecretKeySelector `json:"rgwConfigFromSecret,omitempty"`

	// rgwCommandFlags are options on the daemons' command line. A change restarts
	// them, one after the other.
	// +kubebuilder:validation:MaxProperties=256
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.matches('^[a-z][a-z0-9_-]*$'))",message="the keys of `rgwCommandFlags` must be names of options of Ceph; use one such as rgw_enable_usage_log"
	// +nullable
	// +optional
	RGWCommandFlags map[string]string `json:"rgwCommandFlags,omitempty"`

	// readAffinity says which copy of an object is read.
	// +nullable
	// +optional
	ReadAffinity *RGWReadAffinity `json:"readAffinity,omitempty"`
}

// EndpointAddress is where one gateway is. The host name counts if both are
// given; ip may hold a host name too.
//
// +kubebuilder:validation:XValidation:rule="(has(self.ip) && size(self.ip) > 0) || (has(self.hostname) && size(self.hostname) > 0)",message="an external gateway must have an `ip` or a `hostname`; set one"
// +structType=atomic
type EndpointAddress struct {
	// ip of the gateway.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	IP string `json:"ip,omitempty"`

	// hostname of the gateway.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Hostname string `json:"hostname,omitempty"`
}

// RGWServiceSpec tunes the Service of a store.
type RGWServiceSpec struct {
	// annotations of the Service.
	// +nullable
	// +optional
	Annotations Annotations `json:"annotations,omitempty"`
}

// OpsLogSidecar prints the log of operations.
type OpsLogSidecar struct {
	// resources of the container.
	// +nullable
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
}

// RGWReadAffinity says which copy of an object is read.
type RGWReadAffinity struct {
	// type: localize reads the nearest copy, balance any, default the first.
	// +kubebuilder:validation:Enum=localize;balance;default
	Type string `json:"type"`
}

// AdditionalVolumeMount is files for the daemons.
type AdditionalVolumeMount struct {
	// subPath is the directory below /var/rgw.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]+(/[a-zA-Z0-9._-]+)*$`
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(part, part == '.' || part == '..')",message="`subPath` must stay below /var/rgw; remove the dots"
	SubPath string `json:"subPath"`

	// volumeSource is where the files come from.
	VolumeSource *FileVolumeSource `json:"volumeSource"`
}

// FileVolumeSource is where files come from. Its parts mean what they mean in a
// pod.
//
// +kubebuilder:validation:XValidation:rule="[has(self.hostPath), has(self.emptyDir), has(self.secret), has(self.persistentVolumeClaim), has(self.configMap), has(self.projected)].exists_one(x, x)",message="exactly one source of `volumeSource` must be set; remove the others"
type FileVolumeSource struct {
	// hostPath is a path of the node.
	// +optional
	HostPath *corev1.HostPathVolumeSource `json:"hostPath,omitempty"`

	// emptyDir lives as long as the pod.
	// +optional
	EmptyDir *corev1.EmptyDirVolumeSource `json:"emptyDir,omitempty"`

	// secret whose keys are files.
	// +optional
	Secret *corev1.SecretVolumeSource `json:"secret,omitempty"`

	// persistentVolumeClaim that holds the files.
	// +optional
	PersistentVolumeClaim *corev1.PersistentVolumeClaimVolumeSource `json:"persistentVolumeClaim,omitempty"`

	// configMap whose keys are files.
	// +optional
	ConfigMap *corev1.ConfigMapVolumeSource `json:"configMap,omitempty"`

	// projected files of several sources.
	// +optional
	Projected *corev1.ProjectedVolumeSource `json:"projected,omitempty"`
}
