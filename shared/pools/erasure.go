package pools

import (
	"strconv"
	"strings"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// ProfileName returns the name of the erasure code profile of a pool.
func ProfileName(pool string) string { return pool + "_ecprofile" }

// profile builds on Ceph's default profile, as its administrators may have
// changed it.
func (d *decision) profile() ceph.ErasureCodeProfile {
	want := d.wantPlacement()
	profile := ceph.ErasureCodeProfile{
		"k": strconv.Itoa(int(d.spec.ErasureCoded.DataChunks)), "m": strconv.Itoa(int(d.spec.ErasureCoded.CodingChunks)),
		"crush-failure-domain": want.domain, "crush-root": want.root,
	}
	for _, inherited := range []string{"plugin", "technique"} {
		if value := d.seen.Default[inherited]; value != "" {
			profile[inherited] = value
		}
	}
	if algorithm := d.spec.ErasureCoded.Algorithm; algorithm != "" {
		profile["plugin"] = algorithm
		if d.seen.Default["plugin"] != algorithm {
			delete(profile, "technique")
		}
	}
	if want.class != "" {
		profile["crush-device-class"] = want.class
	}
	if unit := d.spec.ErasureCoded.StripeUnit; unit != nil && !unit.IsZero() {
		profile["stripe_unit"] = strconv.FormatInt(unit.Value(), 10)
	}
	for name, count := range map[string]int32{
		"crush-num-failure-domains": d.spec.ErasureCoded.CrushNumFailureDomains, "crush-osds-per-failure-domain": d.spec.ErasureCoded.CrushOSDsPerFailureDomain,
	} {
		if count > 0 {
			profile[name] = strconv.Itoa(int(count))
		}
	}
	return profile
}

// erasure compares the profile of an existing pool; it cannot be changed.
func (d *decision) erasure() {
	if d.wantType() != ceph.PoolErasure {
		return
	}
	if !strings.Contains(d.seen.Pool.FlagNames, "ec_overwrites") {
		d.set("allow_ec_overwrites", "true")
	}
	if d.seen.Profile == nil {
		return
	}
	want := d.profile()
	keys := []string{"k", "m"}
	if d.spec.ErasureCoded.Algorithm != "" {
		keys = append(keys, "plugin")
	}
	if want["stripe_unit"] != "" {
		keys = append(keys, "stripe_unit")
	}
	for _, key := range keys {
		if is := d.seen.Profile[key]; is != want[key] && !sameSize(is, want[key]) {
			d.drift("erasure code %s is '%s' in Ceph, not '%s'; it cannot be changed, create another pool", key, is, want[key])
		}
	}
}

// sameSize tells whether two spellings of a number of bytes are equal.
func sameSize(a, b string) bool {
	left, ok := ceph.ReadSize(a)
	right, known := ceph.ReadSize(b)
	return ok && known && left == right
}
