// Package testenv gives tests a real API server: etcd and kube-apiserver as
// child processes on loopback, with this repository's CustomResourceDefinitions
// installed.
//
// One server serves all tests of a test binary; tests keep apart by namespaces.
// It is ready in a few seconds and is killed with the test binary, however that
// ends. There are no controllers and no kubelet: Deployments make no pods,
// deleted owners leave their dependents, namespaces stay Terminating.
//
// The package is for tests only, and it never reaches for another cluster: no
// kubeconfig is read.
package testenv
