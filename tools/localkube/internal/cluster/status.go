package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/host"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/layout"
	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
)

// Status is what a cluster is doing.
type Status struct {
	Cluster  layout.Cluster
	Working  bool
	Problem  string
	Machines []MachineStatus
}

// MachineStatus is what one machine is doing.
type MachineStatus struct {
	Name    string
	Address string
	PID     int
	State   string
	Disks   int
	// Bytes is the memory of the machine's own services, without pods.
	Bytes int64
}

// Status returns the state of a cluster; it is false when there is none.
func (t *Tool) Status(ctx context.Context, name string) (Status, bool, error) {
	cluster, ok, err := t.Store.Open(name)
	if err != nil || !ok {
		return Status{}, ok, err
	}
	r := &run{Tool: t, cluster: cluster}
	if r.cgroups, err = host.FindCgroups(); err != nil {
		return Status{}, true, err
	}
	status := Status{Cluster: cluster}
	nodes, problem := r.ask(ctx)
	if problem != nil {
		status.Problem = problem.Error()
	}
	status.Working = problem == nil
	for _, name := range cluster.MachineNames() {
		status.Machines = append(status.Machines, r.machineStatus(name, nodes))
	}
	return status, true, nil
}

func (r *run) ask(ctx context.Context) (map[string]string, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	nodes, err := client.nodes(ctx)
	if err != nil {
		return nil, err
	}
	return nodes, client.working(ctx, r.cluster.Nodes)
}

func (r *run) machineStatus(name string, nodes map[string]string) MachineStatus {
	status := MachineStatus{Name: name, Address: r.cluster.ControlAddress().String(), State: "stopped"}
	if number, err := r.cluster.NodeNumber(name); err == nil {
		status.Address = r.cluster.NodeAddress(number).String()
		status.Disks = len(r.disks(number))
	}
	process, ok := machine.Find(r.cluster.MachineDir(name))
	if !ok {
		return status
	}
	status.PID, status.State = process.PID, "running"
	status.Bytes = host.Memory(r.cgroups.Processes(r.cluster.MachineCgroup(name) + "/system"))
	if name == layout.ControlPlane {
		return status
	}
	switch problem, registered := nodes[name]; {
	case !registered:
		status.State = "not registered"
	case problem != "":
		status.State = fmt.Sprintf("not ready: %s", problem)
	default:
		status.State = "ready"
	}
	return status
}
