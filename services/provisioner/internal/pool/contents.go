package pool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/csi/storage"
)

// objectLimit is how many objects are looked at of a pool that is not empty: one
// is enough to keep it, more name more of what it holds.
const objectLimit = 200

// bookkeeping names the objects that RBD, its mgr module and the CSI journal keep
// in a pool in which there is nothing.
func bookkeeping() []string {
	return []string{
		"rbd_info", "rbd_directory", "rbd_children", "rbd_trash", "rbd_namespace", "rbd_group_directory",
		"rbd_mirroring", "rbd_mirror_leader", "rbd_mirror_snapshot_schedule",
		"rbd_task", "rbd_trash_purge_schedule",
		"csi.volumes.default", "csi.snaps.default", "csi.groups.default",
	}
}

// contents names what a user would lose with the pool. Images and trashed images
// come first; only where there are none, objects are looked at: they are of an
// image whose data pool this is, or of whoever wrote them.
func (p *pass) contents(ctx context.Context) ([]string, error) {
	found, err := p.images(ctx)
	if err != nil || len(found) > 0 {
		return found, err
	}
	var ignored []string
	if Application(p.pool) == rbdTag {
		ignored = bookkeeping()
	}
	objects, err := p.session.ListObjects(ctx, poolName(p.pool), objectLimit, ignored)
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	holds := map[string]struct{}{}
	known := map[dataOwner]string{}
	for _, object := range objects {
		name, err := p.describe(ctx, object, known)
		if err != nil {
			return nil, err
		}
		holds[name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(holds)), nil
}

// images lists images and trashed images of all namespaces. An image with
// snapshots or clones is an image.
func (p *pass) images(ctx context.Context) ([]string, error) {
	base, err := p.session.Pool(ctx, poolName(p.pool), "")
	if errors.Is(err, ceph.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer base.Close()
	namespaces, err := base.Namespaces(ctx)
	if err != nil && !without(err) {
		return nil, err
	}
	found, err := imagesOf(ctx, base, "")
	if err != nil {
		return nil, err
	}
	for _, namespace := range namespaces {
		space, err := p.session.Pool(ctx, poolName(p.pool), namespace)
		if err != nil {
			return nil, err
		}
		more, err := imagesOf(ctx, space, namespace+"/")
		space.Close()
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.Sort(found)
	return found, nil
}

// without tells that a pool has no such list: nobody made an image there, or an
// erasure coded pool cannot have any.
func without(err error) bool {
	return errors.Is(err, ceph.ErrNotFound) || errors.Is(err, ceph.ErrUnsupported)
}

func imagesOf(ctx context.Context, pool storage.Pool, prefix string) ([]string, error) {
	images, err := pool.ListImages(ctx)
	if err != nil && !without(err) {
		return nil, err
	}
	trash, err := pool.ListTrash(ctx)
	if err != nil && !without(err) {
		return nil, err
	}
	var found []string
	for _, name := range images {
		found = append(found, "image "+prefix+name)
	}
	for _, image := range trash {
		found = append(found, "trashed image "+prefix+image.Name)
	}
	return found, nil
}

// dataOwner is the image whose data an object is.
type dataOwner struct {
	pool      int64
	namespace string
	image     string
}

// readOwner reads rbd_data.<id of the image>.<number>, or, in the data pool of an
// image, rbd_data.<id of the image's pool>.<id of the image>.<number>.
func readOwner(object storage.Object) (owner dataOwner, ok bool) {
	rest, ok := strings.CutPrefix(object.Name, "rbd_data.")
	if !ok {
		return dataOwner{}, false
	}
	const own, foreign = 2, 3
	switch parts := strings.Split(rest, "."); len(parts) {
	case own:
		return dataOwner{pool: -1, namespace: object.Namespace, image: parts[0]}, true
	case foreign:
		pool, err := strconv.ParseInt(parts[0], 10, 64)
		return dataOwner{pool: pool, namespace: object.Namespace, image: parts[1]}, err == nil
	}
	return dataOwner{}, false
}

// describe says of what an object is a part. The image of each owner is looked
// up once.
func (p *pass) describe(ctx context.Context, object storage.Object, known map[dataOwner]string) (string, error) {
	prefix := ""
	if object.Namespace != "" {
		prefix = object.Namespace + "/"
	}
	owner, ok := readOwner(object)
	switch {
	case ok && owner.pool < 0:
		return "data of image id " + prefix + owner.image + ", which is being removed or was left behind", nil
	case ok:
		if known[owner] == "" {
			name, err := p.imageWithData(ctx, owner)
			if err != nil {
				return "", err
			}
			known[owner] = name
		}
		return known[owner], nil
	case strings.HasPrefix(object.Name, "csi.volume."), strings.HasPrefix(object.Name, "csi.snap."):
		return "record " + prefix + object.Name, nil
	}
	return "object " + prefix + object.Name, nil
}

// imageWithData names an image of another pool.
func (p *pass) imageWithData(ctx context.Context, owner dataOwner) (string, error) {
	lost := fmt.Sprintf("data of image id %s of pool id %d, which is being removed or was left behind", owner.image, owner.pool)
	name, err := p.session.PoolName(ctx, owner.pool)
	if errors.Is(err, ceph.ErrNotFound) {
		return lost, nil
	}
	if err != nil {
		return "", err
	}
	pool, err := p.session.Pool(ctx, name, owner.namespace)
	if errors.Is(err, ceph.ErrNotFound) {
		return lost, nil
	}
	if err != nil {
		return "", err
	}
	defer pool.Close()
	image, err := pool.ImageName(ctx, owner.image)
	if errors.Is(err, ceph.ErrNotFound) {
		return lost, nil
	}
	if err != nil {
		return "", err
	}
	parts := slices.DeleteFunc([]string{name, owner.namespace, image}, func(part string) bool { return part == "" })
	return "data of image " + strings.Join(parts, "/"), nil
}
