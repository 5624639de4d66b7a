package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	inventory "github.com/rook-ceph/rook-ceph/shared/api/inventory/v1alpha1"
)

func status(c *cli.Context) error {
	kube, err := connect(c.String(flagKubeconfig))
	if err != nil {
		return err
	}
	return page(c.Context, kube, c.String(flagNamespace), c.App.Writer)
}

// page shows the cluster, its services, its OSDs, the volumes and the bucket on one
// screen.
func page(ctx context.Context, kube client.Client, namespace string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, part := range []func(context.Context, client.Client, string, io.Writer) error{clusters, services, osds, volumes, buckets} {
		if err := part(ctx, kube, namespace, table); err != nil {
			return err
		}
	}
	fmt.Fprintf(table, "\nNext:\n  bin/kubectl --kubeconfig .local/kubeconfig get cephclusters -A\n"+
		"  bin/kubectl --kubeconfig .local/kubeconfig get cephdisks\n"+
		"  bin/kubectl --kubeconfig .local/kubeconfig --namespace %s exec -it deploy/rook-ceph-tools -- ceph status\n", namespace)
	return table.Flush()
}

func clusters(ctx context.Context, kube client.Client, namespace string, out io.Writer) error {
	list := api.CephClusterList{}
	if err := kube.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	for _, cluster := range list.Items {
		health, checks := healthOf(cluster.Status.CephStatus)
		if health == "" {
			health = "unknown"
		}
		row(out, "\nCephCluster "+cluster.Namespace+"/"+cluster.Name, string(cluster.Status.Phase), strings.TrimSpace(health+" "+checks))
		conditions := slices.SortedFunc(slices.Values(cluster.Status.Conditions), func(a, b api.Condition) int {
			return strings.Compare(a.Type, b.Type)
		})
		for _, condition := range conditions {
			if api.Writer(condition.Type) != api.WriterReport || condition.Type == api.ConditionReady {
				row(out, "  "+condition.Type, string(condition.Status), condition.Message)
			}
		}
	}
	return nil
}

// row writes a line of the table, without cells at its end that are empty.
func row(out io.Writer, cells ...string) {
	fmt.Fprintln(out, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func services(ctx context.Context, kube client.Client, namespace string, out io.Writer) error {
	pods := corev1.PodList{}
	if err := kube.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	running, all, names := map[string]int{}, map[string]int{}, []string{}
	for _, pod := range pods.Items {
		name := pod.Labels["app.kubernetes.io/name"]
		if pod.Status.Phase == corev1.PodSucceeded || name == "" {
			continue
		}
		if all[name] == 0 {
			names = append(names, name)
		}
		all[name]++
		if ready(&pod) {
			running[name]++
		}
	}
	fmt.Fprintf(out, "\nPods\tREADY\n")
	for _, name := range names {
		fmt.Fprintf(out, "  %s\t%d/%d\n", name, running[name], all[name])
	}
	return nil
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func osds(ctx context.Context, kube client.Client, namespace string, out io.Writer) error {
	disks := inventory.CephDiskList{}
	if err := kube.List(ctx, &disks); err != nil {
		return fmt.Errorf("list disks: %w", err)
	}
	list := inventory.CephOSDList{}
	if err := kube.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("list OSDs: %w", err)
	}
	fmt.Fprintf(out, "\nDisks\t%d\nOSDs\t%d\n", len(disks.Items), len(list.Items))
	return nil
}

func volumes(ctx context.Context, kube client.Client, _ string, out io.Writer) error {
	claims := corev1.PersistentVolumeClaimList{}
	if err := kube.List(ctx, &claims, client.InNamespace(workloadNamespace)); err != nil {
		return fmt.Errorf("list claims: %w", err)
	}
	for _, claim := range claims.Items {
		row(out, "\nVolume "+claim.Namespace+"/"+claim.Name, string(claim.Status.Phase), claim.Spec.VolumeName)
	}
	return nil
}
