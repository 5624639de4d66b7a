//go:build e2e

// Package block tells the story of a block volume: claimed, used by one pod and
// then by another, as a file system and as a raw device, and deleted.
package block

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

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
	before := h.Daemons(t)
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
			h.AwaitBound(t, claim)
			for i, script := range []string{tc.write, tc.check} {
				pod := h.User(fmt.Sprintf("story-%s-%d", tc.name, i), claim, script)
				h.CreateAll(t, pod)
				h.AwaitPhase(t, pod, corev1.PodSucceeded)
				h.Remove(t, time.Minute, pod)
			}
			h.Discard(t, claim)
		})
	}
	before.AssertUntouched(t, h.Daemons(t))
}
