package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/csi"
	"github.com/rook-ceph/rook-ceph/shared/csi/clusters"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/problem"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// usersRetry is how often missing Secrets are looked for; we may not watch them.
const usersRetry = 2 * time.Second

// infoClusterID is where the status of a subvolume group says its clusterID.
const infoClusterID = "clusterID"

// pass is one call of Reconcile.
type pass struct {
	*Reconciler
	cluster *api.CephCluster
	apply   apply.Applier
}

func (p *pass) monitors(context.Context) (step.Outcome, error) {
	return condition.Await(p.cluster, api.ConditionMonitorsInQuorum), nil
}

func (p *pass) manager(context.Context) (step.Outcome, error) {
	return condition.Await(p.cluster, api.ConditionManagerActive), nil
}

// users looks for the Secrets that mon-manager makes.
func (p *pass) users(ctx context.Context) (step.Outcome, error) {
	var missing []string
	var wanted []string
	for _, driver := range p.Identities {
		wanted = append(wanted, driver.Provisioner, driver.Node)
	}
	for _, name := range wanted {
		_, err := p.Secrets.Secret(ctx, p.cluster.Namespace, name)
		if errors.Is(err, clusters.ErrNoSecret) {
			missing = append(missing, name)
			continue
		}
		if err != nil {
			return step.None, err
		}
	}
	if len(missing) > 0 {
		return step.Retry(usersRetry, api.ReasonWaiting, "Waiting for mon-manager: Secrets "+problem.Names(missing)+" do not exist yet"), nil
	}
	return step.Done, nil
}

func (p *pass) pools(ctx context.Context) (step.Outcome, error) {
	list, err := p.list(ctx)
	if err != nil {
		return step.None, err
	}
	var waiting []string
	for i := range list {
		pool := &list[i]
		if pool.DeletionTimestamp.IsZero() && (pool.Status == nil || !condition.IsTrue(pool.Status.Conditions, api.ConditionReady)) {
			waiting = append(waiting, pool.Name)
		}
	}
	if len(waiting) > 0 {
		return step.Wait(api.ReasonWaiting, "Waiting for CephBlockPools "+problem.Names(waiting)), nil
	}
	return step.Done, nil
}

// dependents keeps the cluster while its pools exist.
func (p *pass) dependents(ctx context.Context) (step.Outcome, error) {
	list, err := p.list(ctx)
	if err != nil {
		return step.None, err
	}
	if len(list) == 0 {
		return step.Done, nil
	}
	left := make([]string, len(list))
	for i := range list {
		left[i] = list[i].Name
	}
	return step.Wait(api.ReasonDependents, "Waiting for the deletion of CephBlockPools "+problem.Names(left)+"; delete them first"), nil
}

func (p *pass) list(ctx context.Context) ([]api.CephBlockPool, error) {
	var list api.CephBlockPoolList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.cluster.Namespace)); err != nil {
		return nil, fmt.Errorf("list CephBlockPools: %w", err)
	}
	return list.Items, nil
}

func (p *pass) config(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.publishClusters(ctx)
}

// mountOptions refuses options that nodes would refuse for every mount.
func (p *pass) mountOptions(context.Context) (step.Outcome, error) {
	of := p.cluster.Spec.CSI.CephFS
	for _, field := range []struct{ name, options string }{
		{csi.ParamKernelMountOptions, of.KernelMountOptions}, {csi.ParamFUSEMountOptions, of.FuseMountOptions},
	} {
		if err := csi.CheckMountOptions(field.options); err != nil {
			return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("`spec.csi.cephfs.%s`: %v; no CephFS volume is mounted until it is corrected", field.name, err)), nil
		}
	}
	return step.Done, nil
}

// clusterConfig is one entry of the configuration that ceph-csi reads.
type clusterConfig struct {
	ClusterID string      `json:"clusterID"`
	Monitors  []string    `json:"monitors"`
	CephFS    *fileConfig `json:"cephFS,omitempty"`
	Namespace string      `json:"namespace"`
}

// fileConfig is what a clusterID means for CephFS if that is not the default.
type fileConfig struct {
	SubvolumeGroup     string `json:"subvolumeGroup,omitempty"`
	KernelMountOptions string `json:"kernelMountOptions,omitempty"`
	FUSEMountOptions   string `json:"fuseMountOptions,omitempty"`
}

