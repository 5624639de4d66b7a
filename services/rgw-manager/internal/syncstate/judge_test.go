package syncstate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// copied is a copy of objects of zone rome, of which all shards are followed to the
// given markers.
func copied(markers, ends []string) syncstate.Copy {
	one := syncstate.Copy{Kind: api.ObjectSyncData, Zone: "rome", Progress: ops.Progress{Syncing: true}, Ends: ends}
	for _, marker := range markers {
		one.Progress.Shards = append(one.Progress.Shards, ops.Shard{Following: true, Marker: marker})
	}
	return one
}

func sight(copies ...syncstate.Copy) syncstate.Sight { return syncstate.Sight{Copies: copies} }

func failing(problem string) syncstate.Copy {
	return syncstate.Copy{Kind: api.ObjectSyncData, Zone: "rome", Problem: problem}
}

func said(state api.ObjectSyncState, behind int32, message string, at time.Time) *api.ObjectSyncStatus {
	since := metav1.NewTime(at)
	return &api.ObjectSyncStatus{State: state, Since: &since, Sources: []api.ObjectSyncSource{
		{Kind: api.ObjectSyncData, Zone: "rome", State: state, BehindShards: behind, Since: &since, Message: message}}}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	then, now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)
	full := copied([]string{"2", "2"}, []string{"2", "2"})
	full.Progress.Shards[1].Following = false
	starting := copied(nil, nil)
	starting.Progress.Syncing = false
	old := copied([]string{"2"}, []string{"2"})
	old.Kind, old.Period, old.Progress.Period = api.ObjectSyncMetadata, "p2", "p1"
	for name, test := range map[string]struct {
		now    syncstate.Sight
		before *syncstate.Sight
		was    *api.ObjectSyncStatus
		want   *api.ObjectSyncStatus
	}{
		"a_zone_that_is_alone_has_no_state":      {sight(), nil, said(api.ObjectSyncBehind, 1, "", then), nil},
		"a_zone_with_all_has_caught_up":          {sight(copied([]string{"2", ""}, []string{"2", ""})), nil, nil, said(api.ObjectSyncCaughtUp, 0, "", now)},
		"shards_that_lack_something_are_counted": {sight(copied([]string{"1", "2", "1"}, []string{"2", "2", "2"})), nil, nil, said(api.ObjectSyncBehind, 2, "", now)},
		"what_was_before_the_log_is_lacking":     {sight(full), nil, nil, said(api.ObjectSyncBehind, 1, "", now)},
		"one_that_has_not_begun_is_behind":       {sight(starting), nil, nil, said(api.ObjectSyncBehind, 0, "", now)},
		"a_count_that_ticks_changes_nothing":     {sight(copied([]string{"1", "1"}, []string{"2", "2"})), nil, said(api.ObjectSyncBehind, 7, "", then), said(api.ObjectSyncBehind, 7, "", then)},
		"one_that_keeps_up_has_caught_up":        {sight(copied([]string{"2"}, []string{"3"})), ptr(sight(copied([]string{"1"}, []string{"2"}))), said(api.ObjectSyncBehind, 1, "", then), said(api.ObjectSyncCaughtUp, 0, "", now)},
		"one_that_does_not_keep_up_is_behind":    {sight(copied([]string{"1"}, []string{"3"})), ptr(sight(copied([]string{"1"}, []string{"2"}))), said(api.ObjectSyncCaughtUp, 0, "", then), said(api.ObjectSyncBehind, 1, "", now)},
		"a_successor_does_not_judge_at_once":     {sight(copied([]string{"1"}, []string{"2"})), nil, said(api.ObjectSyncCaughtUp, 0, "", then), said(api.ObjectSyncCaughtUp, 0, "", then)},
		"one_silence_is_not_told":                {sight(failing("silent")), ptr(sight(copied([]string{"2"}, []string{"2"}))), said(api.ObjectSyncCaughtUp, 0, "", then), said(api.ObjectSyncCaughtUp, 0, "", then)},
		"nor_is_one_after_a_change_of_leaders":   {sight(failing("silent")), nil, said(api.ObjectSyncBehind, 3, "", then), said(api.ObjectSyncBehind, 3, "", then)},
		"two_are":                                {sight(failing("silent")), ptr(sight(failing("silent"))), said(api.ObjectSyncCaughtUp, 0, "", then), said(api.ObjectSyncFailed, 0, "silent", now)},
		"the_first_is_if_nothing_was_known":      {sight(failing("silent")), nil, nil, said(api.ObjectSyncFailed, 0, "silent", now)},
		"a_failure_that_is_over_is_forgotten":    {sight(copied([]string{"2"}, []string{"2"})), ptr(sight(failing("silent"))), said(api.ObjectSyncFailed, 0, "silent", then), said(api.ObjectSyncCaughtUp, 0, "", now)},
		"a_period_that_is_not_copied_yet_is_lacking": {sight(old), nil, nil, func() *api.ObjectSyncStatus {
			s := said(api.ObjectSyncBehind, 1, "", now)
			s.Sources[0].Kind = api.ObjectSyncMetadata
			return s
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, syncstate.Judge(test.now, test.before, test.was, now)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWorstSourceIsTheStateOfTheZone(t *testing.T) {
	t.Parallel()
	metadata := copied([]string{"1"}, []string{"2"})
	metadata.Kind, metadata.Zone = api.ObjectSyncMetadata, "rome"
	other := failing("silent")
	other.Zone = "bonn"
	got := syncstate.Judge(sight(copied([]string{"2"}, []string{"2"}), other, metadata), nil, nil, time.Now())
	var list []string
	for _, source := range got.Sources {
		list = append(list, source.Kind+" "+source.Zone+" "+string(source.State))
	}
	want := []string{"metadata rome Behind", "data bonn Failed", "data rome CaughtUp"}
	if diff := cmp.Diff(want, list); diff != "" || got.State != api.ObjectSyncFailed {
		t.Errorf("state %s, sources (-want +got):\n%s", got.State, diff)
	}
}

func ptr[T any](value T) *T { return &value }
