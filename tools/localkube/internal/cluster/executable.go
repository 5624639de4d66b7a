package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"context"

	"golang.org/x/sys/unix"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
)

// executable is the copy of this program that init processes run, so that a
// new build or a cleaned build cache never touches a running cluster.
func (r *run) executable() string { return filepath.Join(r.cluster.State, "localkube") }

func (r *run) keepExecutable() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	return writeFile(r.executable(), string(content), 0o755)
}

// machineID returns the stable identity of a machine.
func machineID(spec machine.Spec) string {
	sum := sha256.Sum256([]byte(spec.Cluster + "/" + spec.Name))
	return hex.EncodeToString(sum[:16]) + "\n"
}

// clearCgroup ends every process that is left in a cgroup.
func (r *run) clearCgroup(ctx context.Context, path string) error {
	return await(ctx, "end of processes in "+path, 30*time.Second, func(context.Context) error {
		left := r.cgroups.Processes(path)
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		if len(left) > 0 {
			return fmt.Errorf("%d processes still run, the first is %d", len(left), left[0])
		}
		return nil
	})
}
