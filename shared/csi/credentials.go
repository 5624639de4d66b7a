package csi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/keyring"
)

// ErrNoCredentials is returned for a Secret that lacks userID or userKey.
var ErrNoCredentials = errors.New("no cephx credentials")

// Credentials reads a cephx identity from the data of a CSI Secret. Errors name
// the missing key and never hold a value.
func Credentials(secret map[string]string) (keyring.Key, error) {
	user, key := strings.TrimSpace(secret[SecretUserID]), strings.TrimSpace(secret[SecretUserKey])
	var missing []string
	if user == "" {
		missing = append(missing, SecretUserID)
	}
	if key == "" {
		missing = append(missing, SecretUserKey)
	}
	if len(missing) > 0 {
		return keyring.Key{}, fmt.Errorf("%w: the Secret has no %s", ErrNoCredentials, strings.Join(missing, " and no "))
	}
	return keyring.Key{Entity: "client." + strings.TrimPrefix(user, "client."), Secret: key}, nil
}

// StringData turns the data of a Secret object into what CSI requests carry.
func StringData(data map[string][]byte) map[string]string {
	text := make(map[string]string, len(data))
	for key, value := range data {
		text[key] = string(value)
	}
	return text
}
