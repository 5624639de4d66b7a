//go:build e2e

// Package block tells the story of a block volume: claimed, used by one pod and
// then by another, as a file system and as a raw device, made larger under its pod, and
// deleted.
package block

import (
	"context"
	"fmt"
	"strconv"
	"strings"
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

// xfs is a class of its own: what the local cluster formats with, ext4, grows only where root
// has CAP_SYS_RESOURCE, which a box in a box may lack.
const xfs = "story-xfs"

func TestAVolumeGrowsUnderItsPod(t *testing.T) {
	h := harness.New(t)
	class := h.Class(t, xfs, local.StorageClass, map[string]string{"csi.storage.k8s.io/fstype": "xfs"})
	t.Cleanup(func() {
		if err := h.Delete(context.WithoutCancel(t.Context()), class); err != nil {
			t.Errorf("delete class %s: %v", class.Name, err)
		}
	})
	for _, tc := range []struct {
		name, class string
		mode        corev1.PersistentVolumeMode
		// size prints what the pod sees, use takes more than there was.
		size, use string
	}{
		{"filesystem", xfs, corev1.PersistentVolumeFilesystem, "df --output=size -B1 /data | tail -n 1",
			"fallocate -l 1200M /data/more; sync /data/more; test \"$(cat /data/before)\" = kept"},
		{"block", local.StorageClass, corev1.PersistentVolumeBlock, "blockdev --getsize64 /dev/data",
			"dd if=/dev/urandom of=/dev/data bs=1M seek=2000 count=1 oflag=direct status=none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			claim := harness.Claim("grows-"+tc.name, tc.class, tc.mode)
			h.CreateAll(t, claim)
			h.AwaitBound(t, claim)
			pod := h.User("grows-"+tc.name, claim, "test ! -d /data || echo kept > /data/before; exec sleep 3600")
			h.CreateAll(t, pod)
			h.AwaitPhase(t, pod, corev1.PodRunning)
			run := func(script string) string {
				t.Helper()
				said, err := h.Exec(t.Context(), pod, []string{"/bin/bash", "-ec", script})
				if err != nil {
					t.Fatalf("%s: %v", script, err)
				}
				return strings.TrimSpace(string(said))
			}
			before, began := run(tc.size), time.Now()
			h.Expand(t, claim, "2Gi")
			t.Logf("the claim had 2Gi after %.1f s", time.Since(began).Seconds())
			size, err := strconv.ParseInt(run(tc.size), 10, 64)
			if err != nil || size < 19<<30/10 || size > 2<<30 {
				t.Errorf("the pod saw %s bytes, and sees %d of %d: %v", before, size, 2<<30, err)
			}
			run(tc.use)
			h.Remove(t, time.Minute, pod)
			h.Discard(t, claim)
		})
	}
}
