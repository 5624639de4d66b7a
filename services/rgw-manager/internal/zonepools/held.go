package zonepools

import (
	"context"
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// Held says why those pools of a zone cannot be taken for such that hold nothing; it is
// empty when they hold nothing, or are not there. What Ceph counts is
// trusted only when it has counted all.
func Held(ctx context.Context, client ceph.Client, zone string, parts []string) (string, error) {
	status, err := client.Status(ctx)
	if err != nil {
		return "", fmt.Errorf("read status: %w", err)
	}
	for _, state := range status.PGMap.PGsByState {
		if strings.Contains(state.StateName, "unknown") {
			return "Ceph does not know yet what the pools hold", nil
		}
	}
	usage, err := client.DF(ctx)
	if err != nil {
		return "", fmt.Errorf("read usage of pools: %w", err)
	}
	for _, pool := range usage.Pools {
		for _, part := range parts {
			if pool.Name == zone+part && pool.Stats.Objects > 0 {
				return "pool " + pool.Name + " is not empty", nil
			}
		}
	}
	return "", nil
}
