package ceph

import (
	"context"
	"fmt"
)

// Location is where something sits in the CRUSH tree: "type=name" pairs such
// as "root=default", "host=n1".
type Location []string

// CrushRule is one placement rule.
type CrushRule struct {
	ID    int         `json:"rule_id"`
	Name  string      `json:"rule_name"`
	Type  int         `json:"type"`
	Steps []CrushStep `json:"steps"`
}

// CrushStep is one step of a rule: "take" names ItemName ("default~ssd"),
// the choose steps name Type ("host").
type CrushStep struct {
	Op       string `json:"op"`
	Item     int    `json:"item"`
	ItemName string `json:"item_name"`
	Num      int    `json:"num"`
	Type     string `json:"type"`
}

// CrushRuleList reads the names of all rules.
func (c Client) CrushRuleList(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c.Mon, "osd crush rule ls", nil)
}

// CrushRuleGet reads one rule, or ErrNotFound.
func (c Client) CrushRuleGet(ctx context.Context, name string) (CrushRule, error) {
	return ask[CrushRule](ctx, c.Mon, "osd crush rule dump", arguments{"name": name})
}

// CrushRuleDump reads all rules.
func (c Client) CrushRuleDump(ctx context.Context) ([]CrushRule, error) {
	return ask[[]CrushRule](ctx, c.Mon, "osd crush rule dump", nil)
}

// CrushRuleSpec is a simple replicated rule: spread over FailureDomain below
// Root, on devices of one class or, when DeviceClass is empty, of any.
type CrushRuleSpec struct {
	Name          string
	Root          string
	FailureDomain string
	DeviceClass   string
}

// CrushRuleCreateReplicated makes a rule. An equal rule of that name succeeds,
// as does a different one: callers who care read it back.
func (c Client) CrushRuleCreateReplicated(ctx context.Context, spec CrushRuleSpec) error {
	args := arguments{"name": spec.Name, "root": spec.Root, "type": spec.FailureDomain}
	with(args, "class", spec.DeviceClass)
	return do(ctx, c.Mon, "osd crush rule create-replicated", args)
}

// CrushRuleCreateErasure makes the rule that an erasure code profile describes.
func (c Client) CrushRuleCreateErasure(ctx context.Context, name, profile string) error {
	return do(ctx, c.Mon, "osd crush rule create-erasure", arguments{"name": name, "profile": profile})
}

// CrushRuleRemove deletes a rule. A rule in use is ErrBusy; an unknown one
// succeeds.
func (c Client) CrushRuleRemove(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "osd crush rule rm", arguments{"name": name})
}

// CrushSet puts an OSD at a location with a weight, moving it if it is
// elsewhere. Buckets on the way are made.
func (c Client) CrushSet(ctx context.Context, id int, weight float64, at Location) error {
	return do(ctx, c.Mon, "osd crush set", arguments{"id": id, "weight": Float(weight), "args": []string(at)})
}

// CrushCreateOrMove puts an OSD at a location; the weight counts only when
// the OSD is new to the tree.
func (c Client) CrushCreateOrMove(ctx context.Context, id int, weight float64, at Location) error {
	return do(ctx, c.Mon, "osd crush create-or-move", arguments{"id": id, "weight": Float(weight), "args": []string(at)})
}

// CrushMove moves a bucket below another.
func (c Client) CrushMove(ctx context.Context, bucket string, to Location) error {
	return do(ctx, c.Mon, "osd crush move", arguments{"name": bucket, "args": []string(to)})
}

// CrushAddBucket makes a bucket, at a location or as a root. An existing one
// succeeds.
func (c Client) CrushAddBucket(ctx context.Context, name, bucketType string, at Location) error {
	args := arguments{"name": name, "type": bucketType}
	if len(at) > 0 {
		args["args"] = []string(at)
	}
	return do(ctx, c.Mon, "osd crush add-bucket", args)
}

// CrushRemove takes an empty bucket or an OSD ("osd.3") out of the tree. A
// bucket with members is ErrNotEmpty; an unknown name succeeds.
func (c Client) CrushRemove(ctx context.Context, name string) error {
	return do(ctx, c.Mon, "osd crush rm", arguments{"name": name})
}

// CrushReweight sets the CRUSH weight of an OSD, usually its size in TiB.
func (c Client) CrushReweight(ctx context.Context, id int, weight float64) error {
	return do(ctx, c.Mon, "osd crush reweight", arguments{"name": fmt.Sprintf("osd.%d", id), "weight": Float(weight)})
}

// CrushSetDeviceClass gives OSDs a class. An OSD that has another one is
// ErrBusy: remove it first.
func (c Client) CrushSetDeviceClass(ctx context.Context, class string, ids ...int) error {
	return do(ctx, c.Mon, "osd crush set-device-class", arguments{"class": class, "ids": idStrings(ids)})
}

// CrushRemoveDeviceClass takes the class away from OSDs.
func (c Client) CrushRemoveDeviceClass(ctx context.Context, ids ...int) error {
	return do(ctx, c.Mon, "osd crush rm-device-class", arguments{"ids": idStrings(ids)})
}

// CrushClassList reads the device classes in use.
func (c Client) CrushClassList(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c.Mon, "osd crush class ls", nil)
}

// CrushClassOSDs reads the OSDs of a device class.
func (c Client) CrushClassOSDs(ctx context.Context, class string) ([]int, error) {
	return ask[[]int](ctx, c.Mon, "osd crush class ls-osd", arguments{"class": class})
}
