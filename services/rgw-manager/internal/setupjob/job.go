package setupjob

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	// AppPod is the label app of the pods. The Jobs have that of gateways, as all
	// that this service caches; the pods must not, or the Services would lead to them.
	AppPod = "rook-ceph-rgw-setup"
	// labelRealm and labelOwner tell Jobs of one realm and of one object apart from
	// others. Their values are hashes, since names may be too long for a label.
	labelRealm = "ceph.rook.io/setup-realm"
	labelOwner = "ceph.rook.io/setup-owner"
	// annotationHash is the hash of the wish.
	annotationHash = "ceph.rook.io/setup-hash"

	containerSetup = "setup"
	program        = daemon.CephletDir + "/rgw-setup"
	keysDir        = "/etc/rook-ceph-keys"
	// exitRefused is how rgw-setup ends when trying again is of no use.
	exitRefused = 3

	// attempts after the first one, which Kubernetes makes with growing pauses.
	attempts        = 3
	deadlineSeconds = 900
	keepSeconds     = 1800
	nameLength      = 24
)

// digest is a short hash of texts.
func digest(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:5])
}

// Name is the Job of an object of a kind that wants something.
func Name(kind, name string, wanted rgwadmin.Wanted) string {
	short := strings.ToLower(strings.ReplaceAll(name, ".", "-"))
	if len(short) > nameLength {
		short = strings.TrimRight(short[:nameLength], "-")
	}
	return fmt.Sprintf("rook-ceph-rgw-setup-%s-%s", short, digest(kind, name, wanted.Hash()))
}

func labels(cluster *api.CephCluster, kind, name string, wanted rgwadmin.Wanted) map[string]string {
	return map[string]string{
		names.LabelApp:       gateway.App,
		names.LabelCluster:   cluster.Namespace,
		names.LabelPartOf:    cluster.Name,
		names.LabelManagedBy: gateway.Service,
		names.LabelCreatedBy: "rook-ceph",
		labelRealm:           digest(wanted.Realm.Name),
		labelOwner:           digest(kind, name),
	}
}

// job runs rgw-setup once and, while it fails, some times more.
func job(cluster *api.CephCluster, kind string, owner client.Object, wanted rgwadmin.Wanted, image string) (*batchv1ac.JobApplyConfiguration, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, fmt.Errorf("encode what is wanted: %w", err)
	}
	spec := daemon.Spec{
		Cluster: cluster, Role: api.RoleRGW, ID: "setup", Service: gateway.Service,
		Keyring: names.ServiceKeyring(gateway.Service), CephletImage: image,
		HostNetwork: cluster.Spec.Network.UsesHostNetwork(),
	}
	pod := spec.Pod().
		WithRestartPolicy(corev1.RestartPolicyNever).
		WithInitContainers(install(image)).
		WithContainers(container(spec, wanted, string(body))).
		WithVolumes(keyVolumes(wanted)...).
		WithTerminationGracePeriodSeconds(10)
	onJob := labels(cluster, kind, owner.GetName(), wanted)
	onPod := map[string]string{}
	for key, value := range onJob {
		onPod[key] = value
	}
	onPod[names.LabelApp] = AppPod
	return batchv1ac.Job(Name(kind, owner.GetName(), wanted), owner.GetNamespace()).
		WithLabels(onJob).
		WithAnnotations(map[string]string{annotationHash: wanted.Hash()}).
		WithSpec(batchv1ac.JobSpec().
			WithBackoffLimit(attempts).
			WithTTLSecondsAfterFinished(keepSeconds).
			WithActiveDeadlineSeconds(deadlineSeconds).
			WithPodFailurePolicy(batchv1ac.PodFailurePolicy().WithRules(batchv1ac.PodFailurePolicyRule().
				WithAction(batchv1.PodFailurePolicyActionFailJob).
				WithOnExitCodes(batchv1ac.PodFailurePolicyOnExitCodesRequirement().WithContainerName(containerSetup).
					WithOperator(batchv1.PodFailurePolicyOnExitCodesOpIn).WithValues(exitRefused)))).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(onPod).WithSpec(pod))), nil
}

// install is the init container that brings rgw-setup into the pod.
func install(image string) *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().WithName("rgw-setup").
		WithImage(image).
		WithCommand("/usr/local/bin/rgw-setup", "install", daemon.CephletDir).
		WithVolumeMounts(corev1ac.VolumeMount().WithName("cephlet").WithMountPath(daemon.CephletDir)).
		WithSecurityContext(corev1ac.SecurityContext().WithRunAsUser(0).WithRunAsNonRoot(false).
			WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
}

func container(spec daemon.Spec, wanted rgwadmin.Wanted, body string) *corev1ac.ContainerApplyConfiguration {
	c := spec.Container(containerSetup, program,
		"apply", "--keys="+keysDir, "--",
		"--name="+keyring.RGWManager().Entity,
		"--keyring="+daemon.KeyringPath,
		"--fsid="+spec.Cluster.Status.Connection.FSID,
		"--mon-host=$(ROOK_CEPH_MON_HOST)",
		"--no-mon-config", "--log-to-file=false", "--log-to-stderr=false",
	).WithEnv(corev1ac.EnvVar().WithName("RGW_WANTED").WithValue(escape(body)))
	for i, name := range secrets(wanted) {
		c.WithVolumeMounts(corev1ac.VolumeMount().WithName(keyVolume(i)).WithMountPath(keysDir + "/" + name).WithReadOnly(true))
	}
	c.Resources = nil // those of a gateway would be too much
	return c
}

// escape keeps Kubernetes from expanding what looks like a variable.
func escape(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// secrets are the names of the Secrets with keys, each once.
func secrets(wanted rgwadmin.Wanted) []string {
	var list []string
	seen := map[string]bool{}
	for _, ref := range wanted.KeyRefs() {
		if !seen[ref.Secret] {
			seen[ref.Secret], list = true, append(list, ref.Secret)
		}
	}
	return list
}

func keyVolume(i int) string { return fmt.Sprintf("keys-%d", i) }

func keyVolumes(wanted rgwadmin.Wanted) []*corev1ac.VolumeApplyConfiguration {
	var volumes []*corev1ac.VolumeApplyConfiguration
	for i, name := range secrets(wanted) {
		source := corev1ac.SecretVolumeSource().WithSecretName(name).WithDefaultMode(0o400)
		seen := map[string]bool{}
		for _, ref := range wanted.KeyRefs() {
			for _, key := range []string{ref.AccessKey, ref.SecretKey} {
				if ref.Secret == name && !seen[key] {
					seen[key] = true
					source.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(key))
				}
			}
		}
		volumes = append(volumes, corev1ac.Volume().WithName(keyVolume(i)).WithSecret(source))
	}
	return volumes
}
