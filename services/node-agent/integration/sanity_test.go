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

// sanityPasses runs the conformance suite of the CSI project against all sockets:
// RBD with file systems, RBD with raw block volumes, and CephFS.
//
// What the suite skips, and why: for RBD, snapshots and clones are
// capabilities that are not offered yet; group snapshots, modification, listing
// and ControllerGetVolume are offered by neither driver; CephFS has no raw block volumes and
// nothing to publish; topology is not offered because every node reaches every
// pool; the attach limit is not tested because there is none.
func sanityPasses(r *rig) {
	contexts := make([]*sanity.TestContext, 0, 3)
	add := func(name string, edit func(*sanity.TestConfig)) {
		config := sanity.NewTestConfig()
		config.TargetPath = filepath.Join(r.dir, "target-"+name)
		config.StagingPath = filepath.Join(r.dir, "staging-"+name)
		config.TestVolumeSize = 1 << 30
		config.IdempotentCount = 2
		edit(&config)
		contexts = append(contexts, sanity.GinkgoTest(&config))
	}
	for _, access := range []string{"mount", "block"} {
		add(access, func(config *sanity.TestConfig) {
			config.Address, config.ControllerAddress = "unix://"+r.nodeSocket(), "unix://"+r.controllerSocket()
			config.SecretsFile = r.writeSecrets("rbd", csi.RBDIdentities())
			config.TestVolumeParameters = r.parameters()
			config.TestVolumeAccessType = access
			config.TestVolumeExpandSize = 2 << 30
		})
	}
	add("cephfs", func(config *sanity.TestConfig) {
		config.Address, config.ControllerAddress = "unix://"+r.shares().nodeSocket(), "unix://"+r.shares().controllerSocket()
		config.SecretsFile = r.writeSecrets("cephfs", csi.CephFSIdentities())
		config.TestVolumeParameters = r.shares().parameters()
		config.TestVolumeAccessType = "mount"
		config.TestVolumeExpandSize = 2 << 30
	})
	// The suite is Ginkgo's, which runs once per binary: all at once.
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(r.t, "CSI sanity")
	for _, context := range contexts {
		context.Finalize()
	}
}

// writeSecrets writes the Secrets in the form that the suite reads.
func (r *rig) writeSecrets(name string, of csi.Identities) string {
	r.t.Helper()
	provisioner, node := r.secrets[of.Provisioner], r.secrets[of.Node]
	text, err := yaml.Marshal(map[string]map[string]string{
		"CreateVolumeSecret": provisioner, "DeleteVolumeSecret": provisioner,
		"ControllerPublishVolumeSecret": provisioner, "ControllerUnpublishVolumeSecret": provisioner,
		"ControllerValidateVolumeCapabilitiesSecret": provisioner,
		"CreateSnapshotSecret":                       provisioner, "DeleteSnapshotSecret": provisioner,
		"ControllerExpandVolumeSecret": provisioner,
		"NodeStageVolumeSecret":        node, "NodePublishVolumeSecret": node,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	path := filepath.Join(r.dir, "secrets-"+name+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}
