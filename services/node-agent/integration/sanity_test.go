//go:build integration

package integration

import (
	"os"
	"path/filepath"

	"github.com/kubernetes-csi/csi-test/v5/pkg/sanity"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// sanityPasses runs the conformance suite of the CSI project against both sockets,
// once with file systems and once with raw block volumes.
//
// What the suite skips, and why: snapshots, clones, group snapshots, expansion,
// modification, listing and ControllerGetVolume are capabilities that are not
// offered yet; topology is not offered because every node reaches every pool; the
// attach limit is not tested because there is none.
func sanityPasses(r *rig) {
	contexts := make([]*sanity.TestContext, 0, 2)
	for _, access := range []string{"mount", "block"} {
		config := sanity.NewTestConfig()
		config.Address = "unix://" + r.nodeSocket()
		config.ControllerAddress = "unix://" + r.controllerSocket()
		config.TargetPath = filepath.Join(r.dir, "target-"+access)
		config.StagingPath = filepath.Join(r.dir, "staging-"+access)
		config.SecretsFile = r.writeSecrets()
		config.TestVolumeParameters = r.parameters()
		config.TestVolumeSize = 1 << 30
		config.TestVolumeAccessType = access
		config.IdempotentCount = 2
		contexts = append(contexts, sanity.GinkgoTest(&config))
	}
	// The suite is Ginkgo's, which runs once per binary: both at once.
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(r.t, "CSI sanity")
	for _, context := range contexts {
		context.Finalize()
	}
}

// writeSecrets writes the Secrets in the form that the suite reads.
func (r *rig) writeSecrets() string {
	r.t.Helper()
	provisioner, node := r.secrets[csi.RBDProvisionerSecret], r.secrets[csi.RBDNodeSecret]
	text, err := yaml.Marshal(map[string]map[string]string{
		"CreateVolumeSecret": provisioner, "DeleteVolumeSecret": provisioner,
		"ControllerPublishVolumeSecret": provisioner, "ControllerUnpublishVolumeSecret": provisioner,
		"ControllerValidateVolumeCapabilitiesSecret": provisioner,
		"NodeStageVolumeSecret":                      node, "NodePublishVolumeSecret": node,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	path := filepath.Join(r.dir, "secrets.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}
