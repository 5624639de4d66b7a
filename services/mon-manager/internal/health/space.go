package health

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/condition"
)

// spaceChecks are Ceph's checks about full disks and pools, the gravest first.
// Each is also the reason of the condition.
func spaceChecks() []string {
	return []string{
		"OSD_FULL", "POOL_FULL", "OSD_BACKFILLFULL", "POOL_BACKFILLFULL", "OSD_NEARFULL", "POOL_NEARFULL",
	}
}

// short tells whether a check about full disks or pools is raised: only then
// Ceph is asked for its details.
func short(health ceph.Health) bool {
	return slices.ContainsFunc(spaceChecks(), func(code string) bool { return raised(health, code) })
}

func raised(health ceph.Health, code string) bool {
	check, found := health.Checks[code]
	return found && !check.Muted
}

// Space says whether there is room to write to, and otherwise which OSDs or
// pools are full and what to do.
func Space(health ceph.Health, generation int64) api.Condition {
	for _, code := range spaceChecks() {
		if raised(health, code) {
			return condition.New(api.ConditionSpaceAvailable, metav1.ConditionFalse, code,
				fmt.Sprintf("%s; add disks, or delete data", subjects(health.Checks[code])), generation)
		}
	}
	return condition.New(api.ConditionSpaceAvailable, metav1.ConditionTrue, condition.ReasonAsExpected, "", generation)
}

// subjects are the lines about each OSD or pool, in a stable order.
func subjects(check ceph.HealthCheck) string {
	var lines []string
	for _, detail := range check.Detail {
		lines = append(lines, strings.TrimSpace(detail.Message))
	}
	if len(lines) == 0 {
		return check.Summary.Message
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}
