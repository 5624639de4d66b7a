package receipt

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func valid() Receipt {
	return Receipt{Outcome: Prepared, OSDID: 3, OSDUUID: "aaaaaaaa-2222-3333-4444-555555555555", Device: "loop0", SizeBytes: 1 << 40}
}

func TestParseReadsWhatEncodeWrote(t *testing.T) {
	refused := valid()
	refused.Outcome, refused.Reason, refused.Message = Refused, "Filesystem", "claim loop0: has ext4 filesystem (label \"ROOT\") at offset 1080"
	for _, want := range []Receipt{valid(), refused} {
		body, err := Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(string(body))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEncodeFitsIntoATerminationMessageWhateverTheMessage(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 100000), strings.Repeat("\"", 5000), strings.Repeat("é\n", 5000), strings.Repeat("\u2028", 3000), strings.Repeat("<", 9000)} {
		r := valid()
		r.Message = text
		body, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > MaxBytes {
			t.Errorf("%d bytes", len(body))
		}
		got, err := Parse(string(body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(got.Message, "\n\r") {
			t.Errorf("the message is more than one line: %q", got.Message)
		}
	}
}

func TestParseRefusesWhatEncodeCannotHaveWritten(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"no JSON":            "panic: runtime error",
		"an unknown field":   `{"outcome":"Prepared","osdID":1,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555","x":1}`,
		"an unknown outcome": `{"outcome":"Great","osdID":1,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555"}`,
		"no uuid":            `{"outcome":"Prepared","osdID":1,"osdUUID":"x"}`,
		"a negative id":      `{"outcome":"Prepared","osdID":-2,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555"}`,
		"a path as device":   `{"outcome":"Prepared","osdID":1,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555","device":"../sda"}`,
		"a sentence reason":  `{"outcome":"Failed","osdID":1,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555","reason":"it broke"}`,
		"two receipts":       `{"outcome":"Prepared","osdID":1,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555"}{}`,
		"too much":           strings.Repeat(" ", MaxBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Parse(text); !errors.Is(err, ErrMalformed) {
				t.Errorf("Parse = %+v, %v; want %v", got, err, ErrMalformed)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	body, err := Encode(valid())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(body))
	f.Add(`{"outcome":"Refused","reason":"Mounted","message":"\u0000\n","osdID":0,"osdUUID":"aaaaaaaa-2222-3333-4444-555555555555"}`)
	f.Add(`{"message":"` + strings.Repeat(`\ud800`, 300) + `"}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if strings.ContainsAny(got.Message, "\n\r\x00") || len(got.Message) > maxText+len("…") {
			t.Fatalf("message is not clean: %q", got.Message)
		}
		again, err := Encode(got)
		if err != nil {
			t.Fatalf("encode what was parsed: %v", err)
		}
		if second, err := Parse(string(again)); err != nil || second != got {
			t.Fatalf("not stable: %+v, %+v, %v", got, second, err)
		}
	})
}
