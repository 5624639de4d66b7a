package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// free are the values whose content is not ours to check: parts of a pod, or a
// spec that the API server validates.
var free = []string{
	"resources", "podLabels", "podAnnotations", "nodeSelector", "affinity", "labels", "annotations",
	"cephClusterSpec", "parameters", "dashboard", "spec",
}

type schema map[string]any

// writeSchemas writes values.schema.json beside every values.yaml.
func writeSchemas(root string) error {
	files, err := filepath.Glob(filepath.Join(root, "charts", "*", "values.yaml"))
	if err != nil {
		return fmt.Errorf("find values: %w", err)
	}
	for _, file := range files {
		if err := writeSchema(file); err != nil {
			return err
		}
	}
	return nil
}

func writeSchema(valuesFile string) error {
	body, err := os.ReadFile(valuesFile)
	if err != nil {
		return fmt.Errorf("read values: %w", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(body, &values); err != nil {
		return fmt.Errorf("parse %s: %w", valuesFile, err)
	}
	top := infer("", values)
	top["$schema"] = "http://json-schema.org/draft-07/schema#"
	properties, _ := top["properties"].(schema)
	if filepath.Base(filepath.Dir(valuesFile)) == "rook-ceph" {
		openSubcharts(properties)
	} else {
		properties["global"] = schema{"type": "object"}
		properties["enabled"] = schema{"type": "boolean"}
		properties["lib"] = schema{"type": "object"} // Helm puts the library chart's values here
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(top); err != nil {
		return fmt.Errorf("encode schema of %s: %w", valuesFile, err)
	}
	return writeIfChanged(filepath.Join(filepath.Dir(valuesFile), "values.schema.json"), out.Bytes())
}

// openSubcharts leaves the values of a service to the schema of its chart.
func openSubcharts(properties schema) {
	for name, property := range properties {
		if object, ok := property.(schema); ok && name != "global" {
			delete(object, "additionalProperties")
		}
	}
}

// infer returns the schema of a value: what is given as an example is the type
// that is wanted, and a key that is not there is a typing error.
func infer(name string, value any) schema {
	switch typed := value.(type) {
	case map[string]any:
		if len(typed) == 0 || slices.Contains(free, name) {
			return schema{"type": "object"}
		}
		properties := schema{}
		for key, item := range typed {
			properties[key] = infer(key, item)
		}
		return schema{"type": "object", "properties": properties, "additionalProperties": false}
	case []any:
		return inferList(typed)
	case bool:
		return schema{"type": "boolean"}
	case float64:
		return schema{"type": "integer"}
	case string:
		return inferString(name)
	}
	return schema{}
}

func inferList(items []any) schema {
	if len(items) == 0 {
		return schema{"type": "array"}
	}
	return schema{"type": "array", "items": infer("", items[0])}
}

// inferString knows the values that are more than any text.
func inferString(name string) schema {
	switch name {
	case "logLevel":
		return schema{"type": "string", "enum": []string{"debug", "info", "warn", "error"}}
	case "pullPolicy", "imagePullPolicy":
		return schema{"type": "string", "enum": []string{"Always", "IfNotPresent", "Never"}}
	case "maxUnavailable", "goGC":
		return schema{"type": []string{"string", "integer"}}
	case "reclaimPolicy":
		return schema{"type": "string", "enum": []string{"Delete", "Retain"}}
	case "volumeBindingMode":
		return schema{"type": "string", "enum": []string{"Immediate", "WaitForFirstConsumer"}}
	}
	return schema{"type": "string"}
}

// writeIfChanged keeps the time of a file that is right already.
func writeIfChanged(file string, body []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, body) {
		return nil
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
