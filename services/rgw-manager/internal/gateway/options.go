package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// adminAPI is the part of a gateway that this service itself speaks to.
const adminAPI = "admin"

// Site is where in the world of object stores the gateways of a store belong.
type Site struct{ Realm, ZoneGroup, Zone string }

// Options are the stored options of the gateways of a store. What the user says in
// rgwConfig, or in Secrets, wins; secret holds the values of rgwConfigFromSecret.
func Options(store *api.CephObjectStore, site Site, secret map[string]string) map[string]string {
	options := startOptions(store, site)
	maps.Copy(options, store.Spec.Gateway.RGWConfig)
	maps.Copy(options, secret)
	return options
}

// startOptions are those that a gateway reads when it starts and never again.
func startOptions(store *api.CephObjectStore, site Site) map[string]string {
	options := map[string]string{
		"rgw_realm":                  site.Realm,
		"rgw_zonegroup":              site.ZoneGroup,
		"rgw_zone":                   site.Zone,
		"rgw_log_nonexistent_bucket": "true",
		"rgw_log_object_name_utc":    "true",
		"rgw_enable_usage_log":       "true",
	}
	if store.Spec.Gateway.DisableMultisiteSyncTraffic {
		options["rgw_run_sync_thread"] = "false"
	}
	if apis := enabledAPIs(&store.Spec.Protocols); len(apis) > 0 {
		options[optionAPIs] = strings.Join(apis, ", ")
	}
	if swift := store.Spec.Protocols.Swift; swift != nil {
		if swift.AccountInURL != nil {
			options["rgw_swift_account_in_url"] = strconv.FormatBool(*swift.AccountInURL)
		}
		if swift.URLPrefix != nil {
			options[optionSwiftPrefix] = *swift.URLPrefix
		}
		if swift.VersioningEnabled != nil {
			options["rgw_swift_versioning_enabled"] = strconv.FormatBool(*swift.VersioningEnabled)
		}
	}
	if at := swiftURL(store); at != "" {
		options["rgw_swift_url"] = at
	}
	return options
}

// swiftURL is what a gateway tells Swift's clients, after they have logged in, to go
// on with. Left to itself it adds the port that it listens on, which is not that of
// the Service. Over TLS the two are the same; so with both ports it is left alone,
// for clients to stay with the one that they came by.
func swiftURL(store *api.CephObjectStore) string {
	hosting := store.Spec.Hosting
	advertised := hosting != nil && hosting.AdvertiseEndpoint != nil
	insecure, secure := URLs(store)
	if !advertised && secure != "" {
		return ""
	}
	if !advertised {
		return insecure
	}
	endpoints := Endpoints(store)
	if hosting.AdvertiseEndpoint.UseTLS {
		return endpoints.Secure[0]
	}
	return endpoints.Insecure[0]
}

// The options that decide what a gateway answers.
const (
	optionAPIs        = "rgw_enable_apis"
	optionSwiftPrefix = "rgw_swift_url_prefix"
)

// allAPIs are those that a gateway serves unless it is told otherwise.
var allAPIs = []string{"s3", "s3website", "swift", "swift_auth", adminAPI, "sts", "iam", "notifications"}

// enabledAPIs are the APIs that gateways shall serve; none for Ceph's choice. The
// one for administrators is always among them, since users, claims and the state of
// the store itself hang on it.
func enabledAPIs(protocols *api.ProtocolSpec) []string {
	list := make([]string, 0, len(protocols.EnableAPIs))
	for _, one := range protocols.EnableAPIs {
		list = append(list, string(one))
	}
	off := protocols.S3 != nil && protocols.S3.Enabled != nil && !*protocols.S3.Enabled
	if len(list) == 0 && off {
		list = slices.Clone(allAPIs)
	}
	if off {
		list = slices.DeleteFunc(list, func(name string) bool { return name == "s3" })
	}
	if len(list) > 0 && !slices.Contains(list, adminAPI) {
		list = append(list, adminAPI)
	}
	return list
}

// effective are the options that gateways run with, as far as the spec says: what it
// gives on the command line wins over what is stored.
func (s Spec) effective() map[string]string {
	options := Options(s.Store, s.Site, nil)
	for name, value := range s.Store.Spec.Gateway.RGWCommandFlags {
		options[strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")] = value
	}
	return options
}

// serves tells whether gateways with such options serve an API; without any they
// serve all.
func serves(options map[string]string, name string) bool {
	list := strings.FieldsFunc(options[optionAPIs], func(r rune) bool { return r == ',' || r == ' ' })
	return len(list) == 0 || slices.Contains(list, name)
}

// Fingerprint sums up texts that pods have to be started anew for. It tells
// nothing about them.
func Fingerprint(values map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, text := range []string{name, values[name]} {
			sum.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
