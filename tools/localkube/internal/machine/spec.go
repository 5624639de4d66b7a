package machine

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/config"
)

// Spec describes a machine to its init process.
type Spec struct {
	// Cluster and Name identify the machine.
	Cluster string `json:"cluster"`
	Name    string `json:"name"`
	// Directory holds the machine's root, spec and logs on the host.
	Directory string `json:"directory"`
	// Cgroup is the machine's cgroup below each hierarchy.
	Cgroup string `json:"cgroup"`
	// Address is the machine's address on the bridge.
	Address netip.Prefix `json:"address"`
	// Gateway is where everything without a route goes.
	Gateway netip.Addr `json:"gateway"`
	// Routes lead to the pods of nodes.
	Routes []Route `json:"routes"`
	// Binds are directories of the host that the machine sees, read-only.
	Binds []Bind `json:"binds"`
	// Loops are the numbers of the loop devices in the machine's /dev.
	Loops []int `json:"loops"`
	// Services are kept running, in this order of start.
	Services []config.Service `json:"services"`
}

// Route leads to a network by way of another machine.
type Route struct {
	To  netip.Prefix `json:"to"`
	Via netip.Addr   `json:"via"`
}

// Bind shows a directory of the host at a place inside the machine.
type Bind struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Root returns the directory on the host that the machine sees as its root.
func (s Spec) Root() string { return filepath.Join(s.Directory, "root") }

// File returns where the spec is kept in a machine's directory.
func File(directory string) string { return filepath.Join(directory, "machine.json") }

// Save writes the spec to its directory.
func (s Spec) Save() error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode machine %s: %w", s.Name, err)
	}
	if err := os.MkdirAll(s.Directory, 0o755); err != nil {
		return fmt.Errorf("create machine %s: %w", s.Name, err)
	}
	if err := os.WriteFile(File(s.Directory), append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write machine %s: %w", s.Name, err)
	}
	return nil
}

// Load reads the spec in a machine's directory.
func Load(directory string) (Spec, error) {
	var spec Spec
	content, err := os.ReadFile(File(directory))
	if err != nil {
		return spec, fmt.Errorf("read machine: %w", err)
	}
	if err := json.Unmarshal(content, &spec); err != nil {
		return spec, fmt.Errorf("read machine %s: %w", directory, err)
	}
	return spec, nil
}
