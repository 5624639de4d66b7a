package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestKey(t *testing.T) {
	t.Parallel()
	type recipe struct{ Packages []string }
	key := func(t *testing.T, parts ...any) string {
		t.Helper()
		got, err := Key(parts...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := key(t, 1, recipe{[]string{"a", "b"}}, "linux/amd64")
	t.Run("equal parts have equal keys", func(t *testing.T) {
		t.Parallel()
		if again := key(t, 1, recipe{[]string{"a", "b"}}, "linux/amd64"); again != first {
			t.Errorf("got %s, want %s", again, first)
		}
	})
	for name, parts := range map[string][]any{
		"another format":   {2, recipe{[]string{"a", "b"}}, "linux/amd64"},
		"another package":  {1, recipe{[]string{"a", "c"}}, "linux/amd64"},
		"another order":    {1, recipe{[]string{"b", "a"}}, "linux/amd64"},
		"another platform": {1, recipe{[]string{"a", "b"}}, "linux/arm64"},
		"a moved boundary": {1, recipe{[]string{"a", "b"}}, "linux/", "amd64"},
	} {
		t.Run(name+" changes the key", func(t *testing.T) {
			t.Parallel()
			if key(t, parts...) == first {
				t.Error("the key stayed the same")
			}
		})
	}
	t.Run("what JSON cannot hold is an error", func(t *testing.T) {
		t.Parallel()
		if _, err := Key(func() {}); err == nil {
			t.Error("want an error")
		}
	})
}

func TestGet(t *testing.T) {
	t.Parallel()
	t.Run("many callers fill an entry once", func(t *testing.T) {
		t.Parallel()
		s := Store{Dir: t.TempDir()}
		var fills atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				dir, err := s.Get(t.Context(), "images/x", func(dir string) error {
					fills.Add(1)
					return os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600)
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := fills.Load(); got != 1 {
			t.Errorf("filled %d times, want 1", got)
		}
	})
	t.Run("a failed fill leaves nothing and can be tried again", func(t *testing.T) {
		t.Parallel()
		s, broken := Store{Dir: t.TempDir()}, errors.New("broken")
		if _, err := s.Get(t.Context(), "x", func(string) error { return broken }); !errors.Is(err, broken) {
			t.Fatalf("got error %v, want %v", err, broken)
		}
		if s.Has("x") {
			t.Error("the entry exists")
		}
		if _, err := s.Get(t.Context(), "x", func(string) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	t.Run("what a crash left behind is not taken for an entry", func(t *testing.T) {
		t.Parallel()
		s := Store{Dir: t.TempDir()}
		if err := os.MkdirAll(s.Path("x.partial/old"), 0o755); err != nil {
			t.Fatal(err)
		}
		dir, err := s.Get(t.Context(), "x", func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "old")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got error %v, want %v", err, os.ErrNotExist)
		}
	})
	t.Run("waiting for another process ends with the context", func(t *testing.T) {
		t.Parallel()
		s := Store{Dir: t.TempDir()}
		unlock, err := Lock(t.Context(), s.Path("x.lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Get(ctx, "x", func(string) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
	})
}

func TestLink(t *testing.T) {
	t.Parallel()
	s := Store{Dir: t.TempDir()}
	for _, entry := range []string{"rootfs/ceph-1", "rootfs/ceph-2", "rootfs/ceph-2"} {
		if err := os.MkdirAll(s.Path(entry), 0o755); err != nil {
			t.Fatal(err)
		}
		link, err := s.Link("rootfs/ceph", entry)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := filepath.EvalSymlinks(link); err != nil || filepath.Base(got) != filepath.Base(entry) {
			t.Errorf("the link leads to %s (%v), want %s", got, err, entry)
		}
	}
}
