package config

import "path/filepath"

// Directories inside every machine.
const (
	// Programs holds one directory for each pinned recipe.
	Programs = "/opt/localkube"
	// Settings holds rendered configuration, kubeconfigs and certificates.
	Settings = "/etc/localkube"
	// Logs holds one file for each service.
	Logs = "/var/log/localkube"
	// ContainerdSocket is where containerd listens.
	ContainerdSocket = "/run/containerd/containerd.sock"
	// Plugins is where Debian and Ubuntu install CNI plugins.
	Plugins = "/usr/lib/cni"
	// Wrappers stand before programs of the host that need help in a machine.
	Wrappers = Settings + "/bin"
	// SearchPath is the PATH of every service.
	SearchPath = Wrappers + ":" + Programs + "/kube:" + Programs + "/containerd:" + Programs + "/etcd:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

func program(recipe, name string) string { return filepath.Join(Programs, recipe, name) }

func setting(name string) string { return filepath.Join(Settings, name) }

// Service is one program that a machine keeps running.
type Service struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

// File is one file inside a machine.
type File struct {
	Path    string
	Content string
}
