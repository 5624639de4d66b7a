//go:build envtest

package apply_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// rooks is a Deployment with more in it than we want.
func rooks(namespace string) *appsv1.Deployment {
	selected := map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": "0", "managed-by": "rook"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rook-ceph-osd-0", Labels: map[string]string{"app": "rook-ceph-osd", "rook-version": "v1"}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: selected},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: ptr.To(intstr.FromInt32(1))}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": "0", "managed-by": "rook", "portable": "false"}},
				Spec: corev1.PodSpec{
					HostPID:        true,
					Volumes:        []corev1.Volume{{Name: "run", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/run/udev"}}}},
					InitContainers: []corev1.Container{{Name: "activate", Image: "ceph"}},
					Containers: []corev1.Container{
						{Name: "osd", Image: "ceph:old", Args: []string{"--foreground", "--theirs"}, Env: []corev1.EnvVar{{Name: "THEIRS", Value: "1"}},
							VolumeMounts: []corev1.VolumeMount{{Name: "run", MountPath: "/run/udev"}}},
						{Name: "log-collector", Image: "ceph:old"},
					},
				},
			},
		},
	}
}

func ours(namespace string) *appsv1ac.DeploymentApplyConfiguration {
	selector := map[string]string{"app": "rook-ceph-osd", "osd": "0"}
	return appsv1ac.Deployment("rook-ceph-osd-0", namespace).WithLabels(map[string]string{"app": "rook-ceph-osd"}).
		WithSpec(appsv1ac.DeploymentSpec().WithReplicas(1).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(selector)).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(map[string]string{"app": "rook-ceph-osd", "osd": "0", "managed-by": "osd-manager"}).
				WithSpec(corev1ac.PodSpec().WithContainers(
					corev1ac.Container().WithName("osd").WithImage("ceph:new").WithArgs("--foreground").
						WithEnv(corev1ac.EnvVar().WithName("OURS").WithValue("1"))))))
}

// Rook's Deployment becomes ours, but for its selector and what a person added.
func TestADeploymentOfRookIsTakenOver(t *testing.T) {
	ctx, c := t.Context(), testenv.Client(t)
	owner := cluster(t, c)
	live := rooks(owner.Namespace)
	if err := c.Create(ctx, live, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	live.Spec.Template.Spec.Containers[0].Args = append(live.Spec.Template.Spec.Containers[0].Args, "--later")
	if err := c.Update(ctx, live, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	live.Labels["by-hand"] = "yes"
	if err := c.Update(ctx, live, client.FieldOwner("kubectl-edit")); err != nil {
		t.Fatal(err)
	}
	a := apply.Applier{Client: c, Manager: "osd-manager.rollout"}
	if err := a.Set(ctx, owner, ours(owner.Namespace)); err != nil {
		t.Fatal(err)
	}
	settled := version(ctx, t, c, live)
	if diff := cmp.Diff(map[string]string{"app": "rook-ceph-osd", "by-hand": "yes", apply.ManagedBy: a.Manager}, live.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rooks("").Spec.Selector, live.Spec.Selector); diff != "" {
		t.Errorf("selector (-want +got):\n%s", diff)
	}
	pods := map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": "0", "managed-by": "rook", "osd": "0"}
	if diff := cmp.Diff(pods, live.Spec.Template.Labels); diff != "" {
		t.Errorf("labels of pods (-want +got):\n%s", diff)
	}
	isOurs(t, live.Spec.Template.Spec)
	if err := a.Set(ctx, owner, ours(owner.Namespace)); err != nil {
		t.Fatal(err)
	}
	if version(ctx, t, c, live) != settled {
		t.Error("it was written a second time")
	}
}

func isOurs(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 || len(pod.Volumes) != 0 || pod.HostPID {
		t.Fatalf("something of the pod is not ours: %+v", pod)
	}
	got := pod.Containers[0]
	if len(got.VolumeMounts) != 0 || got.Image != "ceph:new" {
		t.Errorf("something of the container is not ours: %+v", got)
	}
	if diff := cmp.Diff([]string{"--foreground"}, got.Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]corev1.EnvVar{{Name: "OURS", Value: "1"}}, got.Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

// A budget may not say both of what it can say. Rook's says the other one.
func TestABudgetOfRookIsTakenOver(t *testing.T) {
	ctx, c := t.Context(), testenv.Client(t)
	namespace := testenv.Namespace(t, c)
	match := map[string]string{"rook_file_system": "myfs"}
	live := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rook-ceph-mds-myfs"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: ptr.To(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: match}},
	}
	if err := c.Create(ctx, live, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	wanted := policyv1ac.PodDisruptionBudget(live.Name, namespace).WithSpec(policyv1ac.PodDisruptionBudgetSpec().
		WithMaxUnavailable(intstr.FromInt32(1)).WithSelector(metav1ac.LabelSelector().WithMatchLabels(match)))
	if err := (apply.Applier{Client: c, Manager: "mds-manager.filesystem"}).Set(ctx, nil, wanted); err != nil {
		t.Fatal(err)
	}
	version(ctx, t, c, live)
	if live.Spec.MinAvailable != nil || live.Spec.MaxUnavailable == nil {
		t.Errorf("got %+v", live.Spec)
	}
}

// The address of a Service is where others look for a monitor, and no field of ours.
func TestAServiceOfRookKeepsItsAddress(t *testing.T) {
	ctx, c := t.Context(), testenv.Client(t)
	made := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: testenv.Namespace(t, c), Name: "rook-ceph-mon-a"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"mon_daemon": "true"}, Ports: []corev1.ServicePort{
			{Name: "tcp-msgr1", Port: 6789}, {Name: "theirs", Port: 1}}},
	}
	first := made.DeepCopy()
	if err := c.Create(ctx, first, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, first); err != nil {
		t.Fatal(err)
	}
	made.Spec.ClusterIP = first.Spec.ClusterIP // as when a lost Service is made again
	if err := c.Create(ctx, made, client.FieldOwner("rook")); err != nil {
		t.Fatal(err)
	}
	wanted := corev1ac.Service(made.Name, made.Namespace).WithSpec(corev1ac.ServiceSpec().WithSelector(map[string]string{"mon": "a"}).
		WithPorts(corev1ac.ServicePort().WithName("tcp-msgr1").WithPort(6789)))
	if err := (apply.Applier{Client: c, Manager: "mon-manager.quorum"}).Set(ctx, nil, wanted); err != nil {
		t.Fatal(err)
	}
	version(ctx, t, c, made)
	if made.Spec.ClusterIP != first.Spec.ClusterIP {
		t.Errorf("address %s became %s", first.Spec.ClusterIP, made.Spec.ClusterIP)
	}
	if diff := cmp.Diff(map[string]string{"mon": "a"}, made.Spec.Selector); diff != "" || len(made.Spec.Ports) != 1 {
		t.Errorf("got ports %v and selector (-want +got):\n%s", made.Spec.Ports, diff)
	}
}
