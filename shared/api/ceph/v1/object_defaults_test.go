package v1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

func TestZerosAskForNoPool(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want bool
	}{
		"nothing":    {`{}`, false},
		"zeros":      {`metadataPool: {replicated: {size: 0}, erasureCoded: {dataChunks: 0, codingChunks: 0}}`, false},
		"copies":     {`metadataPool: {replicated: {size: 1}}`, true},
		"two chunks": {`metadataPool: {erasureCoded: {dataChunks: 2, codingChunks: 1}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			var spec api.ObjectStoreSpec
			decode(t, test.spec, &spec)
			if got := spec.MetadataPool.Wanted(); got != test.want {
				t.Errorf("Wanted() = %t, want %t", got, test.want)
			}
		})
	}
}

func TestSharedPoolsAreNamed(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`:              false,
		`sharedPools: {}`: false,
		`sharedPools: {metadataPoolName: "", preserveRadosNamespaceDataOnDelete: true}`: false,
		`sharedPools: {metadataPoolName: m, dataPoolName: d}`:                           true,
		`sharedPools: {poolPlacements: [{name: a}]}`:                                    true,
	} {
		var spec api.ObjectStoreSpec
		decode(t, text, &spec)
		if got := spec.SharedPools.Wanted(); got != want {
			t.Errorf("%s: Wanted() = %t, want %t", text, got, want)
		}
	}
}

func TestGatewaysOfAStore(t *testing.T) {
	for text, want := range map[string]int32{
		`{}`:           1,
		`instances: 0`: 0,
		`instances: 3`: 3,
		`{instances: 3, externalRgwEndpoints: [{ip: 10.0.0.1}]}`: 0,
	} {
		var spec api.GatewaySpec
		decode(t, text, &spec)
		if got := spec.Replicas(); got != want {
			t.Errorf("%s: %d replicas, want %d", text, got, want)
		}
	}
}

func TestUsersMayBeWhereTheirStoreAllows(t *testing.T) {
	store := &api.CephObjectStore{}
	store.Namespace = "rook-ceph"
	for _, test := range []struct {
		allowed   []string
		namespace string
		want      bool
	}{
		{nil, "rook-ceph", true},
		{nil, "shop", false},
		{[]string{"shop"}, "shop", true},
		{[]string{"shop"}, "shops", false},
		{[]string{"*"}, "any", true},
	} {
		store.Spec.AllowUsersInNamespaces = test.allowed
		if got := store.AllowsUsersIn(test.namespace); got != test.want {
			t.Errorf("%v allows %s: %t, want %t", test.allowed, test.namespace, got, test.want)
		}
	}
}

func TestCapabilitiesAreInTheWordsOfCeph(t *testing.T) {
	var spec api.ObjectUserCapSpec
	decode(t, `{zone: "read, write", user: read, users: write, bucket: "*", info: read, accounts: ""}`, &spec)
	want := []api.ObjectUserCap{{"buckets", "*"}, {"info", "read"}, {"users", "*"}, {"zone", "*"}}
	if diff := cmp.Diff(want, spec.List()); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if got := (*api.ObjectUserCapSpec)(nil).List(); len(got) > 0 {
		t.Errorf("no capabilities give %v", got)
	}
}

func TestAZoneKeepsItsPoolsUnlessToldOtherwise(t *testing.T) {
	for text, want := range map[string]bool{`{}`: true, `preservePoolsOnDelete: true`: true, `preservePoolsOnDelete: false`: false} {
		var spec api.ObjectZoneSpec
		decode(t, text, &spec)
		if got := spec.PreservePools(); got != want {
			t.Errorf("%s: PreservePools() = %t, want %t", text, got, want)
		}
	}
}
