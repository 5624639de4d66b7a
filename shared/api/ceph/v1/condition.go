package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition is one statement about an object. It is metav1.Condition with the
// heartbeat time that older tools read; only type and status are required.
type Condition struct {
	// type names the statement, such as Ready.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=316
	Type string `json:"type"`

	// status of the statement: True, False or Unknown.
	// +kubebuilder:validation:Enum=True;False;Unknown
	Status metav1.ConditionStatus `json:"status"`

	// observedGeneration is the generation that the statement speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHeartbeatTime is when the condition was last written. It is written
	// with a change only, never as a heartbeat.
	// +optional
	LastHeartbeatTime *metav1.Time `json:"lastHeartbeatTime,omitempty"`

	// lastTransitionTime is when status last changed.
	// +optional
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty"`

	// reason of the status, in CamelCase.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Reason string `json:"reason,omitempty"`

	// message for people.
	// +kubebuilder:validation:MaxLength=32768
	// +optional
	Message string `json:"message,omitempty"`
}

// FromCondition turns a Kubernetes condition into ours. The transition time
// stays unset if it is zero there.
func FromCondition(c metav1.Condition) Condition {
	out := Condition{
		Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message,
		ObservedGeneration: c.ObservedGeneration,
	}
	if !c.LastTransitionTime.IsZero() {
		out.LastTransitionTime = c.LastTransitionTime.DeepCopy()
	}
	return out
}

// FindCondition gives the condition of a type, or nil. The result points into
// the list.
func FindCondition(list []Condition, conditionType string) *Condition {
	for i := range list {
		if list[i].Type == conditionType {
			return &list[i]
		}
	}
	return nil
}

// IsConditionTrue tells whether the condition of a type is there and True.
func IsConditionTrue(list []Condition, conditionType string) bool {
	c := FindCondition(list, conditionType)
	return c != nil && c.Status == metav1.ConditionTrue
}
