package group

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// ClusterID is by what volume drivers know a group: what the spec says, or a
// digest of where the group is. It follows from what cannot be changed, so an
// object that is made again has the same.
func ClusterID(group *api.CephFilesystemSubVolumeGroup) string {
	if group.Spec.ClusterID != "" {
		return group.Spec.ClusterID
	}
	sum := sha256.Sum256([]byte(group.Namespace + "-" + group.Spec.FilesystemName + "-file-" + group.GroupName()))
	return hex.EncodeToString(sum[:16])
}

func (p *pass) findOthers(ctx context.Context) (step.Outcome, error) {
	var list api.CephFilesystemSubVolumeGroupList
	if err := p.Client.List(ctx, &list); err != nil {
		return step.None, fmt.Errorf("list CephFilesystemSubVolumeGroups: %w", err)
	}
	p.rival, p.twin = others(p.group, list.Items)
	return step.Done, nil
}

// others looks for objects with the clusterID of a group. A clusterID means the
// name of a group, and StorageClasses name the file system beside it: a rival
// is older and keeps a group of another name or namespace, a twin stays and keeps
// the very same group.
func others(group *api.CephFilesystemSubVolumeGroup, all []api.CephFilesystemSubVolumeGroup) (rival, twin string) {
	for i := range all {
		other := &all[i]
		beside := other.Namespace == group.Namespace
		switch {
		case beside && other.Name == group.Name || ClusterID(other) != ClusterID(group):
		case !beside || other.GroupName() != group.GroupName():
			if older(other, group) {
				rival = other.Namespace + "/" + other.Name
			}
		case other.Spec.FilesystemName == group.Spec.FilesystemName && other.DeletionTimestamp.IsZero():
			twin = other.Name
		}
	}
	return rival, twin
}

func older(a, b *api.CephFilesystemSubVolumeGroup) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// holdClusterID refuses a clusterID that means another group already: volumes
// that name it would be looked for where they are not.
func (p *pass) holdClusterID(context.Context) (step.Outcome, error) {
	id, namespace := ClusterID(p.group), p.group.Namespace
	switch {
	case p.rival != "":
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"`clusterID` %s belongs to CephFilesystemSubVolumeGroup '%s'; create this one with another", id, p.rival)), nil
	case p.foreign():
		return step.Retry(refusedRetry, api.ReasonInvalidSpec, fmt.Sprintf(
			"`clusterID` %s is the namespace and means group '%s'; create this one with another", namespace, api.DefaultSubVolumeGroup)), nil
	}
	return step.Done, nil
}

// foreign tells whether the clusterID is that of the default group, which this
// is not.
func (p *pass) foreign() bool {
	return ClusterID(p.group) == p.group.Namespace && p.group.GroupName() != api.DefaultSubVolumeGroup
}

// published is the clusterID that volume drivers may know the group by.
func (p *pass) published() string {
	if p.rival != "" || p.foreign() {
		return ""
	}
	return ClusterID(p.group)
}
