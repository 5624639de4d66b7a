package daemon

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Timing of the probes, in seconds, where the user gives none.
const (
	startupPeriod    = 2
	livenessPeriod   = 10
	probeTimeout     = 5
	livenessFailures = 6
)

// Probes puts a startup and a liveness probe on the daemon's container: the
// cephlet asks the admin socket with the given command (mon_status, status).
// A daemon has startSeconds until it must answer. The user's healthCheck
// settings switch a probe off or replace its timing.
func (s Spec) Probes(container *corev1ac.ContainerApplyConfiguration, command string, startSeconds int32) {
	check := s.Cluster.Spec.HealthCheck
	key := api.KeyType(s.Role)
	if spec := check.StartupProbe[key]; spec == nil || !spec.Disabled {
		container.WithStartupProbe(s.probe(spec, command, startupPeriod, startSeconds/startupPeriod))
	}
	if spec := check.LivenessProbe[key]; spec == nil || !spec.Disabled {
		container.WithLivenessProbe(s.probe(spec, command, livenessPeriod, livenessFailures))
	}
}

func (s Spec) probe(spec *api.ProbeSpec, command string, period, failures int32) *corev1ac.ProbeApplyConfiguration {
	probe := corev1ac.Probe()
	if spec != nil && spec.Probe != nil {
		probe = convert[corev1ac.ProbeApplyConfiguration](spec.Probe)
		if probe.Exec != nil || probe.HTTPGet != nil || probe.TCPSocket != nil || probe.GRPC != nil {
			return probe
		}
	}
	if probe.PeriodSeconds == nil {
		probe.WithPeriodSeconds(period)
	}
	if probe.TimeoutSeconds == nil {
		probe.WithTimeoutSeconds(probeTimeout)
	}
	if probe.FailureThreshold == nil {
		probe.WithFailureThreshold(failures)
	}
	return probe.WithExec(corev1ac.ExecAction().WithCommand(Cephlet, "probe", RunDir+"/*.asok", command))
}
