package progress_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/progress"
)

func TestStepsAreCountedAndTimed(t *testing.T) {
	var output bytes.Buffer
	now := time.Unix(0, 0)
	clock := func() time.Time { now = now.Add(1500 * time.Millisecond); return now }
	display := progress.Display{Output: &output, Clock: clock, Total: 2}
	ctx := context.Background()
	if err := display.Step(ctx, "start", func(context.Context) (string, error) { return "3 nodes", nil }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := display.Step(ctx, "stop", func(context.Context) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("Step = %v, want the error of its work", err)
	}
	want := "[ 1/2] start: 3 nodes (1.5 s)\n[ 2/2] stop: failed after 1.5 s\n"
	if output.String() != want {
		t.Errorf("output = %q, want %q", output.String(), want)
	}
}

func TestATerminalLineIsClearedBeforeTheResult(t *testing.T) {
	var output bytes.Buffer
	now := time.Unix(0, 0)
	display := progress.Display{Output: &output, Clock: func() time.Time { return now }, Total: 1, Terminal: true}
	if err := display.Step(context.Background(), "start", func(context.Context) (string, error) { return "", nil }); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(output.String(), "\r\033[K[ 1/1] start (0.0 s)\n") {
		t.Errorf("output = %q", output.String())
	}
}
