package storagetest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// ListObjects lists omaps, what initialisation leaves, and of each image its header
// and one object of data in the pool that holds its data.
func (c *Cluster) ListObjects(ctx context.Context, pool string, limit int, ignored []string) (found []storage.Object, err error) {
	err = c.call(ctx, "ListObjects", func() error {
		at, ok := c.pools[pool]
		if !ok {
			return fmt.Errorf("pool %q: %w", pool, ceph.ErrNotFound)
		}
		for _, object := range c.objects(at) {
			if len(found) < limit && !slices.Contains(ignored, object.Name) {
				found = append(found, object)
			}
		}
		return nil
	})
	return found, err
}

func (c *Cluster) objects(at *pool) []storage.Object {
	var found []storage.Object
	for _, name := range names(at.spaces) {
		for _, object := range append(names(at.spaces[name].omaps), at.spaces[name].bookkeeping()...) {
			found = append(found, storage.Object{Namespace: name, Name: object})
		}
	}
	for _, owner := range names(c.pools) {
		for _, name := range names(c.pools[owner].spaces) {
			for _, object := range c.pools[owner].imageObjects(name, at.name) {
				found = append(found, storage.Object{Namespace: name, Name: object})
			}
		}
	}
	return found
}

func (s *space) bookkeeping() []string {
	var found []string
	if s.initDone {
		found = append(found, "rbd_info")
	}
	if len(s.images) > 0 {
		found = append(found, "rbd_directory")
	}
	return found
}

// imageObjects names what the images of a namespace have in a pool.
func (p *pool) imageObjects(namespace, in string) []string {
	images := maps.Clone(p.spaces[namespace].images)
	maps.Copy(images, p.spaces[namespace].trash)
	var found []string
	for _, key := range names(images) {
		image := images[key]
		if p.name == in {
			found = append(found, "rbd_header."+image.ID)
		}
		switch {
		case image.layout.DataPool == "" && p.name == in:
			found = append(found, "rbd_data."+image.ID+".0000000000000000")
		case image.layout.DataPool == in && in != "":
			found = append(found, fmt.Sprintf("rbd_data.%d.%s.0000000000000000", p.id, image.ID))
		}
	}
	return found
}
