package keyring

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGenerate(t *testing.T) {
	key, err := Generate("client.admin", strings.NewReader("0123456789abcdef"), time.Unix(1700000000, 5))
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Valid(); err != nil {
		t.Errorf("a generated key is refused: %v", err)
	}
	if want := "AQAA8VNlBQAAABAAMDEyMzQ1Njc4OWFiY2RlZg=="; key.Secret != want {
		t.Errorf("got %q, want %q", key.Secret, want)
	}
	if _, err := Generate("mon.", strings.NewReader("short"), time.Unix(0, 0)); err == nil {
		t.Error("too little randomness is accepted")
	}
}

func TestRenderAndParseAgree(t *testing.T) {
	key, err := Generate("mon.", strings.NewReader("0123456789abcdef"), time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(Render(key, Mon().Caps))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Key{key}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a section without an end": "[client.admin\nkey = AAAA",
		"a key outside a section":  "key = AAAA",
		"a section without a key":  "[client.admin]\n",
		"a key that is no base64":  "[client.admin]\nkey = ?\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(text); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, want %v", err, ErrMalformed)
			}
		})
	}
}

func TestKeyHidesItsSecret(t *testing.T) {
	key := Key{Entity: "client.admin", Secret: "canary"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, key); strings.Contains(text, "canary") {
			t.Errorf("%s prints the secret: %s", format, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[client.admin]\n\tkey = AQAA8VNlBQAAABAAMDEyMzQ1Njc4OWFiY2RlZg==\n")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := Parse(text)
		for _, key := range keys {
			if err == nil && key.Valid() != nil {
				t.Errorf("an invalid key of %q passed", key.Entity)
			}
		}
	})
}
