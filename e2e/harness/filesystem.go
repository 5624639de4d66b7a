package harness

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/tools/local"
)

// Filesystem returns the CephFilesystem of the installation as it is now.
func (h *Harness) Filesystem(ctx context.Context) (*api.CephFilesystem, error) {
	filesystem := &api.CephFilesystem{}
	err := h.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: local.Filesystem}, filesystem)
	return filesystem, err
}

// ChangeFilesystem edits the spec of the file system.
func (h *Harness) ChangeFilesystem(t *testing.T, edit func(*api.FilesystemSpec)) {
	t.Helper()
	filesystem, err := h.Filesystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	former := filesystem.DeepCopy()
	edit(&filesystem.Spec)
	if err := h.Patch(t.Context(), filesystem, client.MergeFrom(former)); err != nil {
		t.Fatalf("edit CephFilesystem: %v", err)
	}
}

// AwaitServed waits until the file system is Ready with as many active metadata
// servers as its spec asks for, and with their standbys.
func (h *Harness) AwaitServed(t *testing.T, within time.Duration) {
	t.Helper()
	h.Eventually(t, within, "file system is served", func(ctx context.Context) (bool, string) {
		filesystem, err := h.Filesystem(ctx)
		if err != nil || filesystem.Status == nil {
			return false, fmt.Sprint("no status: ", err)
		}
		status, want := filesystem.Status, filesystem.Spec.MetadataServer.ActiveCount
		active := !slices.ContainsFunc(status.Ranks, func(rank api.FilesystemRank) bool { return rank.State != "up:active" })
		served := status.Phase == api.PhaseReady && status.ObservedGeneration == filesystem.Generation &&
			active && len(status.Ranks) == int(want) && status.Standbys == want
		return served, fmt.Sprintf("%s, ranks %v, %d standbys, %s", status.Phase, status.Ranks, status.Standbys, status.Message)
	})
}

// AwaitFilesystemCondition waits for a condition of the file system.
func (h *Harness) AwaitFilesystemCondition(t *testing.T, within time.Duration, want Expected) {
	t.Helper()
	h.Eventually(t, within, fmt.Sprintf("the file system's %s is %s (%s)", want.Type, want.Status, want.Reason), func(ctx context.Context) (bool, string) {
		filesystem, err := h.Filesystem(ctx)
		if err != nil || filesystem.Status == nil {
			return false, fmt.Sprint("no status: ", err)
		}
		return want.Met(filesystem.Status.Conditions)
	})
}
