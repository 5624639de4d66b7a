package syncstate

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Judge says how far a zone is behind. before is what was seen last; nil if nobody has
// looked. was is what was said last, of which all is kept whose state has not changed.
// It is nil for a zone that copies from nobody.
func Judge(now Sight, before *Sight, was *api.ObjectSyncStatus, at time.Time) *api.ObjectSyncStatus {
	if len(now.Copies) == 0 {
		return nil
	}
	since := metav1.NewTime(at.UTC().Truncate(time.Second))
	made := &api.ObjectSyncStatus{State: api.ObjectSyncCaughtUp, Since: &since}
	for _, copied := range now.Copies {
		source := judge(copied, earlier(before, copied), said(was, copied))
		if source.Since == nil {
			source.Since = &since
		}
		made.Sources = append(made.Sources, source)
		made.State = worse(made.State, source.State)
	}
	slices.SortFunc(made.Sources, func(a, b api.ObjectSyncSource) int {
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Zone, b.Zone))
	})
	if was != nil && was.State == made.State {
		made.Since = was.Since
	}
	return made
}

// judge says how far one copy is behind.
func judge(now Copy, before *Copy, was *api.ObjectSyncSource) api.ObjectSyncSource {
	source := api.ObjectSyncSource{Kind: now.Kind, Zone: now.Zone, State: api.ObjectSyncCaughtUp}
	switch {
	case now.Problem != "":
		source.State, source.Message = api.ObjectSyncFailed, now.Problem
	default:
		if source.BehindShards = lacking(now, before); source.BehindShards > 0 || !now.Progress.Syncing {
			source.State = api.ObjectSyncBehind
		}
	}
	switch {
	case was == nil:
	case was.State == source.State && was.Message == source.Message:
		return *was
	case source.State == api.ObjectSyncFailed && (before == nil || before.Problem == ""),
		source.State == api.ObjectSyncBehind && before == nil:
		return *was // it may be over by the next time
	}
	return source
}

// lacking counts the shards of which something is missing that was there before.
func lacking(now Copy, before *Copy) int32 {
	ends := now.Ends
	if before != nil && before.Problem == "" && before.Period == now.Period {
		ends = before.Ends
	}
	count := int32(0)
	for i, shard := range now.Progress.Shards {
		if !shard.Following || now.Progress.Period != now.Period || i < len(ends) && shard.Marker < ends[i] {
			count++
		}
	}
	return count
}

func earlier(before *Sight, of Copy) *Copy {
	if before != nil {
		for i := range before.Copies {
			if one := &before.Copies[i]; one.Kind == of.Kind && one.Zone == of.Zone {
				return one
			}
		}
	}
	return nil
}

func said(was *api.ObjectSyncStatus, of Copy) *api.ObjectSyncSource {
	if was != nil {
		for i := range was.Sources {
			if one := &was.Sources[i]; one.Kind == of.Kind && one.Zone == of.Zone {
				return one
			}
		}
	}
	return nil
}

func worse(a, b api.ObjectSyncState) api.ObjectSyncState {
	order := []api.ObjectSyncState{api.ObjectSyncCaughtUp, api.ObjectSyncBehind, api.ObjectSyncFailed}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}
