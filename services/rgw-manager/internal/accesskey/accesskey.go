// Package accesskey makes the keys of S3 users: drawn, or such that follow from
// another secret. It keeps none.
package accesskey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

const (
	// keyLetters are those of access keys, and secretLetters those of secret keys: of
	// both there is a power of two, so that every letter is as likely as every other.
	keyLetters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

	keyLength    = 20
	secretLength = 40
)

// Lent begins the access keys that an owner of buckets without any is given for a
// moment, such as that of a bucket which outlived its claim. Nobody is told of them.
const Lent = "LENT"

// IsLent tells whether an access key is one of these.
func IsLent(access string) bool { return strings.HasPrefix(access, Lent) }

// Pair is an access key and its secret.
type Pair struct{ Access, Secret string }

// Draw makes a new pair by chance.
func Draw() Pair {
	return Pair{Access: spell(keyLetters, random(keyLength)), Secret: spell(secretLetters, random(secretLength))}
}

// Derive makes the pair that follows from a secret and whose it shall be. Who has
// only the pair learns nothing of the secret.
func Derive(secret []byte, whose string) Pair {
	return Pair{
		Access: spell(keyLetters, derived(secret, "access key of "+whose, keyLength)),
		Secret: spell(secretLetters, derived(secret, "secret key of "+whose, secretLength)),
	}
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
