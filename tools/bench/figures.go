package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// figure is one measured value beside its budget.
type figure struct {
	name, value, budget string
}

// figures collects what was measured, in order.
type figures []figure

func (f *figures) add(name, budget, format string, args ...any) {
	*f = append(*f, figure{name, fmt.Sprintf(format, args...), budget})
}

func (f *figures) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "FIGURE\tMEASURED\tBUDGET")
	for _, one := range *f {
		fmt.Fprintf(table, "%s\t%s\t%s\n", one.name, one.value, one.budget)
	}
	return table.Flush()
}

// percentile returns the value below which the given share of times lies.
func percentile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