// publishClusters writes the monitors of all clusters for other tools, and closes
// the connections to those that are gone.
func (r *Reconciler) publishClusters(ctx context.Context) error {
	var list api.CephClusterList
	if err := r.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("list CephClusters: %w", err)
	}
	var fsids []string
	for i := range list.Items {
		if connection := list.Items[i].Status.Connection; connection != nil {
			fsids = append(fsids, connection.FSID)
		}
	}
	r.Keep(fsids)
	var groups api.CephFilesystemSubVolumeGroupList
	if err := r.Client.List(ctx, &groups); err != nil {
		return fmt.Errorf("list CephFilesystemSubVolumeGroups: %w", err)
	}
	text, err := configText(list.Items, groups.Items)
	if err != nil {
		return err
	}
	object := coreac.ConfigMap(names.CSIConfig, r.Namespace).WithData(map[string]string{csi.ConfigKey: text})
	return apply.Applier{Client: r.Client, Manager: Name}.Set(ctx, nil, object)
}

// configText lists clusters and their subvolume groups with the monitors in a
// stable order.
func configText(list []api.CephCluster, groups []api.CephFilesystemSubVolumeGroup) (string, error) {
	entries := []clusterConfig{}
	for i := range list {
		connection := list[i].Status.Connection
		if connection == nil || len(connection.Endpoints) == 0 {
			continue
		}
		entry := clusterConfig{ClusterID: list[i].Namespace, Namespace: list[i].Namespace, CephFS: files(&list[i], "")}
		for _, mon := range connection.Endpoints {
			entry.Monitors = append(entry.Monitors, address(mon))
		}
		slices.Sort(entry.Monitors)
		entries = append(entries, entry)
		for j := range groups {
			if id := groupID(&groups[j]); id != "" && groups[j].Namespace == entry.Namespace {
				group := clusterConfig{
					ClusterID: id, Monitors: entry.Monitors, CephFS: files(&list[i], groups[j].GroupName()), Namespace: entry.Namespace,
				}
				entries = append(entries, group)
			}
		}
	}
	slices.SortFunc(entries, func(a, b clusterConfig) int { return strings.Compare(a.ClusterID, b.ClusterID) })
	text, err := json.Marshal(entries)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", csi.ConfigKey, err)
	}
	return string(text), nil
}

// files is what a clusterID of the cluster means for CephFS; nil if that is the
// default. Options that are refused are not told of.
func files(cluster *api.CephCluster, group string) *fileConfig {
	of := cluster.Spec.CSI.CephFS
	config := fileConfig{SubvolumeGroup: group, KernelMountOptions: of.KernelMountOptions, FUSEMountOptions: of.FuseMountOptions}
	if csi.CheckMountOptions(of.KernelMountOptions, of.FuseMountOptions) != nil {
		config.KernelMountOptions, config.FUSEMountOptions = "", ""
	}
	if config == (fileConfig{}) {
		return nil
	}
	return &config
}

// groupID is the clusterID that a subvolume group has, "" while it has none.
func groupID(group *api.CephFilesystemSubVolumeGroup) string {
	if group.Status == nil {
		return ""
	}
	return group.Status.Info[infoClusterID]
}

func address(mon api.MonitorEndpoint) string {
	port := mon.V1Port
	if port == 0 {
		port = mon.V2Port
	}
	host := mon.Address
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// relevant passes changes of a cluster that this controller waits for.
type relevant struct{ predicate.Funcs }

// Update compares deletion, connection and the awaited conditions.
func (relevant) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*api.CephCluster)
	after, known := e.ObjectNew.(*api.CephCluster)
	if !ok || !known || before.Generation != after.Generation || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() {
		return true
	}
	for _, typ := range []string{api.ConditionMonitorsInQuorum, api.ConditionManagerActive} {
		if c := condition.Find(after.Status.Conditions, typ); c != nil && condition.Changed(before.Status.Conditions, *c) {
			return true
		}
	}
	return monitors(before) != monitors(after)
}

func monitors(cluster *api.CephCluster) string {
	if cluster.Status.Connection == nil {
		return ""
	}
	return cluster.Status.Connection.FSID + cluster.Status.Connection.MonHost
}

// readiness passes changes of a pool's Ready condition.
type readiness struct{ predicate.Funcs }

// Update compares the Ready condition and deletion.
func (readiness) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*api.CephBlockPool)
	after, known := e.ObjectNew.(*api.CephBlockPool)
	return !ok || !known || ready(before) != ready(after) || before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero()
}

func ready(pool *api.CephBlockPool) bool {
	return pool.Status != nil && condition.IsTrue(pool.Status.Conditions, api.ConditionReady)
}

// identity passes changes of what a subvolume group is published as.
type identity struct{ predicate.Funcs }

// Update compares clusterID and name.
func (identity) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*api.CephFilesystemSubVolumeGroup)
	after, known := e.ObjectNew.(*api.CephFilesystemSubVolumeGroup)
	return !ok || !known || groupID(before) != groupID(after) || before.GroupName() != after.GroupName()
}
