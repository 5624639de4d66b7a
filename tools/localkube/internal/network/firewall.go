package network

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// rule lets machines of one bridge talk to each other.
func rule(bridge string) []string {
	return []string{"FORWARD", "-i", bridge, "-o", bridge, "-m", "comment", "--comment", "rook-ceph-local", "-j", "ACCEPT"}
}

// admit adds the rule where the host's firewall would stop what crosses the
// bridge: when bridges are subject to it and its forwarding chain is not
// empty, as container engines leave it.
func admit(bridge string) error {
	chain, ok := forwarding()
	if !ok || !restrictive(chain) {
		return nil
	}
	if iptables(append([]string{"-C"}, rule(bridge)...)...) == nil {
		return nil
	}
	return iptables(append([]string{"-I"}, rule(bridge)...)...)
}

// expel takes the rule away again.
func expel(bridge string) error {
	chain, ok := forwarding()
	if !ok || !strings.Contains(chain, "-i "+bridge+" ") {
		return nil
	}
	return iptables(append([]string{"-D"}, rule(bridge)...)...)
}

// forwarding returns the host's forwarding chain; it is false when that does
// not concern bridges. Listing changes nothing, not even on a host without
// any rule.
func forwarding() (string, bool) {
	content, err := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-iptables")
	if err != nil || strings.TrimSpace(string(content)) != "1" {
		return "", false
	}
	chain, err := exec.Command("iptables", "-w", "-S", "FORWARD").Output()
	return string(chain), err == nil
}

// restrictive is true when a chain does more than accept everything.
func restrictive(chain string) bool {
	return strings.TrimSpace(chain) != "-P FORWARD ACCEPT"
}

func iptables(arguments ...string) error {
	said, err := exec.Command("iptables", append([]string{"-w"}, arguments...)...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("change the firewall: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}
