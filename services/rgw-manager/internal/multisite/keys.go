package multisite

import (
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// RealmKeys are the keys that the zones of a realm talk to each other with.
func RealmKeys(realm string) *rgwadmin.KeyRef {
	return &rgwadmin.KeyRef{Secret: names.RealmKeys(realm), AccessKey: names.RealmAccessKey, SecretKey: names.RealmSecretKey}
}

// SystemUser is the user of a realm that has these keys.
func SystemUser(realm string) rgwadmin.User {
	name := realm + "-system-user"
	return rgwadmin.User{ID: name, DisplayName: name, System: true, Keys: *RealmKeys(realm)}
}
