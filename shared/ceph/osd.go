package ceph

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"syscall"
)

// OSDNewRequest names an OSD to be: its uuid, its cephx key, and optionally
// the id of a destroyed OSD whose place it takes.
type OSDNewRequest struct {
	UUID        string
	CephxSecret string
	DeviceClass string
	ReuseID     *int
}

// OSDNew registers an OSD and returns its id. The same uuid with the same
// key returns the same id; with another key it is ErrExists.
func (c Client) OSDNew(ctx context.Context, request OSDNewRequest) (int, error) {
	secrets := map[string]string{"cephx_secret": request.CephxSecret}
	if request.DeviceClass != "" {
		secrets["crush_device_class"] = request.DeviceClass
	}
	input, err := json.Marshal(secrets)
	if err != nil {
		return 0, fmt.Errorf("encode osd secrets: %w", err)
	}
	args := arguments{"uuid": request.UUID}
	if request.ReuseID != nil {
		args["id"] = *request.ReuseID
	}
	reply, err := askWith[struct {
		ID *int `json:"osdid"`
	}](ctx, c.Mon, Command{Prefix: "osd new", Args: args, Input: input})
	if err != nil {
		return 0, err
	}
	if reply.ID == nil {
		return 0, fmt.Errorf("decode reply of %q: no osdid", "osd new")
	}
	return *reply.ID, nil
}

// OSDPurge forgets a down OSD: its id, key and CRUSH entry. Ceph refuses with
// ErrBusy, ErrDenied or ErrAgain unless the OSD is down and its data is safe
// elsewhere. An unknown id succeeds.
//
// The call sends no confirmation on purpose: the mgr takes one as an order to
// skip the check that the data is safe, and wants none when it is.
func (c Client) OSDPurge(ctx context.Context, id int) error {
	return do(ctx, c.Mgr, "osd purge", arguments{"id": id})
}

// OSDPurgeUnsafe is OSDPurge without the check that the data is safe.
func (c Client) OSDPurgeUnsafe(ctx context.Context, id int) error {
	return do(ctx, c.Mgr, "osd purge", arguments{"id": id, "force": true, "yes_i_really_mean_it": true})
}

// OSDDestroy forgets the key and data of a down OSD but keeps its id and
// CRUSH entry for a replacement. The checks are those of OSDPurge.
func (c Client) OSDDestroy(ctx context.Context, id int) error {
	return do(ctx, c.Mgr, "osd destroy", arguments{"id": id})
}

// OSDDestroyUnsafe is OSDDestroy without the check that the data is safe.
func (c Client) OSDDestroyUnsafe(ctx context.Context, id int) error {
	return do(ctx, c.Mgr, "osd destroy", arguments{"id": id, "force": true, "yes_i_really_mean_it": true})
}

// OKToStop is what "osd ok-to-stop" found out.
type OKToStop struct {
	OK                 bool     `json:"ok_to_stop"`
	OSDs               []int    `json:"osds"`
	NumOKPGs           int      `json:"num_ok_pgs"`
	NumNotOKPGs        int      `json:"num_not_ok_pgs"`
	BadBecomeInactive  []string `json:"bad_become_inactive"`
	OKBecomeDegraded   []string `json:"ok_become_degraded"`
	OKBecomeMoreDegrad []string `json:"ok_become_more_degraded"`
}

// OSDOKToStop returns a nil error and the set of OSDs that may stop together
// without making any PG inactive. Max above 0 lets Ceph widen the set with
// OSDs of the same CRUSH subtree. A refusal matches ErrBusy and carries the
// findings too; ErrAgain means that the mgr does not know the PGs yet.
func (c Client) OSDOKToStop(ctx context.Context, maximum int, ids ...int) (OKToStop, error) {
	args := arguments{"ids": idStrings(ids)}
	with(args, "max", maximum)
	return askRefusal[OKToStop](ctx, c.Mgr, "osd ok-to-stop", args)
}

// SafeToDestroy sorts the asked OSDs by whether their data is elsewhere.
type SafeToDestroy struct {
	Safe         []int `json:"safe_to_destroy"`
	Active       []int `json:"active"`
	MissingStats []int `json:"missing_stats"`
	StoredPGs    []int `json:"stored_pgs"`
}

// OSDSafeToDestroy returns a nil error only when all asked OSDs can be
// destroyed without reducing the durability of data; a refusal matches ErrBusy
// and carries the findings too; ErrAgain means that the mgr cannot tell yet.
// Ceph itself reports success as soon as it could answer.
func (c Client) OSDSafeToDestroy(ctx context.Context, ids ...int) (SafeToDestroy, error) {
	const prefix = "osd safe-to-destroy"
	result, err := askRefusal[SafeToDestroy](ctx, c.Mgr, prefix, arguments{"ids": idStrings(ids)})
	if err != nil {
		return result, err
	}
	for _, id := range ids {
		if !slices.Contains(result.Safe, id) {
			return result, &Error{Prefix: prefix, Errno: syscall.EBUSY, Status: fmt.Sprintf("osd.%d is not safe to destroy", id)}
		}
	}
	return result, nil
}

