package serving

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/condition"
	"github.com/rook-ceph/rook-ceph/shared/problem"
)

// Object is one of those that daemons serve.
type Object struct {
	// Name and Kind of the object.
	Name, Kind string
	// Conditions that it reports; none before anybody looked at it.
	Conditions []api.Condition
	// Going is set when the object is being deleted.
	Going bool
	// Refused is set for one that never served anybody and cannot: it says so itself, and
	// the cluster is none the worse for it.
	Refused bool
}

// Words are how a sum is put.
type Words struct {
	// Condition is its type, and Starting the reason while an object is not served.
	Condition, Starting string
	// Daemons are who serves, in the plural.
	Daemons string
}

// Sum says whether all objects are served, and names those that are not.
func Sum(words Words, objects []Object, generation int64) api.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) api.Condition {
		return condition.New(words.Condition, status, reason, message, generation)
	}
	var waiting, upgrading []string
	for _, object := range objects {
		ready := condition.Find(object.Conditions, api.ConditionReady)
		switch {
		case object.Going, object.Refused:
		case ready == nil:
			waiting = append(waiting, fmt.Sprintf("%s %s is not reported on yet", object.Kind, object.Name))
		case ready.Status != metav1.ConditionTrue:
			waiting = append(waiting, fmt.Sprintf("%s %s: %s", object.Kind, object.Name, ready.Message))
		case ready.Reason == api.ReasonUpgrading:
			upgrading = append(upgrading, object.Name)
		}
	}
	switch {
	case len(objects) == 0:
		return set(metav1.ConditionTrue, api.ReasonNotRequested, "")
	case len(waiting) > 0:
		return set(metav1.ConditionFalse, words.Starting, problem.Sentence(waiting))
	case len(upgrading) > 0:
		return set(metav1.ConditionTrue, api.ReasonUpgrading, "Updating the "+words.Daemons+" of "+problem.Names(upgrading))
	}
	return set(metav1.ConditionTrue, api.ReasonAsExpected, "")
}
