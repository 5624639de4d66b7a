package config

import (
	"encoding/base64"
	"fmt"

	"sigs.k8s.io/yaml"
)

// Identity is what a client proves itself with, in PEM.
type Identity struct {
	Authority, Certificate, Key []byte
}

// Kubeconfig renders a kubeconfig with the identity inside.
func Kubeconfig(name, server string, identity Identity) (string, error) {
	encode := base64.StdEncoding.EncodeToString
	rendered, err := yaml.Marshal(object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": name,
		"clusters": []object{{"name": name, "cluster": object{
			"server": server, "certificate-authority-data": encode(identity.Authority),
		}}},
		"users": []object{{"name": name, "user": object{
			"client-certificate-data": encode(identity.Certificate), "client-key-data": encode(identity.Key),
		}}},
		"contexts": []object{{"name": name, "context": object{"cluster": name, "user": name}}},
	})
	if err != nil {
		return "", fmt.Errorf("render kubeconfig %s: %w", name, err)
	}
	return string(rendered), nil
}
