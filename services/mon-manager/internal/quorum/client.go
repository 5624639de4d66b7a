package quorum

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// liveClient compares with what is stored, not with what the cache has: an
// intention must not be skipped because the cache still shows an older one that
// reads the same.
type liveClient struct {
	client.Client
	live client.Reader
}

// Get reads around the cache.
func (c liveClient) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	return c.live.Get(ctx, key, obj, opts...)
}

// versioned writes a status only while the object has the version that was seen,
// and notes the one that it has then.
type versioned struct {
	client.Client
	seen *string
}

// Status is the writer of the status.
func (v versioned) Status() client.SubResourceWriter {
	return versionedStatus{v.Client.Status(), v.seen}
}

type versionedStatus struct {
	client.SubResourceWriter
	seen *string
}

// Apply sends the version along.
func (v versionedStatus) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	meta, known := obj.(interface {
		SetResourceVersion(version string)
		GetResourceVersion() string
	})
	if known {
		meta.SetResourceVersion(*v.seen)
	}
	err := v.SubResourceWriter.Apply(ctx, obj, opts...)
	if err == nil && known {
		*v.seen = meta.GetResourceVersion()
	}
	return err
}
