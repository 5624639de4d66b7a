package pools

import (
	"context"
	"errors"
	"fmt"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// RemoveParts removes the CRUSH rule and the profile that are named after a pool that
// was deleted, unless others use them.
func RemoveParts(ctx context.Context, client ceph.Client, m Map, want Want) error {
	gone := func(err error) bool {
		return err == nil || errors.Is(err, ceph.ErrBusy) || errors.Is(err, ceph.ErrNotFound)
	}
	if m.Rules[want.Name] != nil {
		if err := client.CrushRuleRemove(ctx, want.Name); !gone(err) {
			return fmt.Errorf("remove CRUSH rule %s: %w", want.Name, err)
		}
	}
	if want.Spec.IsErasureCoded() {
		if err := client.ErasureCodeProfileRemove(ctx, ProfileName(want.Name)); !gone(err) {
			return fmt.Errorf("remove erasure code profile of %s: %w", want.Name, err)
		}
	}
	return nil
}
