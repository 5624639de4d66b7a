package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/fleet"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/pod"
	"github.com/rook-ceph/rook-ceph/services/osd-manager/internal/session"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/daemon"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const (
	containerPrepare = "prepare"
	// annotationFacts is a hash of what was known of the disk when the Job was made.
	annotationFacts = "inventory.ceph.rook.io/disk-facts"
	// keepSeconds is how long an ended Job stays; its end is the next attempt.
	keepSeconds = 3600
	// deadlineSeconds ends a Job that hangs on a broken disk.
	deadlineSeconds = 900
)

// createSecret stores a new key. Another key that was stored meanwhile wins.
func (p *pass) createSecret(ctx context.Context, key keyring.Key) error {
	made := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.osd.Namespace, Name: fleet.Keyring(p.osd), Labels: pod.ClusterLabels(p.cluster)},
		Type:       names.SecretType,
		Data:       map[string][]byte{fleet.Key: []byte(key.Secret)},
	}
	if err := ctrl.SetControllerReference(p.cluster, made, p.Client.Scheme()); err != nil {
		return fmt.Errorf("own Secret %s: %w", made.Name, err)
	}
	err := p.Client.Create(ctx, made, client.FieldOwner(Name))
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create Secret %s: the cache is behind: %w", made.Name, err)
	}
	if err != nil {
		return fmt.Errorf("create Secret %s: %w", made.Name, err)
	}
	p.seen.Secret = made
	return nil
}

// bareSecret holds the key of an OSD that has no number yet.
func bareSecret(cluster *api.CephCluster, osd *inventory.CephOSD, key string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(fleet.Keyring(osd), osd.Namespace).
		WithLabels(pod.ClusterLabels(cluster)).
		WithType(names.SecretType).
		WithData(map[string][]byte{fleet.Key: []byte(key)})
}

// secret holds the key and the keyring file of an OSD.
func secret(cluster *api.CephCluster, osd *inventory.CephOSD, key string) *corev1ac.SecretApplyConfiguration {
	file := keyring.Render(keyring.Key{Entity: "osd." + fleet.ID(osd), Secret: key}, nil)
	return bareSecret(cluster, osd, key).WithData(map[string][]byte{"keyring": []byte(file)})
}

// numbered is the CephOSD with nothing but what Ceph says of it: its number
// and, if it was adopted, its class.
func numbered(osd *inventory.CephOSD, id int32, class string) runtime.ApplyConfiguration {
	spec := map[string]any{"id": int64(id)}
	if class != "" {
		spec["deviceClass"] = class
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(inventory.SchemeGroupVersion.WithKind("CephOSD"))
	u.SetNamespace(osd.Namespace)
	u.SetName(osd.Name)
	return client.ApplyConfigurationFromUnstructured(u)
}

// job prepares the disk of an OSD. It runs one pod once: its message is the
// result, and the controller decides about another attempt.
func job(cluster *api.CephCluster, osd *inventory.CephOSD, disk *inventory.CephDisk, node *corev1.Node, image string) *batchv1ac.JobApplyConfiguration {
	spec := pod.Spec(cluster, osd, image)
	labels := names.Daemon(cluster.Namespace, cluster.Name, api.RoleOSD, fleet.ID(osd), session.Service)
	labels[names.LabelApp] = pod.AppPrepare
	template := spec.Pod().
		WithRestartPolicy(corev1.RestartPolicyNever).
		WithInitContainers(pod.InstallPrepare(image)).
		WithContainers(container(spec, cluster, osd)).
		WithNodeSelector(pod.NodeSelector(osd, node)).
		WithVolumes(pod.HostVolumes()...).
		WithTerminationGracePeriodSeconds(5)
	return batchv1ac.Job(fleet.JobName(osd), osd.Namespace).
		WithLabels(labels).
		WithAnnotations(map[string]string{annotationFacts: facts(disk)}).
		WithSpec(batchv1ac.JobSpec().
			WithBackoffLimit(0).
			WithTTLSecondsAfterFinished(keepSeconds).
			WithActiveDeadlineSeconds(deadlineSeconds).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels).WithSpec(template)))
}

func container(spec daemon.Spec, cluster *api.CephCluster, osd *inventory.CephOSD) *corev1ac.ContainerApplyConfiguration {
	args := append([]string{"prepare"}, pod.Identity(cluster, osd)...)
	args = append(args,
		"--keyfile="+daemon.KeyringDir+"/"+fleet.Key,
		"--work-dir="+spec.DataPath,
		"--result="+pod.MessagePath,
		"--",
		"--mon-host=$(ROOK_CEPH_MON_HOST)",
		"--keyring="+daemon.KeyringPath,
		"--log-to-stderr=true", "--log-to-file=false",
	)
	c := spec.Container(containerPrepare, pod.PrepareProgram, args...)
	pod.Observe(c)
	c.Resources = nil
	if resources, given := cluster.Spec.Resources[string(api.KeyOSDPrepare)]; given {
		c.WithResources(pod.Resources(resources))
	}
	return c
}

// facts is a hash of what decides about a disk. An attempt that failed is
// repeated when it changes.
func facts(disk *inventory.CephDisk) string {
	status := disk.Status.DeepCopy()
	status.Selection = nil
	status.Device, status.Path, status.Links = "", "", nil
	body, err := json.Marshal(status)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}
