package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type object = map[string]any

// deploymentOf is a Deployment with the selector and the labels of its pods.
func deploymentOf(selector, podLabels object) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": "mon-a", "namespace": "ns"},
		"spec": object{"replicas": int64(1), "selector": selector, "template": object{"metadata": object{"labels": podLabels}}},
	}}
}

func TestADeploymentKeepsItsSelector(t *testing.T) {
	ours := object{"matchLabels": object{"app": "mon", "mon": "a"}}
	oneOf := func(values ...any) object {
		return object{"matchLabels": object{"app": "mon"}, "matchExpressions": []any{
			object{"key": "tier", "operator": "In", "values": values}}}
	}
	for name, test := range map[string]struct {
		live *unstructured.Unstructured
		pods object
		want *unstructured.Unstructured // nil for an error
	}{
		"nothing is there": {nil, object{"app": "mon", "mon": "a"}, deploymentOf(ours, object{"app": "mon", "mon": "a"})},
		"it selects as we do": {deploymentOf(ours, object{"app": "mon", "mon": "a", "other": "label"}),
			object{"app": "mon", "mon": "a"}, deploymentOf(ours, object{"app": "mon", "mon": "a"})},
		"it selects by other labels": {deploymentOf(object{"matchLabels": object{"app": "mon", "id": "a"}}, nil),
			object{"app": "mon", "mon": "a"},
			deploymentOf(object{"matchLabels": object{"app": "mon", "id": "a"}}, object{"app": "mon", "mon": "a", "id": "a"})},
		"it selects by another value": {deploymentOf(object{"matchLabels": object{"by": "them"}}, nil),
			object{"app": "mon", "mon": "a", "by": "us"},
			deploymentOf(object{"matchLabels": object{"by": "them"}}, object{"app": "mon", "mon": "a", "by": "them"})},
		"it selects pods that ours are no more": {deploymentOf(object{"matchLabels": object{"mon": "b"}}, nil), object{"app": "mon", "mon": "a"}, nil},
		"an expression matches": {deploymentOf(oneOf("x", "y"), nil), object{"app": "mon", "mon": "a", "tier": "x"},
			deploymentOf(oneOf("x", "y"), object{"app": "mon", "mon": "a", "tier": "x"})},
		"an expression does not match": {deploymentOf(oneOf("x", "y"), nil), object{"app": "mon", "mon": "a"}, nil},
	} {
		desired := deploymentOf(ours, test.pods)
		before := desired.DeepCopy()
		got, err := withSelectorOf(test.live, desired)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(before, desired); diff != "" {
			t.Errorf("%s: desired was changed:\n%s", name, diff)
		}
	}
}

func TestASelectorThatCannotBeKeptIsSaidWithItsRemedy(t *testing.T) {
	live := deploymentOf(object{"matchLabels": object{"mon": "b"}}, nil)
	_, err := withSelectorOf(live, deploymentOf(object{"matchLabels": object{"mon": "a"}}, object{"mon": "a"}))
	for _, part := range []string{"Deployment ns/mon-a", `"mon=b"`, `"mon=a"`, "delete the Deployment"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v lacks %s", err, part)
		}
	}
}

func TestOnlyDeploymentsKeepTheirSelector(t *testing.T) {
	service := func(selector object) *unstructured.Unstructured {
		u := deploymentOf(selector, nil)
		u.SetAPIVersion("v1")
		u.SetKind("Service")
		return u
	}
	desired := service(object{"mon": "a"})
	if got, err := withSelectorOf(service(object{"mon": "b"}), desired); err != nil || got != desired {
		t.Errorf("got %v, %v", got, err)
	}
}
