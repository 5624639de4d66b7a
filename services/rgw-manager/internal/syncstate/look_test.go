package syncstate_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/ops"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/syncstate"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
	"github.com/rook-ceph/rook-ceph/shared/testenv"
)

// far is a gateway of two zones of a realm: of rome, which is asked, and of paris, the
// master.
type far struct {
	t *testing.T
	// answers are by path and query, without the format.
	answers map[string]string
	// silent paths are refused.
	silent string
	asked  atomic.Int32
}

// ServeHTTP answers a signed request.
func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	if !strings.Contains(r.Header.Get("Authorization"), "Credential=A/") || r.Header.Get("X-Amz-Content-Sha256") == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	query := r.URL.Query()
	query.Del("format")
	what := r.URL.Path + "?" + query.Encode()
	if f.silent != "" && strings.Contains(what, f.silent) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	query.Del("id")
	answer, known := f.answers[what]
	if !known {
		answer, known = f.answers[r.URL.Path+"?"+query.Encode()]
	}
	if !known {
		f.t.Errorf("asked for %s", what)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if answer == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write([]byte(answer))
}

const (
	periodURL   = "/admin/realm/period?"
	metadataURL = "/admin/log?status=&type=metadata"
	dataURL     = "/admin/log?source-zone=p&status=&type=data"
)

func period(endpoint string) string {
	return fmt.Sprintf(`{"id":"now","master_zone":"p","master_zonegroup":"g","period_map":{"zonegroups":[{"id":"g","name":"europe","zones":[
		{"id":"p","name":"paris","endpoints":["http://silent:1",%q],"sync_from_all":"true","sync_from":[]},
		{"id":"r","name":"rome","endpoints":["http://rome:80"],"sync_from_all":"true","sync_from":[]}]}]}}`, endpoint)
}

func gateway(t *testing.T) (*far, *ops.Client) {
	t.Helper()
	f := &far{t: t}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.answers = map[string]string{
		periodURL: period("http://paris:80"),
		metadataURL: `{"info":{"status":"sync","num_shards":2,"period":"now","realm_epoch":2},"markers":[
			{"key":0,"val":{"state":1,"marker":"1_5","next_step_marker":""}},{"key":1,"val":{"state":0,"marker":""}}]}`,
		dataURL: `{"info":{"status":"sync","num_shards":2},"markers":[
			{"key":0,"val":{"status":"incremental-sync","marker":"1_7"}},{"key":1,"val":{"status":"full-sync","marker":""}}]}`,
		"/admin/log?id=0&info=&period=now&type=metadata": `{"marker":"1_6","last_update":"2026-01-01T00:00:00Z"}`,
		"/admin/log?id=1&info=&period=now&type=metadata": `{"marker":"","last_update":"0.000000"}`,
		"/admin/log?id=0&info=&type=data":                `{"marker":"1_8","last_update":"2026-01-01T00:00:00Z"}`,
		"/admin/log?id=1&info=&type=data":                `{"marker":"1_9","last_update":"2026-01-01T00:00:00Z"}`,
	}
	store := &api.CephObjectStore{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "shop"}}
	store.Spec.Gateway.Port = 80
	keys := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: names.RGWAdminOps("shop")},
		Data: map[string][]byte{names.AdminOpsAccessKey: []byte("A"), names.AdminOpsSecretKey: []byte("S")}}
	pool := &ops.Pool{Reader: testenv.Fake(t, keys).Build(), Transport: func(*tls.Config) http.RoundTripper {
		through := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "silent") {
				return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		}}
		t.Cleanup(through.CloseIdleConnections)
		return through
	}}
	client, outcome, err := pool.Client(t.Context(), store)
	if err != nil || !outcome.IsDone() {
		t.Fatalf("%+v, %v", outcome, err)
	}
	return f, client
}

func look(t *testing.T, client *ops.Client, zone string) syncstate.Sight {
	t.Helper()
	seen, err := syncstate.Look(t.Context(), client, zone)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestAZoneIsSeenWithWhatItCopies(t *testing.T) {
	_, client := gateway(t)
	want := syncstate.Sight{Copies: []syncstate.Copy{
		{Kind: api.ObjectSyncMetadata, Zone: "paris", Period: "now", Ends: []string{"1_6", ""},
			Progress: ops.Progress{Period: "now", Syncing: true, Shards: []ops.Shard{{Following: true, Marker: "1_5"}, {}}}},
		{Kind: api.ObjectSyncData, Zone: "paris", Ends: []string{"1_8", "1_9"},
			Progress: ops.Progress{Syncing: true, Shards: []ops.Shard{{Following: true, Marker: "1_7"}, {}}}},
	}}
	if diff := cmp.Diff(want, look(t, client, "r")); diff != "" {
		t.Errorf("sight (-want +got):\n%s", diff)
	}
}

func TestAZoneThatIsAloneOrUnknownHasNothingToSee(t *testing.T) {
	f, client := gateway(t)
	if got := look(t, client, "x"); len(got.Copies) > 0 {
		t.Errorf("an unknown zone: %+v", got)
	}
	f.answers[periodURL] = `{"id":"now","master_zone":"p","period_map":{"zonegroups":[{"id":"g","zones":[{"id":"p","name":"paris","sync_from_all":true}]}]}}`
	if got := look(t, client, "p"); len(got.Copies) > 0 || f.asked.Load() != 2 {
		t.Errorf("a zone that is alone: %+v after %d requests", got, f.asked.Load())
	}
}

func TestAZoneCopiesObjectsFromThoseItIsToldTo(t *testing.T) {
	f, client := gateway(t)
	f.answers[periodURL] = strings.Replace(f.answers[periodURL], `"endpoints":["http://rome:80"],"sync_from_all":"true"`, `"endpoints":[],"sync_from_all":"false"`, 1)
	if got := look(t, client, "r"); len(got.Copies) != 1 || got.Copies[0].Kind != api.ObjectSyncMetadata {
		t.Errorf("sight: %+v", got)
	}
}

func TestWhyNobodyCanTellIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*far)
		want  []string
	}{
		"gateways_do_not_copy": {func(f *far) { f.answers[metadataURL], f.answers[dataURL] = "", "" },
			[]string{"The gateways that were asked do not copy from it", "The gateways that were asked do not copy from it"}},
		"odd_answers": {func(f *far) { f.answers[metadataURL], f.answers[dataURL] = "odd", `{"info":{"num_shards":1000000}}` },
			[]string{"The gateways of this zone cannot tell (MalformedReply)", "The gateways of this zone cannot tell (MalformedReply)"}},
		"the_other_is_silent": {func(f *far) { f.silent = "info" },
			[]string{"It cannot be asked at http://silent:1 (NoAnswer), http://paris:80 (HTTP status 503)", "It cannot be asked at http://silent:1 (NoAnswer), http://paris:80 (HTTP status 503)"}},
		"no_endpoint": {func(f *far) {
			f.answers[periodURL] = strings.Replace(period("x"), `["http://silent:1","x"]`, "[]", 1)
		}, []string{"The realm knows no endpoint of it", "The realm knows no endpoint of it"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, client := gateway(t)
			test.spoil(f)
			var got []string
			for _, copied := range look(t, client, "r").Copies {
				got = append(got, copied.Problem)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	f, client := gateway(t)
	f.silent = "period"
	if _, err := syncstate.Look(t.Context(), client, "r"); err == nil {
		t.Error("a gateway that does not answer was believed")
	}
}
