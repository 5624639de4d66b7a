# All commands of the project. Each target installs what it needs; `make help`
# shows what there is.
SHELL := /bin/bash
.SHELLFLAGS := -ec
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

NODES ?= 1
DISKS ?= 3
CEPH ?= 18.2.7
PLATFORM ?= linux/$(shell go env GOARCH)
export KUBECONFIG_FILE := $(CURDIR)/.local/kubeconfig
# All compile alike, as images do, so that what one has compiled serves the others: with
# these tags package net is the same with cgo and without, and so is all that needs it.
NET := netgo,osusergo
export GOFLAGS := $(strip $(GOFLAGS) -trimpath -tags=$(NET))

MODULES := crds shared/api shared shared/librados $(sort $(patsubst %/go.mod,%,$(wildcard services/*/go.mod))) tools e2e
PURE := crds shared/api shared services/discover tools
CGO := $(filter-out $(PURE) e2e,$(MODULES))
# What is tested, those that take longest first, so that none of them is left over at the end.
SLOW := services/rgw-manager shared/librados services/node-agent services/mon-manager services/osd-manager
PACKAGES := $(patsubst %,./%/...,$(SLOW) $(filter-out $(SLOW) e2e,$(MODULES)))
# The build tags of code that meets librados; pacific for librados 16 and older.
TAGS = $(NET),librados$(shell dpkg-query -W -f '$${Version}' librados-dev 2>/dev/null | grep -q '^16\.' && echo ,pacific)
TOOL = cd tools && GOWORK=off CGO_ENABLED=0 go run

# Who compiles, checks or tests collects garbage less often, which takes less processor
# time and more memory: a heap grows fourfold before it is collected, until it nears this.
verify lint unit integration images faults prepare-real tools-%: export GOGC := 400
verify lint unit integration images faults prepare-real tools-%: export GOMEMLIMIT := 4GiB

.PHONY: help up down status unit integration test e2e bench lint fmt generate tidy verify images charts tools-% prepare-cgo prepare-ceph prepare-guest prepare-real fuzz faults

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9%-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings: NODES=1..3 DISKS=3 CEPH=18.2.7|20.2.4 PLATFORM=linux/amd64,linux/arm64"

up: charts images ## a real Kubernetes on this box with rook-ceph, a Ceph cluster and a volume in use
	$(TOOL) ./localkube up --nodes $(NODES) --disks $(DISKS)
	$(TOOL) ./localkube load $(CURDIR)/.local/images/*.tar
	$(TOOL) ./demo install --nodes $(NODES) --ceph-tag v$(CEPH)

down: ## remove everything that up made
	$(TOOL) ./localkube down

status: ## what runs on the local cluster
	$(TOOL) ./demo status

images: prepare-cgo ## build all images as OCI layouts into .local/images
	$(TOOL) ./image all --ceph $(CEPH) --platform $(PLATFORM)

charts: tools-helm ## lint the charts and package them into .local/charts
	@mkdir -p .local/charts
	@for chart in rook-ceph rook-ceph-cluster; do \
		{ bin/helm lint --strict --quiet charts/$$chart && bin/helm package --destination .local/charts charts/$$chart; } 2>&1 | { grep -v 'symbolic link' || true; }; \
	done

generate: tools-controller-gen ## write all generated files
	@cd shared/api && GOWORK=off ../../bin/controller-gen object \
		crd:allowDangerousTypes=true,generateEmbeddedObjectMeta=true,maxDescLen=200 paths=./... output:crd:dir=../../crds
	$(TOOL) ./chartgen --root .. --controller-gen ../bin/controller-gen

tidy: ## make all modules agree on one version of each dependency
	go work sync
	@for module in $(MODULES); do (cd $$module && GOWORK=off go mod tidy); done

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

verify: generate ## fail when a generated or formatted file is not current, or something does not compile without librados
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "verify: run make fmt" >&2; exit 1; }
	@git diff --exit-code --stat -- crds charts shared/api || { echo "verify: run make generate and commit the result" >&2; exit 1; }
	@for module in $(PURE) $(CGO); do (cd $$module && GOWORK=off CGO_ENABLED=0 go list -export ./... >/dev/null); done # compiles, and links nothing
	@cd shared/librados && CGO_ENABLED=0 go test ./...

lint: tools-golangci-lint prepare-cgo ## static checks, the layers among them
	bin/golangci-lint run --allow-parallel-runners --build-tags $(TAGS),envtest,integration,e2e $(PACKAGES) ./e2e/...

unit: ## tests that need nothing but Go
	go test -race -timeout 20m $(PACKAGES)

# Without vet, which is a part of lint.
integration: prepare-cgo prepare-real ## the unit tests, and those with real Ceph daemons and a real API server
	go test -race -vet=off -timeout 30m -tags $(TAGS),envtest,integration $(PACKAGES)

# Stories that leave each other alone, and the others, the end of the cluster last.
SIDE_BY_SIDE := ./object ./share
ALONE := $(filter-out $(SIDE_BY_SIDE),$(patsubst e2e/%/,./%,$(sort $(dir $(wildcard e2e/*/*_test.go)))))
e2e: charts images ## tests on a real cluster of three nodes, made for them and removed afterwards
	@cd tools && GOWORK=off CGO_ENABLED=0 go build -o ../bin/localkube ./localkube
	@trap '$(CURDIR)/bin/localkube down --name e2e' EXIT; bin/localkube down --name e2e; \
	export E2E_KUBECONFIG=$(CURDIR)/.local/e2e.kubeconfig E2E_LOCALKUBE=$(CURDIR)/bin/localkube E2E_CLUSTER=e2e CEPH=v$(CEPH) CGO_ENABLED=0; \
	bin/localkube up --name e2e --nodes 3 --disks 1 --kubeconfig $$E2E_KUBECONFIG && \
	bin/localkube load --name e2e $(CURDIR)/.local/images/*.tar && cd e2e && \
	failed=0; echo "side by side, so each is shown when it has ended: $(SIDE_BY_SIDE)"; \
	go test -vet=off -tags $(NET),e2e -count=1 -timeout 30m -v -p 2 $(SIDE_BY_SIDE) || failed=1; \
	go test -vet=off -tags $(NET),e2e -count=1 -timeout 30m -v -p 1 $(ALONE) || failed=1; \
	exit $$failed

test: verify lint integration e2e ## everything

bench: charts images ## measure the budgets of the design
	@cd tools && GOWORK=off CGO_ENABLED=0 go build -o ../bin/localkube ./localkube
	@trap '$(CURDIR)/bin/localkube down --name bench' EXIT; bin/localkube down --name bench; \
	bin/localkube up --name bench --audit --disks 3 --kubeconfig $(CURDIR)/.local/bench.kubeconfig && \
	bin/localkube load --name bench $(CURDIR)/.local/images/*.tar && \
	$(TOOL) ./bench --kubeconfig $(CURDIR)/.local/bench.kubeconfig --ceph-tag v$(CEPH) \
		--audit-log /var/lib/rook-ceph-local/bench/machines/control/root/var/log/localkube/audit.log

fuzz: ## run each fuzz target for a short while
	@for module in $(PURE) $(CGO); do (cd $$module && \
		for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -rn1 dirname | sort -u); do \
			for name in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$target/*_test.go | cut -c6-); do go test -run '^$$' -fuzz "^$$name\$$" -fuzztime 20s $$target; done; \
		done); done

FAULTS := $(addprefix ./services/,mon-manager/internal/setup osd-manager/internal/setup mds-manager/internal/setup rgw-manager/internal/setup rgw-manager/internal/claim)
faults: ## let every write of a cluster's life fail once, where test takes a sample, in some minutes
	go test -tags $(NET),faults -timeout 60m -run 'Crash|Fault' $(FAULTS)

tools-%:
	@$(TOOL) ./pinned $*

# librados and librbd to link against, from the distribution.
prepare-cgo:
	@dpkg-query -W librados-dev librbd-dev libcephfs-dev gcc pkg-config >/dev/null 2>&1 || \
		{ echo "installing librados-dev, librbd-dev, libcephfs-dev and gcc"; apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install librados-dev librbd-dev libcephfs-dev gcc pkg-config >/dev/null; }

# The root file systems that real Ceph daemons run in during tests, and what mounts,
# exports and formats volumes on this machine as node-agent's image does in a pod.
HOST_PACKAGES := ceph-fuse e2fsprogs xfsprogs qemu-system-common qemu-block-extra
prepare-ceph:
	@dpkg-query -W -f '$${db:Status-Status}\n' $(HOST_PACKAGES) 2>/dev/null | grep -c '^installed$$' | grep -qx $(words $(HOST_PACKAGES)) || \
		{ echo "installing $(HOST_PACKAGES)"; apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $(HOST_PACKAGES) >/dev/null; }
	@$(TOOL) ./image rootfs --version 18.2.7
	@$(TOOL) ./image rootfs --version 20.2.4

# Ceph is downloaded and unpacked while Kubernetes is compiled.
prepare-real:
	@$(MAKE) -j2 prepare-guest tools-kube tools-etcd

prepare-guest: prepare-ceph # an emulated machine whose kernel has the clients of Ceph
	@services/node-agent/integration/guest/prepare >/dev/null
