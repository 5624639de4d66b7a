package pools

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// wantParameters are the parameters of the spec with the fields that mean one.
func (d *decision) wantParameters() map[string]string {
	want := map[string]string{}
	if d.spec.CompressionMode != "" {
		want["compression_mode"] = d.spec.CompressionMode
	}
	if ratio := d.spec.Replicated.TargetSizeRatio; ratio > 0 {
		want["target_size_ratio"] = strconv.FormatFloat(ratio, 'g', -1, 64)
	}
	for key, value := range d.spec.Parameters {
		want[key] = value
	}
	return want
}

// parameters sets what differs.
func (d *decision) parameters(pool age) {
	want := d.wantParameters()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if d.given(pool, key, want) || same(key, d.reported(key), want[key]) {
			continue
		}
		if key == pgNumMin && d.autoscales(want) && number(want[key]) > number(d.reported("pg_num")) {
			d.set("pg_num", want[key])
		}
		d.set(key, want[key])
	}
}

// given tells whether a parameter is not ours to set: the pool was made with it, or
// Ceph's autoscaler chooses it.
func (d *decision) given(pool age, key string, want map[string]string) bool {
	if pool == created && (key == "pg_num" || key == pgNumMin && number(want[key]) > 0) {
		return true
	}
	return (key == "pg_num" || key == "pgp_num") && d.autoscales(want)
}

// reported is what Ceph says a parameter is. Placement groups are split and merged
// one after the other, so their number is what Ceph is on its way to.
func (d *decision) reported(key string) string {
	switch {
	case key == "pg_num" && d.seen.Pool.PGNumTarget > 0:
		return strconv.Itoa(d.seen.Pool.PGNumTarget)
	case key == "pgp_num" && d.seen.Pool.PGPNumTarget > 0:
		return strconv.Itoa(d.seen.Pool.PGPNumTarget)
	}
	return d.seen.Settings[key]
}

func (d *decision) autoscales(want map[string]string) bool {
	if mode := want["pg_autoscale_mode"]; mode != "" {
		return mode == "on"
	}
	return d.seen.Pool.PGAutoscaleMode == "on"
}

// same compares values as Ceph prints and takes them: numbers by value, truth
// in any spelling. What Ceph does not print is not set, and takes 0 and "unset" for
// that.
func same(key, is, want string) bool {
	if is == want || is == "" && want == "unset" || key == "target_size_bytes" && sameSize(orZero(is), want) {
		return true
	}
	a, errA := strconv.ParseFloat(orZero(is), 64)
	b, errB := strconv.ParseFloat(want, 64)
	if errA == nil && errB == nil {
		return a == b
	}
	x, errX := strconv.ParseBool(is)
	y, errY := strconv.ParseBool(want)
	return errX == nil && errY == nil && x == y
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// limits are quotas; 0 means none.
type limits struct{ bytes, objects uint64 }

func readQuota(quota api.QuotaSpec) (limits, error) {
	var want limits
	if quota.MaxBytes != nil && *quota.MaxBytes > 0 {
		want.bytes = uint64(*quota.MaxBytes)
	}
	if quota.MaxSize != nil && *quota.MaxSize != "" {
		size, err := resource.ParseQuantity(*quota.MaxSize)
		if err != nil || size.Sign() < 0 {
			return limits{}, fmt.Errorf("`quotas.maxSize` must be a size such as 10Gi, not '%s'", *quota.MaxSize)
		}
		want.bytes = uint64(size.Value())
	}
	if quota.MaxObjects != nil && *quota.MaxObjects > 0 {
		want.objects = uint64(*quota.MaxObjects)
	}
	return want, nil
}

func (d *decision) quota(want limits) {
	if d.seen.Pool.QuotaMaxBytes != want.bytes {
		d.do(Operation{Kind: SetMaxBytes, Name: d.name, Limit: want.bytes})
	}
	if d.seen.Pool.QuotaMaxObjects != want.objects {
		d.do(Operation{Kind: SetMaxObjects, Name: d.name, Limit: want.objects})
	}
}
