package apply

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Past is a client that reads single objects past the cache: for an Applier of
// objects that no cache holds. Lists still come from the cache.
func Past(cached client.Client, live client.Reader) client.Client { return past{cached, live} }

type past struct {
	client.Client
	live client.Reader
}

// Get reads past the cache.
func (c past) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	return c.live.Get(ctx, key, obj, opts...)
}
