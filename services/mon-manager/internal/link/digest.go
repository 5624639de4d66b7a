package link

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

// capacityStep is the part of the capacity that has to be written before the
// used bytes count as changed.
const capacityStep = 200

// Digest names what a controller of this service could act upon or report in a
// status. What moves all the time (traffic, bytes, object counts) is left out,
// so an unchanged digest means that nobody has anything to do.
func Digest(status ceph.Status) string {
	type check struct{ Severity, Message string }
	checks := map[string]check{}
	for code, raised := range status.Health.Checks {
		checks[code] = check{raised.Severity, raised.Summary.Message}
	}
	step := max(status.PGMap.BytesTotal/capacityStep, 1)
	body, err := json.Marshal([]any{
		status.FSID, status.Health.Status, checks, status.Health.Mutes,
		status.ElectionEpoch, status.QuorumNames, status.MonMap.Epoch,
		status.MgrMap.Available, status.MgrMap.NumStandbys, status.MgrMap.Modules, status.MgrMap.Services,
		status.OSDMap.NumOSDs, status.OSDMap.NumUpOSDs, status.OSDMap.NumInOSDs,
		status.PGMap.BytesTotal, status.PGMap.BytesUsed / step,
	})
	if err != nil {
		return "" // plain values always encode
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
