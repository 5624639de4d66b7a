package quorum

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// csiConfig returns the JSON from which volume drivers learn where the monitors
// are.
func csiConfig(cluster *api.CephCluster, members []Member) string {
	type entry struct {
		ClusterID string   `json:"clusterID"`
		Monitors  []string `json:"monitors"`
		Namespace string   `json:"namespace"`
	}
	config := entry{ClusterID: cluster.Namespace, Namespace: cluster.Namespace, Monitors: []string{}}
	for _, member := range sorted(members) {
		config.Monitors = append(config.Monitors, endpoint(member, onlyV2(cluster)))
	}
	body, err := json.Marshal([]entry{config})
	if err != nil {
		return "[]" // strings always encode
	}
	return string(body)
}

// claimSpec turns the user's claim into what may be applied.
func claimSpec(spec corev1.PersistentVolumeClaimSpec) (*corev1ac.PersistentVolumeClaimSpecApplyConfiguration, error) {
	out := corev1ac.PersistentVolumeClaimSpec()
	body, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode volumeClaimTemplate: %w", err)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, fmt.Errorf("decode volumeClaimTemplate: %w", err)
	}
	return out, nil
}
