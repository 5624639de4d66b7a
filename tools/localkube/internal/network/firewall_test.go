package network

import "testing"

func TestOnlyAChainThatStopsSomethingIsChanged(t *testing.T) {
	for chain, want := range map[string]bool{
		"-P FORWARD ACCEPT\n":                            false,
		"-P FORWARD DROP\n":                              true,
		"-P FORWARD ACCEPT\n-A FORWARD -j DOCKER-USER\n": true,
	} {
		if got := restrictive(chain); got != want {
			t.Errorf("restrictive(%q) = %t, want %t", chain, got, want)
		}
	}
}
