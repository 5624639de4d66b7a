package storagetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// handle is an open namespace of a pool.
type handle struct {
	cluster *Cluster
	pool    *pool
	space   *space
}

func (h *handle) ID() int64    { return h.pool.id }
func (h *handle) Name() string { return h.pool.name }
func (h *handle) Close()       {}

func (h *handle) Namespaces(ctx context.Context) (found []string, err error) {
	err = h.cluster.call(ctx, "Namespaces", func() error {
		for name := range h.pool.spaces {
			if name != "" {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		return nil
	})
	return found, err
}

func (h *handle) Init(ctx context.Context) error {
	return h.cluster.call(ctx, "Init", func() error {
		h.space.initDone = true
		return nil
	})
}

func (h *handle) Omap(ctx context.Context, object string, keys ...string) (values map[string]string, err error) {
	err = h.cluster.call(ctx, "Omap "+object, func() error {
		all, ok := h.space.omaps[object]
		if !ok {
			return fmt.Errorf("object %q: %w", object, ceph.ErrNotFound)
		}
		if len(keys) == 0 {
			values = clone(all)
			return nil
		}
		values = map[string]string{}
		for _, key := range keys {
			if value, ok := all[key]; ok {
				values[key] = value
			}
		}
		return nil
	})
	return values, err
}

func (h *handle) SetOmap(ctx context.Context, object string, values map[string]string) error {
	return h.cluster.call(ctx, "SetOmap "+object, func() error {
		if h.space.omaps[object] == nil {
			h.space.omaps[object] = map[string]string{}
		}
		maps.Copy(h.space.omaps[object], values)
		return nil
	})
}

func (h *handle) RemoveOmap(ctx context.Context, object string, keys ...string) error {
	return h.cluster.call(ctx, "RemoveOmap "+object, func() error {
		for _, key := range keys {
			delete(h.space.omaps[object], key)
		}
		return nil
	})
}

func (h *handle) RemoveObject(ctx context.Context, object string) error {
	return h.cluster.call(ctx, "RemoveObject "+object, func() error {
		if h.space.omaps[object] == nil {
			return fmt.Errorf("object %q: %w", object, ceph.ErrNotFound)
		}
		delete(h.space.omaps, object)
		return nil
	})
}

func (h *handle) Lock(ctx context.Context, object, name, cookie string, _ time.Duration) error {
	return h.cluster.call(ctx, "Lock "+object, func() error {
		key := object + "\x00" + name
		if holder, locked := h.space.locks[key]; locked && holder != cookie {
			return fmt.Errorf("lock %q: %w", object, ceph.ErrBusy)
		}
		if h.space.omaps[object] == nil {
			h.space.omaps[object] = map[string]string{}
		}
		h.space.locks[key] = cookie
		return nil
	})
}

func (h *handle) Unlock(ctx context.Context, object, name, cookie string) error {
	return h.cluster.call(ctx, "Unlock "+object, func() error {
		key := object + "\x00" + name
		if h.space.locks[key] != cookie {
			return fmt.Errorf("unlock %q: %w", object, ceph.ErrNotFound)
		}
		delete(h.space.locks, key)
		return nil
	})
}

func (h *handle) CreateImage(ctx context.Context, name string, layout storage.Layout) error {
	return h.cluster.call(ctx, "CreateImage", func() error {
		if h.space.images[name] != nil {
			return fmt.Errorf("image %q: %w", name, ceph.ErrExists)
		}
		h.cluster.nextID++
		made := &image{
			Image: storage.Image{
				ID: fmt.Sprintf("%012x", h.cluster.nextID), Size: layout.Size, Features: layout.Features, DataPool: h.pool.id,
			},
			name:   name,
			layout: layout,
		}
		if data := h.cluster.pools[layout.DataPool]; data != nil {
			made.DataPool = data.id
		}
		h.space.images[name] = made
		return nil
	})
}

func (h *handle) Image(ctx context.Context, name string) (found storage.Image, err error) {
	err = h.cluster.call(ctx, "Image", func() error {
		image, err := h.image(name)
		if err == nil {
			found = image.Image
		}
		return err
	})
	return found, err
}

func (h *handle) GrowImage(ctx context.Context, name string, size uint64) error {
	return h.cluster.call(ctx, "GrowImage", func() error {
		image, err := h.image(name)
		if err != nil {
			return err
		}
		if size < image.Size {
			return fmt.Errorf("image %q: %w", name, ceph.ErrInvalid)
		}
		image.Size = size
		return nil
	})
}

func (h *handle) ImageName(ctx context.Context, id string) (name string, err error) {
	err = h.cluster.call(ctx, "ImageName", func() error {
		for _, set := range []map[string]*image{h.space.images, h.space.trash} {
			for _, image := range set {
				if image.ID == id {
					name = image.name
					return nil
				}
			}
		}
		return fmt.Errorf("image %s: %w", id, ceph.ErrNotFound)
	})
	return name, err
}

func (h *handle) Watchers(ctx context.Context, name string) (found []storage.Watcher, err error) {
	err = h.cluster.call(ctx, "Watchers", func() error {
		image, err := h.image(name)
		if err == nil {
			found = slices.Clone(image.watchers)
		}
		return err
	})
	return found, err
}

func (h *handle) TrashImage(ctx context.Context, name string) error {
	return h.cluster.call(ctx, "TrashImage", func() error {
		image, err := h.image(name)
		if err != nil {
			return err
		}
		if len(image.watchers) > 0 {
			return fmt.Errorf("image %q: %w", name, ceph.ErrBusy)
		}
		delete(h.space.images, name)
		h.space.trash[image.ID] = image
		return nil
	})
}

func (h *handle) ListImages(ctx context.Context) (found []string, err error) {
	err = h.cluster.call(ctx, "ListImages", func() error {
		found = names(h.space.images)
		return nil
	})
	return found, err
}

func (h *handle) ListTrash(ctx context.Context) (found []storage.Trashed, err error) {
	err = h.cluster.call(ctx, "ListTrash", func() error {
		for _, id := range names(h.space.trash) {
			found = append(found, storage.Trashed{ID: id, Name: h.space.trash[id].name})
		}
		return nil
	})
	return found, err
}

func (h *handle) PurgeTrashed(ctx context.Context, id string) error {
	return h.cluster.call(ctx, "PurgeTrashed", func() error {
		if h.space.trash[id] == nil {
			return fmt.Errorf("trash image %s: %w", id, ceph.ErrNotFound)
		}
		delete(h.space.trash, id)
		return nil
	})
}

func (h *handle) image(name string) (*image, error) {
	if found := h.space.images[name]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("image %q: %w", name, ceph.ErrNotFound)
}

func names[T any](set map[string]T) []string { return slices.Sorted(maps.Keys(set)) }

func clone(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return maps.Clone(values)
}
