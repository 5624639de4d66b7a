// Package progress shows people how far a piece of work is: step n of m, what
// it does, and the seconds it took.
//
// It never decides anything and never fails the work it shows.
package progress

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Display writes one line for each step. On a terminal the line of the running
// step counts its seconds.
type Display struct {
	Output   io.Writer
	Terminal bool
	Clock    func() time.Time
	Total    int
	step     int
}

// Step runs do and shows it as the next step. The text that do returns is
// shown behind the title, for what it found or skipped.
func (d *Display) Step(ctx context.Context, title string, do func(context.Context) (string, error)) error {
	d.step++
	began := d.Clock()
	head := fmt.Sprintf("[%2d/%d] %s", d.step, d.Total, title)
	stop := d.count(head, began)
	note, err := do(ctx)
	stop()
	seconds := d.Clock().Sub(began).Seconds()
	switch {
	case err != nil:
		fmt.Fprintf(d.Output, "%s: failed after %.1f s\n", head, seconds)
	case note != "":
		fmt.Fprintf(d.Output, "%s: %s (%.1f s)\n", head, note, seconds)
	default:
		fmt.Fprintf(d.Output, "%s (%.1f s)\n", head, seconds)
	}
	return err
}

// count shows the seconds of a running step on a terminal until the returned
// call.
func (d *Display) count(head string, began time.Time) func() {
	if !d.Terminal {
		return func() {}
	}
	fmt.Fprint(d.Output, head)
	ticker := time.NewTicker(time.Second)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(d.Output, "\r%s … %.0f s", head, d.Clock().Sub(began).Seconds())
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
		fmt.Fprint(d.Output, "\r\033[K")
	}
}
