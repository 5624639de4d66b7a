package user

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ceph/go-ceph/rgw/admin"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// allOperations are the kinds of operations, in the order in which a gateway lists
// them.
var allOperations = []string{"read", "write", "delete"}

// noOperation is how a gateway is told that there is none: it passes over an empty
// list.
const noOperation = ","

// hold makes sure that the object stays until its user is gone.
func (p *pass) hold(ctx context.Context) (step.Outcome, error) {
	return step.Done, p.Apply.Finalizer(ctx, p.user, Finalizer())
}

// attributes are what of the user one request sets.
func (p *pass) attributes() admin.User {
	is := admin.User{ID: p.user.Name, DisplayName: p.user.Spec.DisplayName, MaxBuckets: ptr.To(0), OpMask: p.operations()}
	if is.DisplayName == "" {
		is.DisplayName = p.user.Name
	}
	if quotas := p.user.Spec.Quotas; quotas != nil && quotas.MaxBuckets != nil {
		is.MaxBuckets = ptr.To(int(*quotas.MaxBuckets))
	}
	return is
}

// operations are the kinds of operations that the user may do.
func (p *pass) operations() string {
	if p.user.Spec.OpMask == nil {
		return strings.Join(allOperations, ", ")
	}
	var may []string
	for _, one := range allOperations {
		if slices.Contains(*p.user.Spec.OpMask, api.ObjectUserOp(one)) {
			may = append(may, one)
		}
	}
	if len(may) == 0 {
		return noOperation
	}
	return strings.Join(may, ", ")
}

// makeUser makes a user that does not exist. That its key will be ours is noted first:
// should we end before the reply comes, the user is known again.
func (p *pass) makeUser(ctx context.Context) (step.Outcome, error) {
	if p.live != nil {
		return step.Done, nil
	}
	if !p.given(p.keys[0].Access) {
		if err := p.note(ctx); err != nil {
			return step.None, err
		}
	}
	wanted := p.attributes()
	wanted.DefaultPlacement, wanted.DefaultStorageClass = p.user.Spec.DefaultPlacement, p.user.Spec.DefaultStorageClass
	wanted.GenerateKey = ptr.To(false)
	wanted.Keys = []admin.UserKeySpec{{AccessKey: p.keys[0].Access, SecretKey: p.keys[0].Secret}}
	var caps []string
	for _, one := range p.user.Spec.Capabilities.List() {
		caps = append(caps, one.Type+"="+one.Perm)
	}
	wanted.UserCaps = strings.Join(caps, ";")
	made, err := p.gateway.CreateUser(ctx, wanted)
	if errors.Is(err, ops.ErrExists) {
		if ops.Code(err) == "KeyExists" {
			return p.taken(""), nil
		}
		return step.Retry(missingRetry, api.ReasonWaiting, "Somebody else has just made the user"), nil
	}
	p.live = &made
	return p.refused(err)
}

// refused explains the refusal of a capability, which gateways of some releases do not
// know, and of a placement.
func (p *pass) refused(err error) (step.Outcome, error) {
	spec := &p.user.Spec
	switch code := ops.Code(err); {
	case code == "InvalidCapability":
		return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf(
			"CephObjectStore '%s' does not know all of `capabilities`; remove those that its release of Ceph lacks", spec.Store)), nil
	case code == "InvalidArgument" && spec.DefaultPlacement != "":
		return step.Retry(refusedRetry, api.ReasonGatewayRefused, fmt.Sprintf(
			"CephObjectStore '%s' refuses `defaultPlacement` '%s' with `defaultStorageClass` '%s'; choose those of its zone",
			spec.Store, spec.DefaultPlacement, spec.DefaultStorageClass)), nil
	}
	return p.heard(err)
}

// place sets where the buckets of the user are made. Where the spec says nothing it
// stays: a gateway cannot be told so.
func (p *pass) place(ctx context.Context) (step.Outcome, error) {
	placement, class := p.user.Spec.DefaultPlacement, p.user.Spec.DefaultStorageClass
	if placement == "" || p.live.DefaultPlacement == placement && ops.SameClass(p.live.DefaultStorageClass, class) {
		return step.Done, nil
	}
	return p.refused(p.gateway.Place(ctx, p.user.Name, placement, class))
}

// change sets name, number of buckets and operations where they differ.
func (p *pass) change(ctx context.Context) (step.Outcome, error) {
	wanted := p.attributes()
	if p.live.DisplayName == wanted.DisplayName && ptr.Deref(p.live.MaxBuckets, math.MinInt) == *wanted.MaxBuckets &&
		slices.Equal(masked(p.live.OpMask), masked(wanted.OpMask)) {
		return step.Done, nil
	}
	_, err := p.gateway.ModifyUser(ctx, wanted)
	return p.heard(err)
}

// masked reads a list of operations.
func masked(text string) []string {
	return slices.DeleteFunc(slices.Clone(allOperations), func(one string) bool { return !strings.Contains(text, one) })
}

// setCaps gives the user the capabilities of the spec, and no others.
func (p *pass) setCaps(ctx context.Context) (step.Outcome, error) {
	more, less := differing(p.live.Caps, p.user.Spec.Capabilities.List())
	if len(less) > 0 {
		if outcome, err := p.heard(p.gateway.RemoveCaps(ctx, p.user.Name, less)); err != nil || !outcome.IsDone() {
			return outcome, err
		}
	}
	if len(more) == 0 {
		return step.Done, nil
	}
	return p.refused(p.gateway.AddCaps(ctx, p.user.Name, more))
}

// differing are the capabilities that have to be added and removed.
func differing(have []admin.UserCapSpec, want []api.ObjectUserCap) (more, less []admin.UserCapSpec) {
	wanted := map[string]string{}
	for _, one := range want {
		wanted[one.Type] = one.Perm
	}
	had := map[string]string{}
	for _, one := range have {
		had[one.Type] = one.Perm
		if extra := beyond(one.Perm, wanted[one.Type]); extra != "" {
			less = append(less, admin.UserCapSpec{Type: one.Type, Perm: extra})
		}
	}
	for _, one := range want {
		if lacking := beyond(one.Perm, had[one.Type]); lacking != "" {
			more = append(more, admin.UserCapSpec{Type: one.Type, Perm: lacking})
		}
	}
	return more, less
}

// beyond is what one permission allows that another does not.
func beyond(perm, other string) string {
	allows := func(perm, what string) bool { return perm == "*" || strings.Contains(perm, what) }
	read, write := allows(perm, "read") && !allows(other, "read"), allows(perm, "write") && !allows(other, "write")
	switch {
	case read && write:
		return "*"
	case read:
		return "read"
	case write:
		return "write"
	}
	return ""
}

// setQuota limits what the user keeps where that differs.
func (p *pass) setQuota(ctx context.Context) (step.Outcome, error) {
	want := p.quota()
	if ops.QuotaOf(p.live.UserQuota) == want {
		return step.Done, nil
	}
	return p.heard(p.gateway.SetUserQuota(ctx, p.user.Name, want))
}

// quota is that of the spec. What is not set is not limited, and 0 lets nothing be
// kept.
func (p *pass) quota() ops.Quota {
	want := ops.NoQuota
	quotas := p.user.Spec.Quotas
	if quotas == nil {
		return want
	}
	if quotas.MaxSize != nil {
		want.MaxSize = quotas.MaxSize.Value()
	}
	if quotas.MaxObjects != nil && *quotas.MaxObjects >= 0 {
		want.MaxObjects = *quotas.MaxObjects
	}
	return want
}
