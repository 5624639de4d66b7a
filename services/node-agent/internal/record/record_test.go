package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/record"
)

func TestBoot_is_the_same_each_time(t *testing.T) {
	t.Parallel()
	first, err := record.Boot()
	if err != nil || first == "" {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := record.Boot(); err != nil || again != first {
		t.Errorf("want %q, got %q, %v", first, again, err)
	}
}

func TestList_returns_the_others_beside_an_unreadable_record(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, id := range []string{"torn", "whole"} {
		dir := record.Dir(root, id)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := record.Write(dir, id); err != nil {
			t.Fatal(err)
		}
	}
	torn := record.Dir(root, "torn")
	if err := os.WriteFile(filepath.Join(torn, "attachment.json"), []byte(`"to`), 0o600); err != nil {
		t.Fatal(err)
	}
	records, err := record.List[string](root)
	if err == nil || !strings.Contains(err.Error(), torn) {
		t.Errorf("the unreadable record is not named: %v", err)
	}
	if diff := cmp.Diff([]string{"whole"}, records); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}
