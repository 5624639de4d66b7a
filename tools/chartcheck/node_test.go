package chartcheck

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// nodeAgent renders the pod of node-agent.
func nodeAgent(t *testing.T, values map[string]any) corev1.PodSpec {
	t.Helper()
	for _, object := range ofKind(mustRender(t, "rook-ceph", map[string]any{"node-agent": values}), "DaemonSet") {
		if object.GetName() == "node-agent" {
			return as[appsv1.DaemonSet](t, object).Spec.Template.Spec
		}
	}
	t.Fatal("the chart has no DaemonSet node-agent")
	return corev1.PodSpec{}
}

func TestNodeAgentLoadsModulesUnlessToldNotTo(t *testing.T) {
	const modules = "/lib/modules"
	for _, load := range []bool{true, false} {
		values := map[string]any{}
		if !load {
			values["loadModules"] = false
		}
		pod := nodeAgent(t, values)
		container := pod.Containers[0]
		if got := slices.Contains(container.Args, "--load-modules"); got != load {
			t.Errorf("loadModules %t: arguments %v", load, container.Args)
		}
		mounted := slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == modules && m.ReadOnly })
		// A type that wants the directory to be there would keep the pod from starting.
		offered := slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
			return v.HostPath != nil && v.HostPath.Path == modules && v.HostPath.Type != nil && *v.HostPath.Type == corev1.HostPathDirectoryOrCreate
		})
		if mounted != load || offered != load {
			t.Errorf("loadModules %t: mounted %t, offered %t", load, mounted, offered)
		}
	}
}

func TestNodeAgentMayEndItsCalls(t *testing.T) {
	const want = 30
	if got := nodeAgent(t, map[string]any{}).TerminationGracePeriodSeconds; got == nil || *got != want {
		t.Errorf("want %d seconds, got %v", want, got)
	}
}

func TestDriversAreServedUnlessSwitchedOff(t *testing.T) {
	const off = "--enable-cephfs-driver=false"
	for _, enabled := range []bool{true, false} {
		values := map[string]any{"global": map[string]any{"csi": map[string]any{"enableCephfsDriver": enabled}}}
		objects := mustRender(t, "rook-ceph", values)
		args := map[string][]string{}
		for _, object := range ofKind(objects, "DaemonSet") {
			args[object.GetName()] = as[appsv1.DaemonSet](t, object).Spec.Template.Spec.Containers[0].Args
		}
		for _, object := range ofKind(objects, "Deployment") {
			args[object.GetName()] = as[appsv1.Deployment](t, object).Spec.Template.Spec.Containers[0].Args
		}
		for _, service := range []string{"node-agent", "provisioner"} {
			if got := slices.Contains(args[service], off); got == enabled {
				t.Errorf("enableCephfsDriver %t: arguments of %s: %v", enabled, service, args[service])
			}
		}
		if load := slices.Contains(args["node-agent"], "--load-modules"); !load {
			t.Errorf("enableCephfsDriver %t: modules are not loaded: %v", enabled, args["node-agent"])
		}
	}
}
