package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// ManagedBy is the label under which Prune finds what a controller applied.
const ManagedBy = "ceph.rook.io/applied-by"

// Applier applies objects for one controller.
type Applier struct {
	Client client.Client
	// Live reads past the cache; it may be nil. Set and Typed ask it for what the cache
	// does not have, once for each object that is made: a cache that is narrowed by
	// label does not show what Rook made without that label.
	Live client.Reader
	// Manager is the controller's name, "<service>.<package>": the field
	// manager of everything it applies.
	Manager string
}

// Set applies typed apply configurations in the given order and makes owner
// (which may be nil) their controller. It returns the first error, wrapped with
// the kind and the name. An object that already carries all that this manager
// wants, and nothing that it wanted before and no longer does, is not sent. What
// Rook's operator wrote to an object counts as wanted before, and a Deployment keeps
// the selector that it has.
func (a Applier) Set(ctx context.Context, owner client.Object, objs ...runtime.ApplyConfiguration) error {
	for _, obj := range objs {
		desired, err := toUnstructured(obj)
		if err != nil {
			return err
		}
		if err := a.set(ctx, owner, desired); err != nil {
			return err
		}
	}
	return nil
}

// Typed is Set for our own kinds, whose Go structs leave out what is not set.
// The status of obj is not sent; see Status.
func (a Applier) Typed(ctx context.Context, owner, obj client.Object) error {
	desired, err := a.fromTyped(obj)
	if err != nil {
		return err
	}
	return a.set(ctx, owner, desired)
}

// Status applies piece, a status with only the fields of this manager set, to
// the status of obj. What this manager owned before and piece leaves out is
// removed, so a manager always sends all that it owns.
func (a Applier) Status(ctx context.Context, obj client.Object, piece any) error {
	status, err := toMap(piece)
	if err != nil {
		return err
	}
	desired, err := a.identity(obj)
	if err != nil {
		return err
	}
	desired.Object["status"] = status
	live, err := a.live(ctx, desired)
	if err != nil {
		return err
	}
	if live == nil || live.GetUID() != obj.GetUID() {
		return nil // it is gone, and with it whoever would read its status
	}
	if owns(live, desired, a.Manager, "status") {
		return nil
	}
	err = a.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(desired),
		client.FieldOwner(a.Manager), client.ForceOwnership)
	return wrap("apply status of", desired, client.IgnoreNotFound(err))
}

// Fields applies single fields of an object that belongs to somebody else. It
// sets no label and no owner, and does nothing when the object is gone.
func (a Applier) Fields(ctx context.Context, obj client.Object, content map[string]any) error {
	desired, err := a.identity(obj)
	if err != nil {
		return err
	}
	for field, value := range content {
		desired.Object[field] = value
	}
	live, err := a.live(ctx, desired)
	if err != nil {
		return err
	}
	if live == nil || live.GetUID() != obj.GetUID() || owns(live, desired, a.Manager, "") {
		return nil
	}
	err = a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired),
		client.FieldOwner(a.Manager), client.ForceOwnership)
	return wrap("apply fields of", desired, err)
}

func (a Applier) set(ctx context.Context, owner client.Object, desired *unstructured.Unstructured) error {
	live, desired, err := a.prepare(ctx, owner, desired)
	if err != nil || a.settled(live, desired) {
		return err
	}
	if live != nil && inherits(live) {
		if err := a.takeOver(ctx, live); err != nil {
			return err
		}
	}
	err = a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired),
		client.FieldOwner(a.Manager), client.ForceOwnership)
	return wrap("apply", desired, err)
}

// prepare returns the object as it is, or nil, and desired as it has to be sent.
func (a Applier) prepare(ctx context.Context, owner client.Object, desired *unstructured.Unstructured) (live, complete *unstructured.Unstructured, err error) {
	if err := a.adopt(owner, desired); err != nil {
		return nil, nil, err
	}
	live, err = a.live(ctx, desired)
	if err == nil && live == nil && a.Live != nil {
		live, err = a.read(ctx, a.Live, desired)
	}
	if err != nil {
		return nil, nil, err
	}
	complete, err = withSelectorOf(live, desired)
	return live, complete, err
}

// settled tells whether there is nothing to send.
func (a Applier) settled(live, desired *unstructured.Unstructured) bool {
	return live != nil && !inherits(live) && owns(live, desired, a.Manager, "")
}

// adopt sets the label of the manager and the owner reference. An owner in
// another namespace cannot own; the label is all that ties them.
func (a Applier) adopt(owner client.Object, desired *unstructured.Unstructured) error {
	labels := desired.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ManagedBy] = a.Manager
	desired.SetLabels(labels)
	if owner == nil || len(desired.GetOwnerReferences()) > 0 {
		return nil
	}
	if ns := owner.GetNamespace(); ns != "" && ns != desired.GetNamespace() {
		return nil
	}
	gvk, err := apiutil.GVKForObject(owner, a.Client.Scheme())
	if err != nil {
		return fmt.Errorf("find kind of owner %s: %w", owner.GetName(), err)
	}
	desired.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(owner, gvk)})
	return nil
}

// live returns the object as the cache has it, or nil.
func (a Applier) live(ctx context.Context, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return a.read(ctx, a.Client, desired)
}

func (a Applier) read(ctx context.Context, from client.Reader, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	typed, err := a.Client.Scheme().New(desired.GroupVersionKind())
	if err != nil {
		return nil, wrap("find type of", desired, err)
	}
	obj, ok := typed.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no object", desired.GetKind())
	}
	err = from.Get(ctx, client.ObjectKeyFromObject(desired), obj)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("read", desired, err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, wrap("convert", desired, err)
	}
	live := &unstructured.Unstructured{Object: content}
	live.SetGroupVersionKind(desired.GroupVersionKind())
	return live, nil
}

// identity returns the apiVersion, kind, name and namespace of obj.
func (a Applier) identity(obj client.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(obj, a.Client.Scheme())
	if err != nil {
		return nil, fmt.Errorf("find kind of %s: %w", obj.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(gvk)
	u.SetName(obj.GetName())
	if ns := obj.GetNamespace(); ns != "" {
		u.SetNamespace(ns)
	}
	return u, nil
}

// fromTyped turns one of our structs into what may be applied.
func (a Applier) fromTyped(obj client.Object) (*unstructured.Unstructured, error) {
	u, err := a.identity(obj)
	if err != nil {
		return nil, err
	}
	content, err := toMap(obj)
	if err != nil {
		return nil, err
	}
	for _, field := range []string{"status", "metadata", "apiVersion", "kind"} {
		delete(content, field)
	}
	for field, value := range content {
		u.Object[field] = value
	}
	if labels := obj.GetLabels(); len(labels) > 0 {
		u.SetLabels(labels)
	}
	if annotations := obj.GetAnnotations(); len(annotations) > 0 {
		u.SetAnnotations(annotations)
	}
	if owners := obj.GetOwnerReferences(); len(owners) > 0 {
		u.SetOwnerReferences(owners)
	}
	return u, nil
}

func toUnstructured(obj runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	content, err := toMap(obj)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}

func toMap(value any) (map[string]any, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	content := map[string]any{}
	if err := unmarshal(body, &content); err != nil {
		return nil, fmt.Errorf("decode %T: %w", value, err)
	}
	return content, nil
}

func wrap(verb string, u *unstructured.Unstructured, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s %s: %w", verb, u.GetKind(), client.ObjectKeyFromObject(u), err)
}
