package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadPSS_tells_what_is_allocated(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "smaps_rollup")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss: 200 kB\nPss: 100 kB\nPss_Dirty: 40 kB\nPss_Anon: 30 kB\nPss_File: 70 kB\n")
	pss, own, err := readPSS(file)
	if err != nil || pss != 100<<10 || own != 30<<10 {
		t.Errorf("got %d, %d, %v", pss, own, err)
	}
	for _, text := range []string{"Pss: 100 kB\n", "Pss: x kB\nPss_Anon: 1 kB\n", ""} {
		write(text)
		if _, _, err := readPSS(file); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestReadProcess_reads_this_process(t *testing.T) {
	t.Parallel()
	if _, err := readProcess("/proc/self"); err == nil {
		t.Error("a directory without a number is taken for a process")
	}
	got, err := readProcess(filepath.Join("/proc", selfPID(t)))
	if err != nil || got.own <= 0 || got.pss < got.own {
		t.Errorf("got %+v, %v", got, err)
	}
}

func selfPID(t *testing.T) string {
	t.Helper()
	pid, err := os.Readlink("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
