package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// The namespaces that markers use to say which Role a rule belongs to.
const (
	inClusters = "cluster"
	inOwn      = "own"
	inClaims   = "claims"
)

// writeRights turns the markers of each service that has a chart into the files
// that the library chart reads.
func writeRights(ctx context.Context, root, controllerGen string) error {
	generator, err := filepath.Abs(controllerGen)
	if err != nil {
		return fmt.Errorf("find controller-gen: %w", err)
	}
	services, err := filepath.Glob(filepath.Join(root, "services", "*", "main.go"))
	if err != nil {
		return fmt.Errorf("find services: %w", err)
	}
	for _, main := range services {
		dir := filepath.Dir(main)
		rules, err := rightsOf(ctx, dir, generator)
		if err != nil {
			return err
		}
		target := filepath.Join(root, "charts", filepath.Base(dir), "rbac")
		if err := os.MkdirAll(target, 0o755); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
		for file, list := range map[string][]rbacv1.PolicyRule{
			"cluster.yaml": rules[""], "namespaced.yaml": rules[inClusters], "own.yaml": rules[inOwn],
		} {
			if err := writeRules(filepath.Join(target, file), list); err != nil {
				return err
			}
		}
		if err := writeClaimRules(filepath.Join(target, "claims.yaml"), rules[inClaims]); err != nil {
			return err
		}
	}
	return nil
}

// rightsOf runs controller-gen over one service and returns its rules by the
// namespace of the marker.
func rightsOf(ctx context.Context, dir, generator string) (map[string][]rbacv1.PolicyRule, error) {
	cmd := exec.CommandContext(ctx, generator, "rbac:roleName="+filepath.Base(dir), "paths=./...", "output:rbac:stdout")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read markers of %s: %w: %s", dir, err, stderr.String())
	}
	return parseRoles(out)
}

func parseRoles(manifests []byte) (map[string][]rbacv1.PolicyRule, error) {
	rules := map[string][]rbacv1.PolicyRule{}
	for _, document := range strings.Split(string(manifests), "\n---\n") {
		role := rbacv1.Role{}
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			return nil, fmt.Errorf("parse role: %w", err)
		}
		switch role.Namespace {
		case "", inClusters, inOwn, inClaims:
			rules[role.Namespace] = append(rules[role.Namespace], role.Rules...)
		default:
			return nil, fmt.Errorf("marker with namespace=%s: want none, %s, %s or %s", role.Namespace, inClusters, inOwn, inClaims)
		}
	}
	return rules, nil
}

// writeRules writes a YAML list; no rules make an empty file.
func writeRules(file string, rules []rbacv1.PolicyRule) error {
	body := []byte{}
	if len(rules) > 0 {
		out, err := yaml.Marshal(rules)
		if err != nil {
			return fmt.Errorf("encode rules: %w", err)
		}
		body = append([]byte("# Generated from the markers beside the code; make generate writes it.\n"), out...)
	}
	return writeIfChanged(file, body)
}

// writeClaimRules writes the rights in namespaces that hold claims. Few services
// have any, so the others get no file.
func writeClaimRules(file string, rules []rbacv1.PolicyRule) error {
	if len(rules) == 0 {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove rules: %w", err)
		}
		return nil
	}
	return writeRules(file, rules)
}
