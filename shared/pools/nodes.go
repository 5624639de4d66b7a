package pools

import (
	"maps"
	"slices"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// osdType is the CRUSH type of what is no bucket.
const osdType = "osd"

// nodes are buckets and OSDs of the CRUSH tree, by number.
type nodes map[int]ceph.OSDNode

func readNodes(tree ceph.OSDTree) nodes {
	all := nodes{}
	for _, node := range tree.Nodes {
		all[node.ID] = node
	}
	return all
}

// named finds a bucket.
func (n nodes) named(name string) (ceph.OSDNode, bool) {
	for _, node := range n {
		if node.Name == name {
			return node, true
		}
	}
	return ceph.OSDNode{}, false
}

// below are the nodes under a bucket.
func (n nodes) below(bucket ceph.OSDNode) nodes {
	found := nodes{}
	for _, id := range bucket.Children {
		found[id] = n[id]
		maps.Copy(found, n.below(n[id]))
	}
	return found
}

// holds tells whether a node is, or has below it, an OSD of a class; of any class if
// that is empty.
func (n nodes) holds(node ceph.OSDNode, class string) bool {
	if node.Type == osdType {
		return class == "" || node.DeviceClass == class
	}
	return slices.ContainsFunc(node.Children, func(id int) bool { return n.holds(n[id], class) })
}

// domains counts the failure domains that a placement can use.
func (n nodes) domains(want placement) int {
	count := 0
	for _, node := range n {
		if node.Type == want.domain && n.holds(node, want.class) {
			count++
		}
	}
	return count
}

// classes of the OSDs, sorted.
func (n nodes) classes() []string {
	known := map[string]bool{}
	for _, node := range n {
		if node.DeviceClass != "" {
			known[node.DeviceClass] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// types of the OSDs and of the buckets that hold one, sorted.
func (n nodes) types() []string {
	known := map[string]bool{}
	for _, node := range n {
		if n.holds(node, "") {
			known[node.Type] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}
