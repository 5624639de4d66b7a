package cephtest

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// optionTypes are the types of options whose values code under test may write in
// more than one way. The values of all others are stored as they are sent.
func optionTypes() map[string]func(string) (string, error) {
	return map[string]func(string) (string, error){
		"osd_memory_target": normalSize, "bluestore_cache_size": normalSize,
		"mon_osd_min_in_ratio": normalFloat, "mon_osd_min_up_ratio": normalFloat, "mgr_op_latency_sample_interval": normalFloat,
		"mon_allow_pool_delete": normalBool, "mon_allow_pool_size_one": normalBool, "log_to_file": normalBool,
		"auth_allow_insecure_global_id_reclaim": normalBool, "osd_scrub_auto_repair": normalBool,
	}
}

// normal returns the value as the mons store it: they parse what they are sent,
// unless they are forced, and write what they understood.
func (c *Cluster) normal(name, value string) (string, error) {
	if releaseName(c.version) == "tentacle" {
		value = wholeUnit(name, value)
	}
	if spell, known := optionTypes()[name]; known {
		return spell(value)
	}
	return value, nil
}

// wholeUnit takes the last letter of "3GiB" off, which Ceph 20 allows.
func wholeUnit(name, value string) string {
	if !slices.Contains([]string{"osd_memory_target", "bluestore_cache_size"}, name) || !strings.HasSuffix(value, "iB") {
		return value
	}
	return strings.TrimSuffix(value, "B")
}

func normalBool(value string) (string, error) {
	if lower := strings.ToLower(value); lower == "true" || lower == "false" {
		return lower, nil
	}
	number, err := strconv.Atoi(value)
	if err != nil {
		return "", fmt.Errorf("expected option value to be integer, got '%s'", value)
	}
	return strconv.FormatBool(number != 0), nil
}

func normalFloat(value string) (string, error) {
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return "", fmt.Errorf("strict_strtod: expected double, got: %q", value)
	}
	return strconv.FormatFloat(number, 'f', 6, 64), nil
}

// normalSize counts bytes: "G" and "Gi" are the same.
func normalSize(value string) (string, error) {
	digits := strings.TrimRight(value, "KMGTPEiB")
	unit := strings.TrimSuffix(value[len(digits):], "i")
	exponent := slices.Index([]string{"", "K", "M", "G", "T", "P", "E"}, unit)
	number, ok := new(big.Int).SetString(digits, 10)
	if !ok || exponent < 0 {
		return "", fmt.Errorf("strict_iecstrtoll: illegal prefix of %q", value)
	}
	return number.Lsh(number, 10*uint(exponent)).String(), nil
}
