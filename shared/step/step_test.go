package step

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func outcome(o Outcome) func(context.Context) (Outcome, error) {
	return func(context.Context) (Outcome, error) { return o, nil }
}

func TestRun(t *testing.T) {
	broken := errors.New("boom")
	tests := map[string]struct {
		steps    []Step
		step     string
		done     bool
		stalled  bool
		result   reconcile.Result
		err      error
		lastRuns bool
	}{
		"ends Done when every step is": {
			steps: []Step{Named("a", outcome(Done))}, done: true, lastRuns: true,
		},
		"stops at the first step that waits": {
			steps: []Step{Named("a", outcome(Wait("Starting", "Waiting"))), Named("b", outcome(Done))}, step: "a",
		},
		"asks for another pass when Ceph has to be polled": {
			steps: []Step{Named("a", outcome(Retry(time.Second, "Peering", "Waiting")))}, step: "a",
			result: reconcile.Result{RequeueAfter: time.Second},
		},
		"says that only the user can help": {
			steps: []Step{Named("a", outcome(Stall("BadSpec", "Fix it")))}, step: "a", stalled: true,
		},
		"names the step that failed": {
			steps: []Step{Named("a", func(context.Context) (Outcome, error) { return None, broken })}, step: "a", err: broken,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ran := false
			last := Named("last", func(context.Context) (Outcome, error) { ran = true; return Done, nil })
			report := Run(t.Context(), append(tc.steps, last)...)
			if report.Step != tc.step || report.IsDone() != tc.done || report.IsStalled() != tc.stalled {
				t.Errorf("got step %q done %v stalled %v", report.Step, report.IsDone(), report.IsStalled())
			}
			if report.Result() != tc.result {
				t.Errorf("result: got %v, want %v", report.Result(), tc.result)
			}
			if !errors.Is(report.Err, tc.err) {
				t.Errorf("error: got %v, want %v", report.Err, tc.err)
			}
			if ran != tc.lastRuns {
				t.Errorf("later step ran: got %v, want %v", ran, tc.lastRuns)
			}
		})
	}
}
