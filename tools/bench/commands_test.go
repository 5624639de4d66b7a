package main

import (
	"strings"
	"testing"
	"time"
)

func TestCommandsAreCountedAcrossPrefixesAndResults(t *testing.T) {
	page := `# TYPE rook_ceph_command_duration_seconds histogram
rook_ceph_command_duration_seconds_bucket{command="status",result="ok",le="+Inf"} 4
rook_ceph_command_duration_seconds_sum{command="status",result="ok"} 0.008
rook_ceph_command_duration_seconds_count{command="status",result="ok"} 4
rook_ceph_command_duration_seconds_bucket{command="osd dump",result="refused",le="+Inf"} 3
rook_ceph_command_duration_seconds_sum{command="osd dump",result="refused"} 1
rook_ceph_command_duration_seconds_count{command="osd dump",result="refused"} 3
`
	got, err := parseCommands(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if want := (commands{sent: 7, reads: 4, readTime: 8 * time.Millisecond}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := parseCommands(strings.NewReader("go_threads 9\n")); err != nil || got.sent != 0 {
		t.Errorf("a page without commands: got %+v, %v", got, err)
	}
	if _, err := parseCommands(strings.NewReader("{")); err == nil {
		t.Error("a broken page was accepted")
	}
}

func TestSpanOfTheToolboxIsDividedByItsRuns(t *testing.T) {
	if got, err := parseSpan("100.5 103.5\n"); err != nil || got != 300*time.Millisecond {
		t.Errorf("got %v, %v", got, err)
	}
	for _, line := range []string{"", "1", "a b", "1 2 3"} {
		if _, err := parseSpan(line); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}
