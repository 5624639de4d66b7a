package apply

import (
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var deployments = schema.GroupKind{Group: appsv1.GroupName, Kind: "Deployment"}

// withSelectorOf returns desired with the selector of live, which may be nil: that of
// a Deployment cannot be changed, and Rook's select by other labels than ours. The pods
// get the labels of both, so whoever looks for them by ours finds them; where the two
// differ, the live one counts. It is an error if no pod can match both.
func withSelectorOf(live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live == nil || desired.GroupVersionKind().GroupKind() != deployments {
		return desired, nil
	}
	kept, wished := nested(live, "spec", "selector"), nested(desired, "spec", "selector")
	if len(kept) == 0 || equality.Semantic.DeepEqual(kept, wished) {
		return desired, nil
	}
	out := desired.DeepCopy()
	podLabels := labels.Set{}
	for _, source := range []map[string]any{nested(out, "spec", "template", "metadata", "labels"), nested(live, "spec", "selector", "matchLabels")} {
		for name, value := range source {
			podLabels[name] = fmt.Sprint(value)
		}
	}
	if err := selectBoth(podLabels, kept, wished); err != nil {
		return nil, wrap("keep selector of", desired, err)
	}
	err := errors.Join(
		unstructured.SetNestedMap(out.Object, kept, "spec", "selector"),
		unstructured.SetNestedStringMap(out.Object, podLabels, "spec", "template", "metadata", "labels"),
	)
	return out, wrap("keep selector of", desired, err)
}

// selectBoth refuses pods that one of the selectors does not match.
func selectBoth(podLabels labels.Set, kept, wished map[string]any) error {
	old, err := selectorOf(kept)
	if err != nil {
		return err
	}
	ours, err := selectorOf(wished)
	if err != nil {
		return err
	}
	if !old.Matches(podLabels) || !ours.Matches(podLabels) {
		return fmt.Errorf("it cannot be changed, and pods do not match both %q, as it is, and %q, as wanted; "+
			"delete the Deployment with --cascade=foreground, and it is made anew", old, ours)
	}
	return nil
}

func selectorOf(content map[string]any) (labels.Selector, error) {
	selector := metav1.LabelSelector{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector); err != nil {
		return nil, err
	}
	return metav1.LabelSelectorAsSelector(&selector)
}

// nested returns a map inside of an object, or nil.
func nested(u *unstructured.Unstructured, path ...string) map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
	found, _ := value.(map[string]any)
	return found
}
