package gateway

import (
	"encoding/json"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Paths and volumes of the pod.
const (
	mimeTypesDir  = "/etc/ceph/rgw"
	additionalDir = "/var/rgw"

	volumeMimeTypes   = "mime-types"
	volumeCertificate = "certificate"
	volumeBundle      = "ca-bundle"
	volumeTrust       = "trust"

	// readable is the mode of files that the gateway reads as whatever user.
	readable = 0o444
)

// Timing of the probes, in seconds, where the user gives none.
const (
	startupPeriod   = 2
	startupFailures = 165
	readyPeriod     = 5
	readyFailures   = 3
	probeTimeout    = 5
)

// apartWeight is how much a node that runs another gateway of the store is avoided,
// of 100.
const apartWeight = 100

func apart(store string) corev1.WeightedPodAffinityTerm {
	return corev1.WeightedPodAffinityTerm{
		Weight: apartWeight,
		PodAffinityTerm: corev1.PodAffinityTerm{
			TopologyKey:   names.LabelHostname,
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{names.LabelApp: App, names.LabelObjectStore: store}},
		},
	}
}

// pod adds the gateway to what all daemons share.
func (s Spec) pod(base daemon.Spec) *corev1ac.PodSpecApplyConfiguration {
	pod := base.Pod().WithServiceAccountName(names.RGWAccount).
		WithVolumes(corev1ac.Volume().WithName(volumeMimeTypes).
			WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(names.RGWMimeTypes(s.Store.Name)).WithOptional(true)))
	container := s.container(base)
	if s.Certificate.Secret != "" {
		pod.WithVolumes(s.Certificate.volume())
		container.WithVolumeMounts(mount(volumeCertificate, certificateDir).WithReadOnly(true))
	}
	if s.Bundle.Secret != "" {
		s.trust(base, pod, container)
	}
	for _, extra := range s.Store.Spec.Gateway.AdditionalVolumeMounts {
		name := volumeName(extra.SubPath)
		volume := convert[corev1ac.VolumeApplyConfiguration](extra.VolumeSource).WithName(name)
		pod.WithVolumes(volume)
		container.WithVolumeMounts(mount(name, path.Join(additionalDir, extra.SubPath)))
	}
	return pod.WithContainers(container)
}

func (s Spec) container(base daemon.Spec) *corev1ac.ContainerApplyConfiguration {
	args := base.Args(s.Cluster.Status.Connection.FSID)
	for i, arg := range args {
		if strings.HasPrefix(arg, "--id=") {
			args[i] = "--id=rgw." + Daemon(s.Store.Name)
		}
	}
	c := base.Container(ContainerName, "radosgw", append(args, s.arguments()...)...).
		WithVolumeMounts(mount(volumeMimeTypes, mimeTypesDir).WithReadOnly(true))
	c.SecurityContext.WithAllowPrivilegeEscalation(false)
	insecure, secure := Ports(s.Cluster, s.Store)
	if insecure > 0 {
		c.WithPorts(port("http", insecure))
	}
	if secure > 0 && s.Certificate.Secret != "" {
		c.WithPorts(port("https", secure))
	}
	check := s.Store.Spec.HealthCheck
	if check == nil {
		check = &api.ObjectHealthCheckSpec{}
	}
	if probe := check.StartupProbe; probe == nil || !probe.Disabled {
		c.WithStartupProbe(s.probe(probe, startupPeriod, startupFailures))
	}
	if probe := check.ReadinessProbe; probe == nil || !probe.Disabled {
		c.WithReadinessProbe(s.probe(probe, readyPeriod, readyFailures))
	}
	return c
}

// probe asks the gateway for something that it answers itself, through the protocol
// that it speaks. A gateway that answers nobody gets no requests; it is not stopped
// for that, since Ceph may be what it waits for.
func (s Spec) probe(spec *api.ProbeSpec, period, failures int32) *corev1ac.ProbeApplyConfiguration {
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
	at, scheme := s.probePort()
	where := s.probePath()
	if where == "" {
		return probe.WithTCPSocket(corev1ac.TCPSocketAction().WithPort(intstr.FromInt32(at)))
	}
	return probe.WithHTTPGet(corev1ac.HTTPGetAction().WithPath(where).WithPort(intstr.FromInt32(at)).WithScheme(scheme))
}

func (s Spec) probePort() (int32, corev1.URIScheme) {
	insecure, secure := Ports(s.Cluster, s.Store)
	if insecure > 0 {
		return insecure, corev1.URISchemeHTTP
	}
	return secure, corev1.URISchemeHTTPS
}

// probePath is a request that succeeds for everybody; empty if there is none.
func (s Spec) probePath() string {
	options := s.effective()
	prefix := "swift"
	if set := options[optionSwiftPrefix]; set != "" {
		prefix = strings.Trim(set, "/")
	}
	switch {
	case serves(options, string(api.ObjectStoreAPISwift)):
		return path.Join("/", prefix, "healthcheck")
	case serves(options, string(api.ObjectStoreAPIS3)):
		return "/"
	}
	return ""
}

// trust adds roots to those of the image. Where these are differs between images,
// and the library that gateways connect with knows one place only.
func (s Spec) trust(base daemon.Spec, pod *corev1ac.PodSpecApplyConfiguration, c *corev1ac.ContainerApplyConfiguration) {
	const (
		redHat, debian = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/certs/ca-certificates.crt"
		script         = `set -e; out=/trust/bundle.pem; : > $out; for f in ` + redHat + ` ` + debian + `; do ` +
			`if [ -s $f ]; then cat $f >> $out; echo >> $out; break; fi; done; cat /ca-bundle/` + keyBundle + ` >> $out`
	)
	pod.WithVolumes(
		corev1ac.Volume().WithName(volumeBundle).WithSecret(corev1ac.SecretVolumeSource().WithSecretName(s.Bundle.Secret).WithDefaultMode(readable)),
		corev1ac.Volume().WithName(volumeTrust).WithEmptyDir(corev1ac.EmptyDirVolumeSource()))
	pod.WithInitContainers(corev1ac.Container().WithName("trust").
		WithImage(base.Cluster.Spec.CephVersion.Image).
		WithCommand("/bin/sh", "-c", script).
		WithVolumeMounts(mount(volumeBundle, "/ca-bundle").WithReadOnly(true), mount(volumeTrust, "/trust")).
		WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).
			WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))))
	for _, at := range []string{redHat, debian} {
		c.WithVolumeMounts(mount(volumeTrust, at).WithSubPath("bundle.pem").WithReadOnly(true))
	}
}

// volumeName turns a path into a name that Kubernetes takes. Different paths have
// different names.
func volumeName(subPath string) string {
	return "rgw-" + Fingerprint(map[string]string{"path": subPath})
}

func port(name string, number int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(corev1.ProtocolTCP)
}

func mount(name, at string) *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().WithName(name).WithMountPath(at)
}

// convert turns a core type into its apply configuration. Both have the same JSON,
// and core types leave out what is not set, so nothing is added.
func convert[To any](from any) *To {
	to := new(To)
	body, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(body, to)
	}
	if err != nil {
		panic("core type and apply configuration differ: " + err.Error()) // a bug in the libraries
	}
	return to
}
