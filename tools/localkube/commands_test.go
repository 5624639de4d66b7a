package main

import "testing"

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"10Gi": 10 << 30, "512Mi": 512 << 20, "1Ti": 1 << 40, "4096": 4096} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "Gi", "-1Gi", "10G", "1.5Gi", "99999999Ti", "0"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
}
