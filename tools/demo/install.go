package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/tools/local"
	"github.com/rook-ceph/rook-ceph/tools/release"
)

// step is one part of the installation.
type step struct {
	title string
	do    func(context.Context) error
}

// installation carries what the steps share.
type installation struct {
	local.Settings
	charts string
	helm   release.Helm
	kube   client.WithWatch
	out    io.Writer
}

func install(c *cli.Context) error {
	ctx, cancel := context.WithTimeout(c.Context, c.Duration(flagTimeout))
	defer cancel()
	kube, err := connect(c.String(flagKubeconfig))
	if err != nil {
		return err
	}
	in := &installation{
		Settings: local.Settings{Namespace: c.String(flagNamespace), Registry: c.String(flagRegistry), Tag: c.String(flagTag),
			CephTag: c.String(flagCephTag), Nodes: c.Int(flagNodes)},
		charts: c.String(flagCharts), helm: release.Helm{Kubeconfig: c.String(flagKubeconfig)}, kube: kube, out: c.App.Writer,
	}
	services := in.ServiceValues()
	if err := stampImages(services, c.String(flagImages)); err != nil {
		return err
	}
	if err := in.run(ctx, services); err != nil {
		return err
	}
	return page(ctx, kube, in.Namespace, in.out)
}

func (in *installation) run(ctx context.Context, services map[string]any) error {
	steps := []step{
		{"install chart rook-ceph", in.chart("rook-ceph", services)},
		{"install chart rook-ceph-cluster", in.chart("rook-ceph-cluster", in.ClusterValues())},
		{"wait for the Ceph cluster", in.awaitCluster},
		{"wait for the block pool", in.awaitPool},
		{"wait for the file system", in.awaitFilesystem},
		{"wait for the object store", in.awaitObjectStore},
		{"claim volumes and a bucket, and use them", in.createWorkload},
		{"wait for the volumes", in.awaitClaims},
		{"wait for the pod that writes and reads a block volume", in.awaitPods("checksum matches", blockName)},
		{"wait for the pods that share a file system", in.awaitPods("has read what the other wrote", sharers...)},
		{"wait for the bucket", in.awaitBucket},
		{"wait for the pod that stores and fetches an object", in.awaitPods("has fetched what it stored", bucketName)},
	}
	for i, s := range steps {
		began := time.Now()
		fmt.Fprintf(in.out, "[%d/%d] %s\n", i+1, len(steps), s.title)
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		fmt.Fprintf(in.out, "      done in %.1f s\n", time.Since(began).Seconds())
	}
	return nil
}

func (in *installation) chart(name string, values map[string]any) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := in.helm.Apply(ctx, release.Release{
			Name: name, Namespace: in.Namespace, Chart: filepath.Join(in.charts, name), Values: values})
		return err
	}
}

func (in *installation) createWorkload(ctx context.Context) error {
	for _, obj := range workload(in.CephImage()) {
		if err := in.kube.Create(ctx, obj); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %T: %w", obj, err)
		}
	}
	return nil
}

func (in *installation) awaitClaims(ctx context.Context) error {
	for _, name := range []string{blockName, shareName} {
		key := client.ObjectKey{Namespace: workloadNamespace, Name: name}
		err := await(ctx, in, key, &corev1.PersistentVolumeClaimList{}, func(claim *corev1.PersistentVolumeClaim) (bool, string) {
			return claim.Status.Phase == corev1.ClaimBound, fmt.Sprintf("%s: %s", name, claim.Status.Phase)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *installation) awaitPods(success string, pods ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, name := range pods {
			key := client.ObjectKey{Namespace: workloadNamespace, Name: name}
			err := await(ctx, in, key, &corev1.PodList{}, func(pod *corev1.Pod) (bool, string) {
				if ready(pod) {
					return true, name + ": " + success
				}
				return false, name + ": " + podState(pod)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// podState says in a word or two what a pod does.
func podState(pod *corev1.Pod) string {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if waiting := status.State.Waiting; waiting != nil && waiting.Message != "" {
			return fmt.Sprintf("%s: %s: %s", status.Name, waiting.Reason, waiting.Message)
		}
	}
	return string(pod.Status.Phase)
}
