package claim

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/bucket"
	objectbucket "github.com/rook-ceph/rook-ceph/shared/api/objectbucket/v1alpha1"
	"github.com/rook-ceph/rook-ceph/shared/apply"
)

// What consumers read beside a claim.
const (
	keyAccess    = "AWS_ACCESS_KEY_ID"
	keySecret    = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // the name of a key, not a key
	keyHost      = "BUCKET_HOST"
	keyPort      = "BUCKET_PORT"
	keyName      = "BUCKET_NAME"
	keyRegion    = "BUCKET_REGION"
	keySubregion = "BUCKET_SUBREGION"
)

// labelProvisioner names the provisioner on whatever it makes.
const labelProvisioner = "bucket-provisioner"

// What an ObjectBucket remembers in additionalState besides what others know as well.
const (
	// stateOwner is the user that the claim named as the owner.
	stateOwner = "bucketOwner"
	// stateAccess is whether the bucket is the claim's own.
	stateAccess   = "access"
	accessOwned   = "owned"
	accessGranted = "granted"
	// stateMarker is what Ceph calls the bucket for as long as it exists, whoever owns
	// it; one that is made later under the same name is called otherwise.
	stateMarker = "bucketMarker"
	// stateSettings are the settings that have to be taken back, in a list.
	stateSettings = "settings"
)

// set are the settings that the claim made, in whole or in part. An ObjectBucket that
// another provisioner wrote lists none; all that it was given counts then.
func (p *pass) set() []string {
	if p.record == nil {
		return nil
	}
	if listed, told := p.record.Spec.AdditionalState[stateSettings]; told {
		return strings.FieldsFunc(listed, func(r rune) bool { return r == ',' })
	}
	var all []string
	if at := p.record.Spec.Endpoint; at != nil {
		for _, key := range []string{bucket.Lifecycle, bucket.Policy} {
			if at.AdditionalConfig[key] != "" {
				all = append(all, key)
			}
		}
	}
	return all
}

// recordOf is the ObjectBucket that says who has the bucket and what was set.
func (p *pass) recordOf(name, user string, settings []string) *objectbucket.ObjectBucket {
	state := map[string]string{
		objectbucket.StateUser: user, stateAccess: accessOwned,
		objectbucket.StateStore: p.at.Name, objectbucket.StateStoreNamespace: p.at.Namespace,
		stateSettings: strings.Join(slices.Sorted(slices.Values(settings)), ","),
	}
	if p.want.granted {
		state[stateAccess] = accessGranted
	}
	if user != p.want.own {
		state[stateOwner] = user
	}
	if marker := p.marker(); marker != "" {
		state[stateMarker] = marker
	}
	return &objectbucket.ObjectBucket{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{labelProvisioner: label(p.class.Provisioner)}},
		Spec: objectbucket.ObjectBucketSpec{
			StorageClassName: p.class.Name,
			ReclaimPolicy:    p.reclaimPolicy(),
			ClaimRef: &corev1.ObjectReference{APIVersion: objectbucket.SchemeGroupVersion.String(), Kind: "ObjectBucketClaim",
				Namespace: p.claim.Namespace, Name: p.claim.Name, UID: p.claim.UID},
			AdditionalState: state,
			Endpoint: &objectbucket.Endpoint{
				BucketHost: p.want.address.host, BucketPort: p.want.address.port, BucketName: p.want.bucket,
				Region: p.class.Parameters[paramRegion], AdditionalConfig: maps.Clone(p.claim.Spec.AdditionalConfig),
			},
		},
	}
}

// marker is that of the claim's own bucket, as it was last seen.
func (p *pass) marker() string {
	if p.bucket != nil && !p.want.granted {
		return p.bucket.Marker
	}
	return p.recorded(stateMarker)
}

// reclaimPolicy is that of the class when the bucket was made, or what an administrator
// has made of it since.
func (p *pass) reclaimPolicy() *corev1.PersistentVolumeReclaimPolicy {
	if p.record != nil && p.record.Spec.ReclaimPolicy != nil {
		return p.record.Spec.ReclaimPolicy
	}
	return ptr.To(ptr.Deref(p.class.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete))
}

func (p *pass) secretOf(access, secret string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(p.claim.Name, p.claim.Namespace).
		WithLabels(map[string]string{labelProvisioner: label(p.class.Provisioner)}).
		WithFinalizers(objectbucket.Finalizer).
		WithData(map[string][]byte{keyAccess: []byte(access), keySecret: []byte(secret)})
}

func (p *pass) configOf() *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(p.claim.Name, p.claim.Namespace).
		WithLabels(map[string]string{labelProvisioner: label(p.class.Provisioner)}).
		WithFinalizers(objectbucket.Finalizer).
		WithData(map[string]string{
			keyHost: p.want.address.host, keyPort: strconv.Itoa(int(p.want.address.port)), keyName: p.want.bucket,
			keyRegion: p.class.Parameters[paramRegion], keySubregion: "",
		})
}

// besides applies what is not cached.
func (p *pass) besides() apply.Applier {
	return apply.Applier{Client: apply.Past(p.Client, p.Live), Manager: p.Apply.Manager}
}
