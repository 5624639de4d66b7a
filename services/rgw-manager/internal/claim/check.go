package claim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/step"
)

// check turns the claim and its class into what shall be. It refuses all that can be
// known to be wrong without asking a store.
func (p *pass) check(context.Context) (step.Outcome, error) {
	if p.class == nil {
		return step.Wait(api.ReasonParentMissing, fmt.Sprintf("Waiting for StorageClass '%s', which does not exist", p.claim.Spec.StorageClassName)), nil
	}
	if p.at.Name == "" {
		return step.Stall(api.ReasonInvalidSpec, fmt.Sprintf("StorageClass '%s' lacks `%s`", p.class.Name, paramStore)), nil
	}
	settings, err := bucket.Parse(p.claim.Spec.AdditionalConfig, p.Config.Allowed)
	if errors.Is(err, bucket.ErrNotAllowed) {
		return step.Stall(api.ReasonConfigNotAllowed, err.Error()), nil
	}
	if err != nil {
		return step.Stall(api.ReasonInvalidSpec, sentence(err.Error())), nil
	}
	p.want.settings = settings
	p.want.granted = p.granted()
	p.wantUser(settings.Owner)
	if text := p.wantBucket(); text != "" {
		return step.Stall(api.ReasonInvalidSpec, text), nil
	}
	return step.Done, nil
}

// granted tells whether the bucket is somebody else's, as it was when the claim got it.
func (p *pass) granted() bool {
	switch p.recorded(stateAccess) {
	case accessGranted:
		return true
	case accessOwned:
		return false
	}
	return p.class != nil && p.class.Parameters[paramBucket] != ""
}

// wantUser says whose keys are published.
func (p *pass) wantUser(owner string) {
	p.want.own = p.ownUser()
	p.want.user = p.want.own
	if owner != "" {
		p.want.user = owner
	}
}

// ownUser is the user that is made for the claim, under whatever name it was made.
func (p *pass) ownUser() string {
	if was := p.recorded(objectbucket.StateUser); was != "" && !p.someoneElse(was) {
		return was
	}
	return fmt.Sprintf("obc-%s-%s-%s", p.claim.Namespace, p.claim.Name, p.claim.UID)
}

// someoneElse tells whether a recorded user was not made for the claim, but named by
// it. Whoever is named anywhere as owner counts, so that no such user is ever removed.
func (p *pass) someoneElse(user string) bool {
	if user == p.recorded(stateOwner) || user == p.claim.Spec.AdditionalConfig[bucket.Owner] {
		return true
	}
	at := p.record.Spec.Endpoint
	return at != nil && user == at.AdditionalConfig[bucket.Owner]
}

// wantBucket says which bucket it is; it returns what is wrong with it.
func (p *pass) wantBucket() string {
	if p.record != nil && p.record.Spec.Endpoint != nil && p.record.Spec.Endpoint.BucketName != "" {
		p.want.bucket = p.record.Spec.Endpoint.BucketName
		return p.keepBucket()
	}
	spec := &p.claim.Spec
	switch {
	case p.want.granted:
		p.want.bucket = p.class.Parameters[paramBucket]
		if spec.BucketName != "" && spec.BucketName != p.want.bucket {
			return fmt.Sprintf("StorageClass '%s' gives bucket '%s', and not '%s'; remove `bucketName`", p.class.Name, p.want.bucket, spec.BucketName)
		}
		return p.mindOwner()
	case spec.BucketName != "":
		p.want.bucket = spec.BucketName
	case spec.GenerateBucketName != "":
		p.want.bucket = bucket.Generated(spec.GenerateBucketName, string(p.claim.UID))
	default:
		return "A claim needs `bucketName` or `generateBucketName`; set one of them"
	}
	if err := bucket.CheckName(p.want.bucket); err != nil {
		return sentence(err.Error())
	}
	return ""
}

// keepBucket refuses another bucket than the one that the claim has.
func (p *pass) keepBucket() string {
	spec := &p.claim.Spec
	switch was := p.record.Spec.StorageClassName; {
	case was != "" && was != spec.StorageClassName:
		return fmt.Sprintf("`storageClassName` must not change; put '%s' back", was)
	case !p.want.granted && spec.BucketName != "" && spec.BucketName != p.want.bucket:
		return fmt.Sprintf("`bucketName` must not change; put '%s' back", p.want.bucket)
	}
	return p.mindOwner()
}

// mindOwner refuses settings of a bucket by a claim that only shares it.
func (p *pass) mindOwner() string {
	if !p.want.granted {
		return ""
	}
	var wrong []string
	for _, key := range []string{bucket.BucketMaxObjects, bucket.BucketMaxSize, bucket.Policy, bucket.Lifecycle, bucket.Owner} {
		if _, set := p.claim.Spec.AdditionalConfig[key]; set {
			wrong = append(wrong, "'"+key+"'")
		}
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("The bucket belongs to somebody else, who alone may set %s; remove it from `additionalConfig`", strings.Join(wrong, ", "))
}
