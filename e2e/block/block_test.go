//go:build e2e

// Package block tells the story of a block volume: claimed, used by one pod and
// then by another, as a file system and as a raw device, and deleted.
package block

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

const (
	writeFile  = `head -c 32M /dev/urandom > /data/blob; sha256sum /data/blob > /data/sum; sync`
	checkFile  = `sha256sum -c /data/sum`
	writeBlock = `head -c 32M /dev/urandom > /tmp/blob; dd if=/tmp/blob of=/dev/data bs=1M oflag=direct; ` +
		`sha256sum < /tmp/blob | dd of=/dev/data bs=1M seek=64 conv=sync oflag=direct`
	checkBlock = `want=$(dd if=/dev/data bs=1M skip=64 count=1 | head -c 64); ` +
		`got=$(dd if=/dev/data bs=1M count=32 iflag=direct | sha256sum | head -c 64); test "$want" = "$got"`
)

func TestAVolumeKeepsWhatWasWritten(t *testing.T) {
	h := harness.New(t)
	for _, tc := range []struct {
		name         string
		mode         corev1.PersistentVolumeMode
		write, check string
	}{
		{"filesystem", corev1.PersistentVolumeFilesystem, writeFile, checkFile},
		{"block", corev1.PersistentVolumeBlock, writeBlock, checkBlock},
	} {
		t.Run(tc.name, func(t *testing.T) {
			claim := harness.Claim("story-"+tc.name, local.StorageClass, tc.mode)
			h.CreateAll(t, claim)
			awaitBound(t, h, claim)
			for i, script := range []string{tc.write, tc.check} {
				pod := h.User(fmt.Sprintf("story-%s-%d", tc.name, i), claim, script)
				h.CreateAll(t, pod)
				awaitSucceeded(t, h, pod)
				if err := h.Delete(t.Context(), pod); err != nil {
					t.Fatal(err)
				}
				h.Gone(t, time.Minute, pod)
			}
			volume := &corev1.PersistentVolume{}
			if err := h.Get(t.Context(), client.ObjectKey{Name: claim.Spec.VolumeName}, volume); err != nil {
				t.Fatal(err)
			}
			if err := h.Delete(t.Context(), claim); err != nil {
				t.Fatal(err)
			}
			h.Gone(t, time.Minute, volume)
		})
	}
}

func awaitBound(t *testing.T, h *harness.Harness, claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	h.Eventually(t, time.Minute, "claim is bound", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil {
			return false, err.Error()
		}
		return claim.Status.Phase == corev1.ClaimBound, string(claim.Status.Phase)
	})
}

func awaitSucceeded(t *testing.T, h *harness.Harness, pod *corev1.Pod) {
	t.Helper()
	h.Eventually(t, 2*time.Minute, "pod "+pod.Name+" succeeded", func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return false, err.Error()
		}
		if pod.Status.Phase == corev1.PodFailed {
			t.Fatalf("pod %s failed: %+v", pod.Name, pod.Status.ContainerStatuses)
		}
		return pod.Status.Phase == corev1.PodSucceeded, fmt.Sprint(pod.Status.Phase, pod.Status.Conditions)
	})
}
