package volumes_test

import (
	"maps"
	"testing"

	csipb "github.com/container-storage-interface/spec/lib/go/csi"
)

func TestCreateVolume_takes_mounters_that_nodes_have(t *testing.T) {
	t.Parallel()
	for _, parameters := range []map[string]string{
		{"mounter": "rbd"}, {"mounter": "fuse"}, {"mounter": ""}, {"mounter": "rbd-nbd", "tryOtherMounters": "true"},
	} {
		_, c := start(t)
		response, err := c.CreateVolume(t.Context(), create(func(r *csipb.CreateVolumeRequest) { maps.Copy(r.Parameters, parameters) }))
		if err != nil {
			t.Errorf("%v: %v", parameters, err)
			continue
		}
		if got := response.GetVolume().GetVolumeContext()["mounter"]; got != parameters["mounter"] {
			t.Errorf("nodes get mounter %q, want %q", got, parameters["mounter"])
		}
	}
}
