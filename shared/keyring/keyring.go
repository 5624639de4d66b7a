// Package keyring makes, reads and writes cephx keys and names the capabilities
// of each identity. It never talks to Ceph or Kubernetes and never logs.
package keyring

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
)

// Key is one cephx identity with its secret. Its String hides the secret, so a
// key that reaches a log or an error by mistake does not leak.
type Key struct {
	// Entity is the full name, such as "client.admin" or "mon.".
	Entity string
	// Secret is the base64 text that Ceph calls the key.
	Secret string
}

// String returns the entity without the secret.
func (k Key) String() string { return k.Entity }

// GoString returns the entity without the secret.
func (k Key) GoString() string { return k.Entity }

// ErrMalformed is returned for text that is no keyring or key.
var ErrMalformed = errors.New("malformed keyring")

const (
	// aes is CEPH_CRYPTO_AES in the encoding of Ceph's CryptoKey.
	aes        = 1
	secretSize = 16
	headerSize = 12
)

// Generate makes a new AES key from random, stamped with created, in the
// encoding of Ceph's CryptoKey: type, creation time, length, secret.
func Generate(entity string, random io.Reader, created time.Time) (Key, error) {
	raw := make([]byte, headerSize+secretSize)
	binary.LittleEndian.PutUint16(raw[0:], aes)
	binary.LittleEndian.PutUint32(raw[2:], uint32(created.Unix()))
	binary.LittleEndian.PutUint32(raw[6:], uint32(created.Nanosecond()))
	binary.LittleEndian.PutUint16(raw[10:], secretSize)
	if _, err := io.ReadFull(random, raw[headerSize:]); err != nil {
		return Key{}, fmt.Errorf("generate key for %s: %w", entity, err)
	}
	return Key{Entity: entity, Secret: base64.StdEncoding.EncodeToString(raw)}, nil
}

// Valid checks the encoding of the secret, not whether Ceph accepts it.
func (k Key) Valid() error {
	raw, err := base64.StdEncoding.DecodeString(k.Secret)
	if err != nil || len(raw) < headerSize {
		return fmt.Errorf("key of %q: %w", k.Entity, ErrMalformed)
	}
	if int(binary.LittleEndian.Uint16(raw[10:])) != len(raw)-headerSize {
		return fmt.Errorf("key of %q: %w", k.Entity, ErrMalformed)
	}
	return nil
}

// Render writes the keyring file of one identity. Caps are written only where
// a daemon reads them from the file (the mon's initial keyring).
func Render(key Key, caps Caps) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\n\tkey = %s\n", key.Entity, key.Secret)
	daemons := make([]string, 0, len(caps))
	for daemon := range caps {
		daemons = append(daemons, daemon)
	}
	sort.Strings(daemons)
	for _, daemon := range daemons {
		fmt.Fprintf(&b, "\tcaps %s = %q\n", daemon, caps[daemon])
	}
	return b.String()
}

// Parse reads a keyring file and returns its identities in order. Unknown
// settings are skipped, as Ceph does.
func Parse(text string) ([]Key, error) {
	var keys []Key
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		var err error
		if keys, err = parseLine(keys, strings.TrimSpace(scanner.Text())); err != nil {
			return nil, err
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read keyring: %w", ErrMalformed)
	}
	for _, key := range keys {
		if err := key.Valid(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// parseLine takes one line without surrounding space into the keys so far.
func parseLine(keys []Key, line string) ([]Key, error) {
	if line == "" || line[0] == '#' || line[0] == ';' {
		return keys, nil
	}
	if section, isSection := strings.CutPrefix(line, "["); isSection {
		entity, found := strings.CutSuffix(section, "]")
		if !found || entity == "" {
			return nil, fmt.Errorf("section %q: %w", line, ErrMalformed)
		}
		return append(keys, Key{Entity: entity}), nil
	}
	name, value, found := strings.Cut(line, "=")
	if !found || len(keys) == 0 {
		return nil, fmt.Errorf("line outside a section or without a value: %w", ErrMalformed)
	}
	if strings.TrimSpace(name) == "key" {
		keys[len(keys)-1].Secret = strings.TrimSpace(value)
	}
	return keys, nil
}
