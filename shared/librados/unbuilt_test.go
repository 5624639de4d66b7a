//go:build !librados

package librados_test

import (
	"errors"
	"strings"
	"testing"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

func TestABuildWithoutLibradosRefusesAndSaysWhy(t *testing.T) {
	var dialer ceph.Dialer = librados.Dialer{}
	at := api.Connection{MonHost: "v2:127.0.0.1:3300"}
	conn, err := dialer.Dial(t.Context(), at, keyring.Key{Entity: "client.admin", Secret: "x"})
	if err == nil || conn != nil || !strings.Contains(err.Error(), "build tag: librados") {
		t.Errorf("want no connection and the build tag named, got %v, %v", conn, err)
	}
	if errors.Is(err, ceph.ErrUnreachable) {
		t.Error("a missing librados looks like an unreachable cluster")
	}
	if librados.Built() || librados.Version() != "" {
		t.Error("this build claims to carry librados")
	}
}
