package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

const (
	// keyLetters are those of access keys, and secretLetters those of secret keys: of
	// both there is a power of two, so that every letter is as likely as every other.
	keyLetters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

	keyLength    = 20
	secretLength = 40
)

// applyAdminOps keeps the Secret with the keys of the user that we manage the store
// as. A store with a realm of its own draws them once. The zones of a realm share
// their users, and each may be in another cluster, so that there the keys follow from
// those of the realm, which all of them have.
func (p *pass) applyAdminOps(ctx context.Context) (step.Outcome, error) {
	held := &corev1.Secret{}
	key := client.ObjectKey{Namespace: p.store.Namespace, Name: names.RGWAdminOps(p.store.Name)}
	err := p.Client.Get(ctx, key, held)
	if apierrors.IsNotFound(err) {
		// The cache may lag behind our own last write, and keys are drawn only once.
		err = p.Live.Get(ctx, key, held)
	}
	if client.IgnoreNotFound(err) != nil {
		return step.None, fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	access, secret := string(held.Data[names.AdminOpsAccessKey]), string(held.Data[names.AdminOpsSecretKey])
	switch {
	case access != "" && secret != "":
	case p.own():
		access, secret = spell(keyLetters, random(keyLength)), spell(secretLetters, random(secretLength))
	default:
		realm, outcome, err := p.secret(ctx, "realm "+p.site.Realm, names.RealmKeys(p.site.Realm))
		if err != nil || !outcome.IsDone() {
			return outcome, err
		}
		access = spell(keyLetters, derived(realm.Data[names.RealmSecretKey], "access key of the administrator", keyLength))
		secret = spell(secretLetters, derived(realm.Data[names.RealmSecretKey], "secret key of the administrator", secretLength))
	}
	p.keys = rgwadmin.Fingerprint(access, secret)
	return step.Done, p.Apply.Set(ctx, p.store, gateway.AdminOps(p.store, p.cluster.Name, access, secret))
}

// random draws bytes.
func random(length int) []byte {
	drawn := make([]byte, length)
	_, _ = rand.Read(drawn) // it never fails; see its documentation
	return drawn
}

// derived are bytes that follow from a key, which cannot be told from them.
func derived(key []byte, purpose string, length int) []byte {
	var made []byte
	for round := byte(0); len(made) < length; round++ {
		mac := hmac.New(sha256.New, key)
		mac.Write(append([]byte(purpose), round))
		made = mac.Sum(made)
	}
	return made[:length]
}

// spell writes bytes with letters, whose number divides 256.
func spell(letters string, drawn []byte) string {
	word := make([]byte, len(drawn))
	for i, b := range drawn {
		word[i] = letters[int(b)%len(letters)]
	}
	return string(word)
}
