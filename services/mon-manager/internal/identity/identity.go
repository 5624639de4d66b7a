package identity

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// The keys of Secret rook-ceph-mon that other tools read.
const (
	KeyFSID         = "fsid"
	KeyMonSecret    = "mon-secret"
	KeyCephUsername = "ceph-username"
	KeyCephSecret   = "ceph-secret"
)

// Identity is what makes a Ceph cluster this cluster.
type Identity struct {
	FSID  string
	Mon   keyring.Key
	Admin keyring.Key
}

// Mint makes a new identity from random.
func Mint(random io.Reader, now time.Time) (Identity, error) {
	fsid, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return Identity{}, fmt.Errorf("mint fsid: %w", err)
	}
	mon, err := keyring.Generate(keyring.Mon().Entity, random, now)
	if err != nil {
		return Identity{}, err
	}
	admin, err := keyring.Generate(keyring.Admin().Entity, random, now)
	if err != nil {
		return Identity{}, err
	}
	return Identity{FSID: fsid.String(), Mon: mon, Admin: admin}, nil
}

// FromSecret reads Secret rook-ceph-mon and returns the names of the keys that
// are missing or malformed.
func FromSecret(secret *corev1.Secret) (Identity, []string) {
	id := Identity{
		FSID:  string(secret.Data[KeyFSID]),
		Mon:   keyring.Key{Entity: keyring.Mon().Entity, Secret: string(secret.Data[KeyMonSecret])},
		Admin: keyring.Key{Entity: string(secret.Data[KeyCephUsername]), Secret: string(secret.Data[KeyCephSecret])},
	}
	var broken []string
	if _, err := uuid.Parse(id.FSID); err != nil {
		broken = append(broken, KeyFSID)
	}
	if id.Mon.Valid() != nil {
		broken = append(broken, KeyMonSecret)
	}
	if id.Admin.Entity == "" {
		broken = append(broken, KeyCephUsername)
	}
	if id.Admin.Valid() != nil {
		broken = append(broken, KeyCephSecret)
	}
	return id, broken
}
