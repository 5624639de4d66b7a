// Package step runs one reconcile pass as a list of named steps and turns the
// first step that is not done into a condition and a requeue decision. It does
// no I/O and knows nothing about any kind. Patience makes polls of the same
// thing rarer.
package step

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

type kind int

const (
	none kind = iota
	done
	wait
	retry
	stall
)

// Outcome is what one step found: the part it keeps is true, or the reason why
// it is not yet. Reason is a CamelCase token, Message a stable sentence: two
// passes over an unchanged cluster must produce the same bytes.
type Outcome struct {
	kind    kind
	Reason  string
	Message string
	After   time.Duration
}

var (
	// None accompanies an error: the step could not find out.
	None = Outcome{}
	// Done says that this part is true; the pass goes on with the next step.
	Done = Outcome{kind: done}
)

// Wait ends the pass without a requeue: a watch brings the reconciler back.
func Wait(reason, message string) Outcome {
	return Outcome{kind: wait, Reason: reason, Message: message}
}

// Retry ends the pass and asks for another one after the given time. It is for
// facts that only Ceph can tell, such as quorum or PG states.
func Retry(after time.Duration, reason, message string) Outcome {
	return Outcome{kind: retry, Reason: reason, Message: message, After: after}
}

// Stall ends the pass without a requeue: only an edit by the user helps.
func Stall(reason, message string) Outcome {
	return Outcome{kind: stall, Reason: reason, Message: message}
}

// IsDone tells whether the outcome lets the pass go on.
func (o Outcome) IsDone() bool { return o.kind == done }

// IsStalled tells whether only an edit by the user helps.
func (o Outcome) IsStalled() bool { return o.kind == stall }

// Step is one named part of a pass.
type Step struct {
	Name string
	Do   func(context.Context) (Outcome, error)
}

// Named returns a step. The name appears in errors and logs.
func Named(name string, do func(context.Context) (Outcome, error)) Step {
	return Step{Name: name, Do: do}
}

// Report is the result of a pass: the outcome of the step that ended it, or
// Done when all steps are.
type Report struct {
	Outcome
	// Step names the step that ended the pass; empty when all are done.
	Step string
	// Err is the unexpected error that ended the pass, wrapped with the step.
	Err error
}

// Run runs the steps in order until one is not done.
func Run(ctx context.Context, steps ...Step) Report {
	for _, s := range steps {
		outcome, err := s.Do(ctx)
		if err != nil {
			return Report{Step: s.Name, Err: fmt.Errorf("%s: %w", s.Name, err)}
		}
		if !outcome.IsDone() {
			return Report{Outcome: outcome, Step: s.Name}
		}
	}
	return Report{Outcome: Done}
}

// Result is what controller-runtime is told; an error is returned beside it.
func (r Report) Result() reconcile.Result {
	if r.Err != nil {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: r.After}
}
