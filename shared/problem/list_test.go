package problem

import (
	"errors"
	"testing"
)

func TestList(t *testing.T) {
	t.Run("is nil when nothing went wrong", func(t *testing.T) {
		var l List
		l.Add(nil)
		if err := l.Err(); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
	t.Run("sorts, shortens and keeps identity", func(t *testing.T) {
		cause := errors.New("cause")
		var l List
		l.Addf("osd.9: %w", cause)
		for _, text := range []string{"osd.3", "osd.1", "osd.2"} {
			l.Add(errors.New(text))
		}
		if got, want := l.Err().Error(), "osd.1; osd.2; osd.3; and 1 more"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !errors.Is(l.Err(), cause) {
			t.Error("the cause is lost")
		}
	})
}

func TestNames(t *testing.T) {
	for want, names := range map[string][]string{
		"":                   nil,
		"a":                  {"a"},
		"a, b, c":            {"c", "b", "a"},
		"a, b, c and 2 more": {"e", "d", "c", "b", "a"},
	} {
		if got := Names(names); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
