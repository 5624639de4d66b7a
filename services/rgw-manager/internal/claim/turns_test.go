package claim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// TestClaimsTakeTurns has five claims ask once a second, each of which holds its turn
// until the others have asked.
func TestClaimsTakeTurns(t *testing.T) {
	var all turns
	now, had := time.Now(), map[types.UID]int{}
	for range 30 {
		var holding []types.UID
		for number := range 5 {
			claim := types.UID(fmt.Sprint(number))
			if all.take(claim, now) {
				holding = append(holding, claim)
				had[claim]++
			}
		}
		if len(holding) != purgers {
			t.Fatalf("%v hold turns, want %d", holding, purgers)
		}
		for range holding {
			all.giveBack()
		}
		now = now.Add(ask)
	}
	for number := range 5 {
		if times := had[types.UID(fmt.Sprint(number))]; times < 30/2 {
			t.Errorf("claim %d had %d turns of %v, want one in every other round", number, times, had)
		}
	}
}

func TestAClaimThatStopsAskingLosesItsTurn(t *testing.T) {
	var all turns
	now := time.Now()
	took := func(claims ...types.UID) []types.UID {
		return slices.DeleteFunc(claims, func(claim types.UID) bool { return !all.take(claim, now) })
	}
	if got := took("a", "b", "c", "gone", "last"); !slices.Equal(got, []types.UID{"a", "b", "c"}) {
		t.Fatalf("%v took turns", got)
	}
	all.giveBack()
	if got := took("last"); len(got) != 0 {
		t.Error("the last of the line was served before another")
	}
	now = now.Add(forgotten)
	if got := took("last"); len(got) != 1 {
		t.Error("who does not ask any more is waited for")
	}
}
