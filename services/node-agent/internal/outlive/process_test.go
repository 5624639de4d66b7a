package outlive

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestProcess_is_known_by_its_start_time(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := FindProcess(file)
	if err != nil || !own.Alive() {
		t.Fatalf("own process %+v, %v", own, err)
	}
	if (Process{PID: own.PID, Started: own.Started + 1}).Alive() {
		t.Error("another process of the same id passes for it")
	}
	if (Process{}).Alive() {
		t.Error("no process passes for one")
	}
}
