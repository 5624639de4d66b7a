// Package problem collects the errors of independent pieces of work and shows
// them as one short, stable sentence. It never decides what an error means.
package problem

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// shown is how many problems one message spells out.
const shown = 3

// List collects errors of work that goes on after one piece fails. The zero
// value is ready for use; it is not safe for concurrent use.
type List struct {
	errs *multierror.Error
}

// Add records err; nil is ignored.
func (l *List) Add(err error) {
	if err != nil {
		l.errs = multierror.Append(l.errs, err)
	}
}

// Addf records a formatted error; %w keeps its identity.
func (l *List) Addf(format string, args ...any) { l.Add(fmt.Errorf(format, args...)) }

// Len returns the number of problems.
func (l *List) Len() int { return l.errs.Len() }

// Err returns nil when nothing was recorded, else one error that unwraps to
// all of them. Its text is sorted, so it reads the same on the next pass.
func (l *List) Err() error {
	if l.errs == nil {
		return nil
	}
	l.errs.ErrorFormat = func(errs []error) string {
		texts := make([]string, len(errs))
		for i, err := range errs {
			texts[i] = err.Error()
		}
		return Sentence(texts)
	}
	return l.errs
}

// Sentence joins texts in a stable order: the first three and "and N more".
func Sentence(texts []string) string {
	return strings.Join(first(texts), "; ")
}

// Names joins names in a stable order for a message: "a, b, c and 2 more".
func Names(names []string) string {
	list := first(names)
	if len(names) > shown {
		return strings.Join(list[:shown], ", ") + " " + list[shown]
	}
	return strings.Join(list, ", ")
}

func first(texts []string) []string {
	sorted := append([]string(nil), texts...)
	sort.Strings(sorted)
	if len(sorted) <= shown {
		return sorted
	}
	return append(sorted[:shown:shown], fmt.Sprintf("and %d more", len(sorted)-shown))
}
