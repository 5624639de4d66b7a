package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CephClusterHealthCheckSpec tunes health checks and probes.
type CephClusterHealthCheckSpec struct {
	// daemonHealth tunes how the health of mons, OSDs and the cluster is watched.
	// +optional
	DaemonHealth DaemonHealthSpec `json:"daemonHealth,omitzero"`

	// livenessProbe by daemon.
	// +nullable
	// +optional
	LivenessProbe map[KeyType]*ProbeSpec `json:"livenessProbe,omitempty"`

	// startupProbe by daemon.
	// +nullable
	// +optional
	StartupProbe map[KeyType]*ProbeSpec `json:"startupProbe,omitempty"`

	// muteHealthWarning mutes or unmutes health checks of Ceph by their code.
	// +kubebuilder:validation:MaxProperties=128
	// +optional
	MuteHealthWarning map[string]MuteHealthWarningSpec `json:"muteHealthWarning,omitempty"`
}

// MuteHealthWarningSpec mutes or unmutes one health check.
type MuteHealthWarningSpec struct {
	// policy is mute or unmute.
	// +kubebuilder:validation:Enum=mute;unmute
	// +optional
	Policy string `json:"policy,omitempty"`
}

// The policies of muteHealthWarning.
const (
	MutePolicyMute   = "mute"
	MutePolicyUnmute = "unmute"
)

// DaemonHealthSpec tunes how health is watched.
type DaemonHealthSpec struct {
	// status of the cluster.
	// +optional
	Status HealthCheckSpec `json:"status,omitzero"`

	// mon: timeout is after how long a lost monitor is replaced.
	// +optional
	Monitor HealthCheckSpec `json:"mon,omitzero"`

	// osd: OSDs that are down.
	// +optional
	ObjectStorageDaemon HealthCheckSpec `json:"osd,omitzero"`
}

// HealthCheckSpec tunes one health check.
type HealthCheckSpec struct {
	// disabled turns the check off.
	// +optional
	Disabled bool `json:"disabled,omitempty"`

	// interval between checks, such as 60s.
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// timeout after which something is done, such as 10m.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^$|^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	// +optional
	Timeout string `json:"timeout,omitempty"`
}

// ProbeSpec tunes a probe of a daemon.
type ProbeSpec struct {
	// disabled removes the probe.
	// +optional
	Disabled bool `json:"disabled,omitempty"`

	// probe replaces timings or the whole probe.
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Probe *corev1.Probe `json:"probe,omitempty"`
}

// DashboardSpec is about Ceph's dashboard.
type DashboardSpec struct {
	// enabled turns the dashboard on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// urlPrefix for a reverse proxy.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	URLPrefix string `json:"urlPrefix,omitempty"`

	// port to listen on. Default 8443 with ssl, 7000 without.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Port int32 `json:"port,omitempty"`

	// ssl serves the dashboard over TLS.
	// +optional
	SSL bool `json:"ssl,omitempty"`

	// prometheusEndpoint the dashboard reads from.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	PrometheusEndpoint string `json:"prometheusEndpoint,omitempty"`

	// prometheusEndpointSSLVerify checks the endpoint's certificate.
	// +optional
	PrometheusEndpointSSLVerify bool `json:"prometheusEndpointSSLVerify,omitempty"`
}

// MonitoringSpec is about metrics of Ceph.
type MonitoringSpec struct {
	// enabled creates ServiceMonitors and alert rules.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// metricsDisabled turns Ceph's metrics off altogether.
	// +optional
	MetricsDisabled bool `json:"metricsDisabled,omitempty"`

	// externalMgrEndpoints are the managers of an external cluster.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +nullable
	// +optional
	ExternalMgrEndpoints []corev1.EndpointAddress `json:"externalMgrEndpoints,omitempty"`

	// externalMgrPrometheusPort of those managers.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	ExternalMgrPrometheusPort int32 `json:"externalMgrPrometheusPort,omitempty"`

	// port of the managers' metrics. Default 9283.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Port int32 `json:"port,omitempty"`

	// interval between scrapes.
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// metricsTLS serves the managers' metrics over TLS.
	// +optional
	MetricsTLS MetricsTLSSpec `json:"metricsTLS,omitzero"`

	// exporter is about the daemon that reads performance counters on each node.
	// +optional
	Exporter *CephExporterSpec `json:"exporter,omitempty"`
}

// MetricsTLSSpec serves the managers' metrics over TLS.
type MetricsTLSSpec struct {
	// enabled turns it on.
	// +optional
	Enabled bool `json:"enabled,omitempty"`

	// secretName is the Secret with the certificate and key.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SecretName string `json:"secretName,omitempty"`
}

// CephExporterSpec is about the exporter daemon.
type CephExporterSpec struct {
	// perfCountersPrioLimit is the least priority that a counter must have.
	// Default 5.
	// +kubebuilder:validation:Minimum=0
	// +optional
	PerfCountersPrioLimit *int64 `json:"perfCountersPrioLimit,omitempty"`

	// statsPeriodSeconds is how often counters are read. Default 5.
	// +kubebuilder:validation:Minimum=0
	// +optional
	StatsPeriodSeconds *int64 `json:"statsPeriodSeconds,omitempty"`

	// port of the metrics. Default 9926.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	Port *int32 `json:"port,omitempty"`

	// hostNetwork overrides the cluster's network for exporters.
	// +optional
	HostNetwork *bool `json:"hostNetwork,omitempty"`
}
