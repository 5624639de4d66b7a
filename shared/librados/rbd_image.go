//go:build librados

package librados

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ceph/go-ceph/rbd"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// CreateImage makes an image of format 2.
func (p *pool) CreateImage(ctx context.Context, name string, layout storage.Layout) error {
	_, err := call(ctx, p, fmt.Sprintf("create image %s/%s", p.name, name), func() (struct{}, error) {
		options, err := imageOptions(layout)
		if err != nil {
			return none(err)
		}
		defer options.Destroy()
		return none(rbd.CreateImage(p.ioctx, name, layout.Size, options))
	})
	return err
}

func imageOptions(layout storage.Layout) (*rbd.ImageOptions, error) {
	options := rbd.NewRbdImageOptions()
	numbers := []struct {
		option rbd.ImageOption
		value  uint64
	}{
		{rbd.ImageOptionFormat, 2},
		{rbd.ImageOptionFeatures, uint64(rbd.FeatureSetFromNames(layout.Features))},
		{rbd.ImageOptionStripeUnit, layout.StripeUnit},
		{rbd.ImageOptionStripeCount, layout.StripeCount},
		{rbd.ImageOptionOrder, order(layout.ObjectSize)},
	}
	for _, number := range numbers {
		if number.value == 0 {
			continue
		}
		if err := options.SetUint64(number.option, number.value); err != nil {
			options.Destroy()
			return nil, err
		}
	}
	if layout.DataPool == "" {
		return options, nil
	}
	if err := options.SetString(rbd.ImageOptionDataPool, layout.DataPool); err != nil {
		options.Destroy()
		return nil, err
	}
	return options, nil
}

// order is the logarithm of the object size, 0 when the size is left open.
func order(size uint64) uint64 {
	var n uint64
	for size > 1 {
		size >>= 1
		n++
	}
	return n
}

// open runs do with the image open for reading: it takes no lock, sets no watch.
func open[T any](ctx context.Context, p *pool, what, name string, do func(*rbd.Image) (T, error)) (T, error) {
	return call(ctx, p, fmt.Sprintf("%s %s/%s", what, p.name, name), func() (value T, err error) {
		image, err := rbd.OpenImageReadOnly(p.ioctx, name, rbd.NoSnapshot)
		if err != nil {
			return value, err
		}
		value, err = do(image)
		return value, errors.Join(err, image.Close())
	})
}

// Image looks an image up.
func (p *pool) Image(ctx context.Context, name string) (storage.Image, error) {
	return open(ctx, p, "read image", name, func(image *rbd.Image) (storage.Image, error) {
		id, err := image.GetId()
		if err != nil {
			return storage.Image{}, err
		}
		size, err := image.GetSize()
		if err != nil {
			return storage.Image{}, err
		}
		bits, err := image.GetFeatures()
		if err != nil {
			return storage.Image{}, err
		}
		data, err := image.GetDataPoolID()
		if err != nil {
			return storage.Image{}, err
		}
		features := rbd.FeatureSet(bits)
		found := storage.Image{ID: id, Size: size, Features: features.Names(), DataPool: data}
		parent, err := image.GetParent()
		if errors.Is(err, rbd.ErrNotFound) {
			return found, nil
		}
		if err != nil {
			return storage.Image{}, err
		}
		found.Parent = fmt.Sprintf("%s/%s@%s", parent.Image.PoolName, parent.Image.ImageName, parent.Snap.SnapName)
		return found, nil
	})
}

// GrowImage makes an image larger. A client that has its exclusive lock does it for us.
func (p *pool) GrowImage(ctx context.Context, name string, size uint64) error {
	_, err := call(ctx, p, fmt.Sprintf("grow image %s/%s", p.name, name), func() (struct{}, error) {
		image, err := rbd.OpenImage(p.ioctx, name, rbd.NoSnapshot)
		if err != nil {
			return none(err)
		}
		const mayShrink = false
		progress := func(uint64, uint64, any) int { return 0 }
		return none(errors.Join(image.Resize2(size, mayShrink, progress, nil), image.Close()))
	})
	return err
}

// ImageName reads the directory of the images, then the trash.
func (p *pool) ImageName(ctx context.Context, id string) (string, error) {
	key := "id_" + id
	values, err := p.Omap(ctx, "rbd_directory", key)
	if err != nil && !errors.Is(err, ceph.ErrNotFound) {
		return "", err
	}
	if name, found := values[key]; found {
		return decodeString(name)
	}
	trash, err := p.ListTrash(ctx)
	if err != nil {
		return "", err
	}
	for _, image := range trash {
		if image.ID == id {
			return image.Name, nil
		}
	}
	return "", fmt.Errorf("find image %s/%s: %w", p.name, id, ceph.ErrNotFound)
}

var errEncoding = errors.New("not an encoded string")

// decodeString reads a string as Ceph encodes it: its length, then its bytes.
func decodeString(text string) (string, error) {
	const prefix = 4
	if len(text) < prefix || uint64(binary.LittleEndian.Uint32([]byte(text[:prefix]))) != uint64(len(text)-prefix) {
		return "", fmt.Errorf("decode name of image: %w", errEncoding)
	}
	return text[prefix:], nil
}

// Watchers lists the clients that have the image open for writing.
func (p *pool) Watchers(ctx context.Context, name string) ([]storage.Watcher, error) {
	return open(ctx, p, "list watchers of image", name, func(image *rbd.Image) ([]storage.Watcher, error) {
		listed, err := image.ListWatchers()
		if err != nil {
			return nil, err
		}
		watchers := make([]storage.Watcher, 0, len(listed))
		for _, watcher := range listed {
			watchers = append(watchers, storage.Watcher{Address: watcher.Addr, Client: watcher.Id})
		}
		return watchers, nil
	})
}

// TrashImage moves an image to the trash.
func (p *pool) TrashImage(ctx context.Context, name string) error {
	_, err := call(ctx, p, fmt.Sprintf("move image %s/%s to the trash", p.name, name), func() (struct{}, error) {
		return none(rbd.GetImage(p.ioctx, name).Trash(0))
	})
	return err
}

// ListImages returns the names of all images.
func (p *pool) ListImages(ctx context.Context) ([]string, error) {
	return call(ctx, p, "list images of pool "+p.name, func() ([]string, error) {
		return rbd.GetImageNames(p.ioctx)
	})
}

// ListTrash returns what waits in the trash.
func (p *pool) ListTrash(ctx context.Context) ([]storage.Trashed, error) {
	return call(ctx, p, "list trash of pool "+p.name, func() ([]storage.Trashed, error) {
		listed, err := rbd.GetTrashList(p.ioctx)
		if err != nil {
			return nil, err
		}
		trash := make([]storage.Trashed, 0, len(listed))
		for _, image := range listed {
			trash = append(trash, storage.Trashed{ID: image.Id, Name: image.Name, Kept: image.DefermentEndTime})
		}
		return trash, nil
	})
}

// PurgeTrashed removes an image from the trash with all its data.
func (p *pool) PurgeTrashed(ctx context.Context, id string) error {
	_, err := call(ctx, p, fmt.Sprintf("purge image %s from the trash of %s", id, p.name), func() (struct{}, error) {
		return none(rbd.TrashRemove(p.ioctx, id, false))
	})
	return err
}
