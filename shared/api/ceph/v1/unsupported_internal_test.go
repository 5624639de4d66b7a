package v1

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryUnsupportedFieldHasATest keeps the tables and their tests together.
func TestEveryUnsupportedFieldHasATest(t *testing.T) {
	tests, err := os.ReadFile("unsupported_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, field := range slices.Concat(
		unsupportedDaemonFields(), unsupportedNetworkFields(), unsupportedStorageFields(),
		unsupportedSecurityFields(), unsupportedUpkeepFields(), unsupportedMonitoringFields()) {
		paths = append(paths, field.path)
	}
	object, err := os.ReadFile("unsupported_object_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests = append(tests, object...)
	for _, field := range unsupportedObjectStoreFields() {
		paths = append(paths, field.path)
	}
	for _, field := range unsupportedObjectUserFields() {
		paths = append(paths, field.path)
	}
	for _, field := range unsupportedPoolFields() {
		paths = append(paths, field.path)
	}
	for _, path := range paths {
		if !strings.Contains(string(tests), `"`+path+`"`) {
			t.Errorf("no test sets %s", path)
		}
	}
}
