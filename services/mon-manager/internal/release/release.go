// Package release finds out which version of Ceph an image holds, by running
// the image once, and says which versions may run and may follow each other.
// It never asks a running cluster and never keeps a Job that is done.
package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/names"

	"github.com/rook-ceph/rook-ceph/services/mon-manager/internal/podstate"
)

// App is the app label of the detection pods.
const App = "rook-ceph-detect-version"

// The releases that are tested, and how far an upgrade may jump.
const (
	oldestMajor = 18
	newestMajor = 20
	mostJump    = 2
)

// Found is what is known about an image.
type Found struct {
	// Version as Maj.Min.Ext-Build; empty while unknown.
	Version string
	// Waiting says what is waited for while the version is unknown, and Reason
	// is the same as a token.
	Waiting, Reason string
}

// Detect runs the image once and returns its version when that is done.
func Detect(ctx context.Context, applier apply.Applier, cluster *api.CephCluster) (Found, error) {
	job := Job(cluster)
	if err := applier.Prune(ctx, cluster, &batchv1.JobList{}, *job.Name); err != nil {
		return Found{}, err
	}
	if err := applier.Set(ctx, cluster, job); err != nil {
		return Found{}, err
	}
	var pods corev1.PodList
	err := applier.Client.List(ctx, &pods, client.InNamespace(cluster.Namespace),
		client.MatchingLabels{batchv1.JobNameLabel: *job.Name})
	if err != nil {
		return Found{}, fmt.Errorf("list pods of Job %s: %w", *job.Name, err)
	}
	return read(cluster, pods.Items), nil
}

// Forget removes the Job that is done.
func Forget(ctx context.Context, applier apply.Applier, cluster *api.CephCluster) error {
	return applier.Prune(ctx, cluster, &batchv1.JobList{})
}

func read(cluster *api.CephCluster, pods []corev1.Pod) Found {
	image := cluster.Spec.CephVersion.Image
	for i := range pods {
		for _, status := range pods[i].Status.ContainerStatuses {
			if ended := status.State.Terminated; ended != nil && ended.ExitCode == 0 {
				if version := Parse(ended.Message); version != "" {
					return Found{Version: version}
				}
			}
		}
	}
	if trouble := podstate.Of(pods); trouble.Kind != podstate.None {
		return Found{Reason: api.ReasonImageMissing, Waiting: fmt.Sprintf("The Ceph version of image %q cannot be read: %s", image, trouble.Message)}
	}
	return Found{Reason: api.ReasonDetectingVersion, Waiting: fmt.Sprintf("Detecting the Ceph version of image %q", image)}
}

// Job returns the Job that prints the version of the cluster's image.
func Job(cluster *api.CephCluster) *batchv1ac.JobApplyConfiguration {
	image := cluster.Spec.CephVersion.Image
	sum := sha256.Sum256([]byte(image))
	labels := map[string]string{names.LabelApp: App, names.LabelCluster: cluster.Namespace, names.LabelPartOf: cluster.Name}
	container := corev1ac.Container().WithName("version").WithImage(image).
		WithCommand("/bin/sh", "-c", "ceph-mon --version >/dev/termination-log").
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
	if policy := cluster.Spec.CephVersion.ImagePullPolicy; policy != "" {
		container.WithImagePullPolicy(policy)
	}
	const nobody = 65534
	pod := corev1ac.PodSpec().WithRestartPolicy(corev1.RestartPolicyOnFailure).
		WithServiceAccountName(names.DaemonAccount). // it knows how to pull the image
		WithAutomountServiceAccountToken(false).WithEnableServiceLinks(false).
		WithSecurityContext(corev1ac.PodSecurityContext().WithRunAsNonRoot(true).WithRunAsUser(nobody).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithTolerations(corev1ac.Toleration().WithOperator(corev1.TolerationOpExists)).
		WithContainers(container)
	return batchv1ac.Job(App+"-"+hex.EncodeToString(sum[:4]), cluster.Namespace).WithLabels(labels).
		WithSpec(batchv1ac.JobSpec().WithBackoffLimit(1000).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels).WithSpec(pod)))
}

var versionText = regexp.MustCompile(`ceph version (\d+)\.(\d+)\.(\d+)(?:-(\d+))?`)

// Parse reads what Ceph's programs print about themselves and returns
// Maj.Min.Ext-Build, or "".
func Parse(text string) string {
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return ""
	}
	build := parts[4]
	if build == "" {
		build = "0"
	}
	return fmt.Sprintf("%s.%s.%s-%s", parts[1], parts[2], parts[3], build)
}

// Refuse returns why the version must not run, or "". Running is the version
// that the cluster runs now, "" for a new one.
func Refuse(cluster *api.CephCluster, running, wanted string) string {
	image := cluster.Spec.CephVersion.Image
	major := numbers(wanted)[0]
	if (major < oldestMajor || major > newestMajor) && !cluster.Spec.CephVersion.AllowUnsupported {
		return fmt.Sprintf("Image %q holds Ceph %s; supported are %d to %d. Use such an image or set `spec.cephVersion.allowUnsupported`",
			image, wanted, oldestMajor, newestMajor)
	}
	if running == "" {
		return ""
	}
	if older(wanted, running) {
		return fmt.Sprintf("Image %q holds Ceph %s, but the cluster runs %s already, and Ceph cannot go back; use an image of %s or later",
			image, wanted, running, running)
	}
	if from := numbers(running)[0]; major-from > mostJump {
		return fmt.Sprintf("Image %q holds Ceph %s; from %s an upgrade may skip one release only. Use Ceph %d first", image, wanted, running, from+mostJump)
	}
	return ""
}

// Newest returns the highest of the versions, "" of none.
func Newest(versions ...string) string {
	newest := ""
	for _, version := range versions {
		if version != "" && (newest == "" || older(newest, version)) {
			newest = version
		}
	}
	return newest
}

func older(a, b string) bool {
	left, right := numbers(a), numbers(b)
	for i := range left {
		if left[i] != right[i] {
			return left[i] < right[i]
		}
	}
	return false
}

// numbers returns major, minor, extra and build.
func numbers(version string) [4]int {
	var out [4]int
	fields := strings.FieldsFunc(version, func(r rune) bool { return r == '.' || r == '-' })
	for i := 0; i < len(fields) && i < len(out); i++ {
		if number, err := strconv.Atoi(fields[i]); err == nil {
			out[i] = number
		}
	}
	return out
}
