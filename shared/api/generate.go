// Package api is the root of the module that holds our API types: one directory
// per group, one below it per version. It has no code of its own and never will.
//
// Deep copies and CustomResourceDefinitions are generated from the types by
// `make generate`. The first go into the packages, the second into the module
// crds at the root of the repository. Three options matter: floating point
// ratios are allowed, because existing manifests have them; the metadata of claim
// templates keeps its fields; and descriptions are cut, so that a definition
// stays small enough for one annotation.
package api

//go:generate ../../bin/controller-gen object crd:allowDangerousTypes=true,generateEmbeddedObjectMeta=true,maxDescLen=200 paths=./... output:crd:dir=../../crds
