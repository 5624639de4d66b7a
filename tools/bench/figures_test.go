package main

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	times := []time.Duration{4, 1, 3, 2}
	for share, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 4, 1: 4} {
		if got := percentile(times, share); got != want {
			t.Errorf("%v: got %d, want %d", share, got, want)
		}
	}
	if got := percentile(nil, 0.5); got != 0 {
		t.Errorf("nothing measured: got %d", got)
	}
}
