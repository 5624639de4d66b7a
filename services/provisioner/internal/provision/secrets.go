package provision

import (
	"errors"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/rook-ceph/rook-ceph/shared/csi"
)

// errTemplate is returned for a Secret reference that cannot be resolved.
var errTemplate = errors.New("invalid Secret reference")

// scope is what a template may refer to. A nil claim stands for a Secret that is
// needed when the claim may be gone.
type scope struct {
	volume string
	claim  *corev1.PersistentVolumeClaim
}

// secretRef resolves the Secret that two StorageClass parameters name; nil if
// neither is set.
func secretRef(parameters map[string]string, nameKey, namespaceKey string, in scope) (*corev1.SecretReference, error) {
	name, namespace := parameters[nameKey], parameters[namespaceKey]
	if name == "" && namespace == "" {
		return nil, nil
	}
	if name == "" || namespace == "" {
		return nil, fmt.Errorf("%w: StorageClass parameters `%s` and `%s` must be set together", errTemplate, nameKey, namespaceKey)
	}
	namespace, err := expand(namespace, namespaceKey, scope{volume: in.volume, claim: in.claim})
	if err != nil {
		return nil, err
	}
	if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
		return nil, fmt.Errorf("%w: `%s` gives %q, which is no namespace", errTemplate, namespaceKey, namespace)
	}
	if name, err = expand(name, nameKey, in); err != nil {
		return nil, err
	}
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return nil, fmt.Errorf("%w: `%s` gives %q, which is no name", errTemplate, nameKey, name)
	}
	return &corev1.SecretReference{Name: name, Namespace: namespace}, nil
}

// expand fills in ${pv.name}, ${pvc.name}, ${pvc.namespace} and
// ${pvc.annotations['key']}.
func expand(template, parameter string, in scope) (string, error) {
	var unknown []string
	text := os.Expand(template, func(token string) string {
		value, ok := in.lookup(token)
		if !ok {
			unknown = append(unknown, "${"+token+"}")
		}
		return value
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("%w: `%s` refers to %s, which is not known here", errTemplate, parameter, strings.Join(unknown, ", "))
	}
	return text, nil
}

func (s scope) lookup(token string) (string, bool) {
	if token == "pv.name" {
		return s.volume, true
	}
	if s.claim == nil {
		return "", false
	}
	switch token {
	case "pvc.name":
		return s.claim.Name, true
	case "pvc.namespace":
		return s.claim.Namespace, true
	}
	key, found := strings.CutPrefix(token, "pvc.annotations['")
	key, closed := strings.CutSuffix(key, "']")
	if !found || !closed {
		return "", false
	}
	value, ok := s.claim.Annotations[key]
	return value, ok
}

// references are the Secrets that a PersistentVolume names.
type references struct {
	provisioner, publish, stage, nodePublish, expand, nodeExpand *corev1.SecretReference
}

func readReferences(parameters map[string]string, volume string, claim *corev1.PersistentVolumeClaim) (references, error) {
	var refs references
	in := scope{volume: volume, claim: claim}
	for _, entry := range []struct {
		name, namespace string
		into            **corev1.SecretReference
	}{
		{csi.ParamProvisionerSecretName, csi.ParamProvisionerSecretSpace, &refs.provisioner},
		{csi.ParamControllerPublishName, csi.ParamControllerPublishSpace, &refs.publish},
		{csi.ParamNodeStageName, csi.ParamNodeStageSpace, &refs.stage},
		{csi.ParamNodePublishName, csi.ParamNodePublishSpace, &refs.nodePublish},
		{csi.ParamControllerExpandName, csi.ParamControllerExpandSpace, &refs.expand},
		{csi.ParamNodeExpandName, csi.ParamNodeExpandSpace, &refs.nodeExpand},
	} {
		ref, err := secretRef(parameters, entry.name, entry.namespace, in)
		if err != nil {
			return references{}, err
		}
		*entry.into = ref
	}
	return refs, nil
}

// normalize spells the parameters of the oldest StorageClasses as today, and
// fills in the file system that the driver makes.
func (p *Provisioner) normalize(parameters map[string]string) map[string]string {
	current := csi.Deprecated()
	normal := make(map[string]string, len(parameters))
	for name, value := range parameters {
		if today, old := current[name]; old {
			if _, both := parameters[today]; both {
				continue
			}
			name = today
		}
		normal[name] = value
	}
	if normal[csi.ParamFSType] == "" {
		normal[csi.ParamFSType] = p.FSType
	}
	return normal
}
