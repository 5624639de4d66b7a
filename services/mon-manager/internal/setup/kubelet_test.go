package setup

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// kubelet stands in for the scheduler, the kubelet and the controllers of
// Deployments and Jobs: pods run, and the daemons in them act on the fake Ceph.
type kubelet struct {
	t         *testing.T
	client    client.Client
	namespace string
	ceph      *cephtest.Cluster
	// broken are daemons whose pods cannot pull their image.
	broken map[string]bool
	// down are monitors that are kept from running.
	down map[string]bool
	born bool
	runs map[string]bool
}

// start runs the kubelet until the test ends.
func (k *kubelet) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait.UntilWithContext(ctx, k.sync, 20*time.Millisecond)
	}()
	k.t.Cleanup(func() { cancel(); <-done })
}

func (k *kubelet) sync(ctx context.Context) {
	for _, work := range []func(context.Context) error{k.deployments, k.jobs} {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			k.t.Logf("kubelet: %v", err)
		}
	}
}

func (k *kubelet) deployments(ctx context.Context) error {
	var list appsv1.DeploymentList
	if err := k.client.List(ctx, &list, client.InNamespace(k.namespace)); err != nil {
		return err
	}
	alive := map[string]bool{}
	for i := range list.Items {
		d := &list.Items[i]
		role, id := d.Labels[names.LabelDaemonType], d.Labels[names.LabelDaemonID]
		alive[role+"."+id] = true
		if err := k.pod(ctx, d.Name, d.Spec.Template); err != nil {
			return err
		}
		if err := k.run(ctx, role, id, d.Spec.Template.Spec.Containers[0]); err != nil {
			return err
		}
		if d.Status.ReadyReplicas == 1 && d.Status.ObservedGeneration == d.Generation {
			continue
		}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
		if err := k.client.Status().Update(ctx, d); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return k.stop(ctx, alive)
}

// run starts the daemon of a container.
func (k *kubelet) run(ctx context.Context, role, id string, c corev1.Container) error {
	name := role + "." + id
	if k.runs[name] || k.down[name] {
		return nil
	}
	switch role {
	case "mgr":
		k.ceph.StartMgr(id)
	case "mon":
		if err := k.birth(ctx); err != nil {
			return err
		}
		at := slices.IndexFunc(c.Args, func(arg string) bool { return strings.HasPrefix(arg, "--public-addr=") })
		k.ceph.StartMon(id, strings.TrimPrefix(c.Args[at], "--public-addr="))
	}
	k.runs[name] = true
	return nil
}

// birth gives the fake the identity that the Secret holds.
func (k *kubelet) birth(ctx context.Context) error {
	if k.born {
		return nil
	}
	var secret corev1.Secret
	if err := k.client.Get(ctx, client.ObjectKey{Namespace: k.namespace, Name: names.MonSecret}, &secret); err != nil {
		return err
	}
	k.ceph.SetIdentity(string(secret.Data["fsid"]), keyring.Key{Entity: string(secret.Data["ceph-username"]), Secret: string(secret.Data["ceph-secret"])})
	k.born = true
	return nil
}

// stop ends daemons whose Deployment is gone.
func (k *kubelet) stop(ctx context.Context, alive map[string]bool) error {
	for name := range k.runs {
		if alive[name] {
			continue
		}
		role, id, _ := strings.Cut(name, ".")
		if role == "mon" {
			k.ceph.LoseMon(id)
		}
		delete(k.runs, name)
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: "rook-ceph-" + role + "-" + id}}
		if err := k.client.Delete(ctx, pod, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func (k *kubelet) pod(ctx context.Context, name string, template corev1.PodTemplateSpec) error {
	var pod corev1.Pod
	err := k.client.Get(ctx, client.ObjectKey{Namespace: k.namespace, Name: name}, &pod)
	if client.IgnoreNotFound(err) != nil || err == nil {
		return err
	}
	pod = corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: name, Labels: template.Labels}, Spec: template.Spec}
	pod.Spec.ServiceAccountName = "default"
	pod.Spec.PriorityClassName = ""
	if err := k.client.Create(ctx, &pod); err != nil {
		return err
	}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	if k.broken[name] {
		pod.Status = corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
			Name: template.Spec.Containers[0].Name, Image: template.Spec.Containers[0].Image,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}},
		}}}
	}
	return k.client.Status().Update(ctx, &pod)
}

func (k *kubelet) jobs(ctx context.Context) error {
	var list batchv1.JobList
	if err := k.client.List(ctx, &list, client.InNamespace(k.namespace)); err != nil {
		return err
	}
	for i := range list.Items {
		job := &list.Items[i]
		var pod corev1.Pod
		err := k.client.Get(ctx, client.ObjectKey{Namespace: k.namespace, Name: job.Name}, &pod)
		if client.IgnoreNotFound(err) != nil || err == nil {
			continue
		}
		pod = corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: k.namespace, Name: job.Name, Labels: job.Spec.Template.Labels}, Spec: job.Spec.Template.Spec,
		}
		pod.Labels[batchv1.JobNameLabel] = job.Name
		pod.Spec.ServiceAccountName = "default"
		if err := k.client.Create(ctx, &pod); err != nil {
			return err
		}
		pod.Status = k.result(pod.Spec.Containers[0].Image)
		if err := k.client.Status().Update(ctx, &pod); err != nil {
			return err
		}
	}
	return nil
}

func (k *kubelet) result(image string) corev1.PodStatus {
	status := corev1.ContainerStatus{Name: "version", Image: image}
	if strings.Contains(image, "missing") {
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}
		return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{status}}
	}
	_, tag, _ := strings.Cut(image, ":v")
	status.State.Terminated = &corev1.ContainerStateTerminated{Message: "ceph version " + tag + " (fake) reef (stable)"}
	return corev1.PodStatus{Phase: corev1.PodSucceeded, ContainerStatuses: []corev1.ContainerStatus{status}}
}
