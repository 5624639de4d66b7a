//go:build librados && integration

package librados_test

import (
	"context"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// scene is one call of the differential test. Its result must be equal on the
// fake and on real daemons, so do keeps only what does not depend on time,
// addresses or chance. Settles marks facts that a real cluster reaches after a
// while; they are asked again until they are equal. Loses names a mon that ends
// before.
type scene struct {
	name    string
	settles bool
	loses   string
	do      func(ctx context.Context, c ceph.Client) (any, error)
}

func call(name string, do func(ctx context.Context, c ceph.Client) error) scene {
	return scene{name: name, do: func(ctx context.Context, c ceph.Client) (any, error) { return nil, do(ctx, c) }}
}

func fact(name string, do func(ctx context.Context, c ceph.Client) (any, error)) scene {
	return scene{name: name, do: do}
}

func settled(name string, do func(ctx context.Context, c ceph.Client) (any, error)) scene {
	return scene{name: name, do: do, settles: true}
}

func script() []scene {
	var all []scene
	for _, part := range [][]scene{
		monScenes(), mgrScenes(), authScenes(), configScenes(), crushScenes(), poolScenes(), settingScenes(),
		erasureScenes(), mapScenes(), healthScenes(), osdScenes(), removalScenes(),
	} {
		all = append(all, part...)
	}
	return all
}