// OSDIn lets data flow to the OSDs.
func (c Client) OSDIn(ctx context.Context, ids ...int) error {
	return do(ctx, c.Mon, "osd in", arguments{"ids": idStrings(ids)})
}

// OSDOut moves all data away from the OSDs.
func (c Client) OSDOut(ctx context.Context, ids ...int) error {
	return do(ctx, c.Mon, "osd out", arguments{"ids": idStrings(ids)})
}

// OSDDown marks OSDs down; living ones come back by themselves.
func (c Client) OSDDown(ctx context.Context, ids ...int) error {
	return do(ctx, c.Mon, "osd down", arguments{"ids": idStrings(ids)})
}

// OSDDownDead marks OSDs down that are proven dead, so that clients need not
// wait for their read leases.
func (c Client) OSDDownDead(ctx context.Context, ids ...int) error {
	return do(ctx, c.Mon, "osd down", arguments{"ids": idStrings(ids), "definitely_dead": true})
}

// OSDSet sets a cluster-wide flag such as "noout".
func (c Client) OSDSet(ctx context.Context, flag string) error {
	return do(ctx, c.Mon, "osd set", arguments{"key": flag})
}

// OSDUnset clears a cluster-wide flag.
func (c Client) OSDUnset(ctx context.Context, flag string) error {
	return do(ctx, c.Mon, "osd unset", arguments{"key": flag})
}

// OSDSetGroup sets a flag such as "noout" on OSDs, CRUSH nodes or classes.
func (c Client) OSDSetGroup(ctx context.Context, flag string, who ...string) error {
	return do(ctx, c.Mon, "osd set-group", arguments{"flags": flag, "who": who})
}

// OSDUnsetGroup clears a flag on OSDs, CRUSH nodes or classes.
func (c Client) OSDUnsetGroup(ctx context.Context, flag string, who ...string) error {
	return do(ctx, c.Mon, "osd unset-group", arguments{"flags": flag, "who": who})
}

// OSDMetadata is what an OSD told about itself when it booted. All values
// are strings in Ceph's reply.
type OSDMetadata struct {
	ID           int    `json:"id"`
	Hostname     string `json:"hostname"`
	Version      string `json:"ceph_version"`
	Short        string `json:"ceph_version_short"`
	Release      string `json:"ceph_release"`
	ObjectStore  string `json:"osd_objectstore"`
	Devices      string `json:"devices"`
	DeviceIDs    string `json:"device_ids"`
	DefaultClass string `json:"default_device_class"`
	BackAddr     string `json:"back_addr"`
	FrontAddr    string `json:"front_addr"`
}

// OSDMetadata reads what every OSD told about itself; OSDs that never booted
// have only an id.
func (c Client) OSDMetadata(ctx context.Context) ([]OSDMetadata, error) {
	return ask[[]OSDMetadata](ctx, c.Mon, "osd metadata", nil)
}

// OSDNode is one line of the CRUSH tree: a bucket or an OSD.
type OSDNode struct {
	ID          int     `json:"id"`
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	TypeID      int     `json:"type_id"`
	Children    []int   `json:"children"`
	DeviceClass string  `json:"device_class"`
	CrushWeight float64 `json:"crush_weight"`
	Reweight    float64 `json:"reweight"`
	Status      string  `json:"status"`
	Exists      int     `json:"exists"`
}

// OSDTree is the CRUSH hierarchy with the state of its OSDs.
type OSDTree struct {
	Nodes []OSDNode `json:"nodes"`
	Stray []OSDNode `json:"stray"`
}

// OSDTree reads the CRUSH hierarchy. States such as "down" limit it to
// matching OSDs and their ancestors.
func (c Client) OSDTree(ctx context.Context, states ...string) (OSDTree, error) {
	args := arguments{}
	if len(states) > 0 {
		args["states"] = states
	}
	return ask[OSDTree](ctx, c.Mon, "osd tree", args)
}

// OSDUsage is the capacity and use of one OSD.
type OSDUsage struct {
	ID          int     `json:"id"`
	Name        string  `json:"name"`
	DeviceClass string  `json:"device_class"`
	CrushWeight float64 `json:"crush_weight"`
	Reweight    float64 `json:"reweight"`
	KB          uint64  `json:"kb"`
	KBUsed      uint64  `json:"kb_used"`
	KBAvail     uint64  `json:"kb_avail"`
	Utilization float64 `json:"utilization"`
	PGs         int     `json:"pgs"`
	Status      string  `json:"status"`
}

// OSDDF is the use of all OSDs.
type OSDDF struct {
	Nodes   []OSDUsage `json:"nodes"`
	Summary struct {
		TotalKB      uint64  `json:"total_kb"`
		TotalKBUsed  uint64  `json:"total_kb_used"`
		TotalKBAvail uint64  `json:"total_kb_avail"`
		Utilization  float64 `json:"average_utilization"`
	} `json:"summary"`
}

// OSDDF reads the use of all OSDs from the mgr.
func (c Client) OSDDF(ctx context.Context) (OSDDF, error) {
	return ask[OSDDF](ctx, c.Mgr, "osd df", nil)
}

func idStrings(ids []int) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = strconv.Itoa(id)
	}
	return list
}
