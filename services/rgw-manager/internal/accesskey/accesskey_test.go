package accesskey

import (
	"strings"
	"testing"
)

func TestDrawnKeysDifferAndAreSpeltWithLettersThatNeedNoQuotes(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		pair := Draw()
		if seen[pair.Access] || seen[pair.Secret] {
			t.Fatal("the same key was drawn twice")
		}
		seen[pair.Access], seen[pair.Secret] = true, true
		if strings.Trim(pair.Access, keyLetters) != "" || strings.Trim(pair.Secret, secretLetters) != "" || len(pair.Access) != keyLength || len(pair.Secret) != secretLength {
			t.Fatalf("odd access key %q", pair.Access)
		}
	}
}

func TestDerivedKeysFollowFromTheSecretAndWhoseTheyAre(t *testing.T) {
	one := Derive([]byte("s"), "a")
	if one != Derive([]byte("s"), "a") {
		t.Error("the same secret gives two pairs")
	}
	for _, other := range []Pair{Derive([]byte("t"), "a"), Derive([]byte("s"), "b")} {
		if one.Access == other.Access || one.Secret == other.Secret {
			t.Error("different secrets or names give the same pair")
		}
	}
}
