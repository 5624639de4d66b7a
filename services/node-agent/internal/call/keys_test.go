package call_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/call"
	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// cluster is one whose nodes are client.node.
type cluster struct{}

func (cluster) NodeKey(context.Context, string) (keyring.Key, error) {
	return keyring.Key{Entity: "client.node", Secret: "k"}, nil
}

// later is as whom a volume is spoken for after it was staged.
func later(t *testing.T, keys *call.Keys, handle string) string {
	t.Helper()
	key, err := keys.Later(t.Context(), cluster{}, "rook-ceph", handle)
	if err != nil {
		t.Fatal(err)
	}
	return key.Entity
}

func stage(t *testing.T, keys *call.Keys, handle, user string) string {
	t.Helper()
	var secrets map[string]string
	if user != "" {
		secrets = map[string]string{"userID": user, "userKey": "k"}
	}
	key, err := keys.ToStage(t.Context(), cluster{}, "rook-ceph", handle, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return key.Entity
}

func TestKeys_are_remembered_of_each_volume_of_a_cluster(t *testing.T) {
	t.Parallel()
	var keys call.Keys
	for handle, user := range map[string]string{"a": "alice", "b": "bob"} {
		if got := stage(t, &keys, handle, user); got != "client."+user {
			t.Errorf("staged %s as %s", handle, got)
		}
	}
	if a, b, c := later(t, &keys, "a"), later(t, &keys, "b"), later(t, &keys, "c"); a != "client.alice" || b != "client.bob" || c != "client.node" {
		t.Errorf("later: a as %s, b as %s, c as %s", a, b, c)
	}
}

func TestKeys_are_forgotten_with_their_volume(t *testing.T) {
	t.Parallel()
	var keys call.Keys
	keys.Forget("never staged")
	stage(t, &keys, "a", "alice")
	stage(t, &keys, "b", "bob")
	keys.Forget("a")
	if a, b := later(t, &keys, "a"), later(t, &keys, "b"); a != "client.node" || b != "client.bob" {
		t.Errorf("later: a as %s, b as %s", a, b)
	}
	// Its Secret was taken out of the class.
	if got := stage(t, &keys, "b", ""); got != "client.node" || later(t, &keys, "b") != "client.node" {
		t.Errorf("staged b as %s, later as %s", got, later(t, &keys, "b"))
	}
}

func TestKeys_refuse_a_Secret_without_a_key(t *testing.T) {
	t.Parallel()
	var keys call.Keys
	_, err := keys.ToStage(t.Context(), cluster{}, "rook-ceph", "a", map[string]string{"userID": "alice"})
	if status.Code(err) != codes.InvalidArgument || later(t, &keys, "a") != "client.node" {
		t.Errorf("want InvalidArgument, got %v; later as %s", err, later(t, &keys, "a"))
	}
}
