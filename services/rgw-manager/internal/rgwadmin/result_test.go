package rgwadmin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
)

func FuzzParse(f *testing.F) {
	whole, err := rgwadmin.Encode(rgwadmin.Result{Outcome: rgwadmin.Refused, Reason: "MasterZone", Message: "no", Hash: ownStore().Hash()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(`{"outcome":"Applied","hash":"00000000000000000000","known":{"realmID":"../x"}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		result, err := rgwadmin.Parse(text)
		if err != nil {
			if !errors.Is(err, rgwadmin.ErrMalformed) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		body, err := rgwadmin.Encode(result)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", text, err)
		}
		if again, err := rgwadmin.Parse(string(body)); err != nil || again != result {
			t.Errorf("%q is read as %+v, and then as %+v, %v", text, result, again, err)
		}
	})
}

// answers is a radosgw-admin that says the same to everything.
type answers []byte

// Run implements rgwadmin.Runner.
func (a answers) Run(context.Context, rgwadmin.Command) ([]byte, error) { return a, nil }

// FuzzReplies wants no reply of radosgw-admin to break the program.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"id":"x","realm_id":"x","period_map":{"zonegroups":[{"zones":[null,{"id":"x"}]}]},"zones":[null],"placement_pools":[{}]}`,
		`{"id":1}`, `{"zones":["a"],"zonegroups":["b"],"periods":["c"],"system_key":"x","keys":[{}],"system":"1"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		for _, wanted := range []rgwadmin.Wanted{ownStore(shared), ownStore(removing(rgwadmin.RemoveAll))} {
			if _, err := rgwadmin.Apply(t.Context(), answers(reply), keys, wanted); err != nil && strings.Contains(err.Error(), "-secret") {
				t.Errorf("a key is told: %v", err)
			}
		}
	})
}

// program writes a shell script that stands for radosgw-admin.
func program(t *testing.T, script string) rgwadmin.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "radosgw-admin")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return rgwadmin.Program{Argv: []string{path}, Rados: []string{path, "rados"}, Timeout: 10 * time.Second}
}

func TestKeysGoThroughTheEnvironmentAndNotIntoErrors(t *testing.T) {
	t.Parallel()
	command := rgwadmin.Command{Args: []string{"user", "create", "--uid=x"}, Input: []byte("in"), AccessKey: "A", SecretKey: "so-secret"}
	out, err := program(t, `echo "$CEPH_ARGS/$*/$(cat)"`).Run(t.Context(), command)
	if want := "--access-key=A --secret=so-secret/user create --uid=x/in\n"; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
	_, err = program(t, `echo "cannot use so-secret" >&2; exit 22`).Run(t.Context(), command)
	var refused *rgwadmin.Error
	if !errors.As(err, &refused) || refused.Code != 22 || refused.Verb != "user create" || refused.Message != "cannot use ***" {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatHangsIsEnded(t *testing.T) {
	t.Parallel()
	p := program(t, `exec sleep 60`)
	p.Timeout = 50 * time.Millisecond
	if _, err := p.Run(t.Context(), rgwadmin.Command{Args: []string{"realm", "list"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAGatewayIsAskedWithASignature(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=A/") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"Code":"AccessDenied"}`))
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
	}))
	t.Cleanup(server.Close)
	ask := func(url string, args ...string) (string, error) {
		out, err := rgwadmin.Program{Timeout: 5 * time.Second}.Run(t.Context(), rgwadmin.Command{Tool: rgwadmin.ToolGateway,
			Args: append([]string{"POST", url + "/admin/realm/period"}, args...), Input: []byte("{}"), AccessKey: "A", SecretKey: "so-secret"})
		if err != nil && strings.Contains(err.Error(), "so-secret") {
			t.Errorf("a key is told: %v", err)
		}
		return string(out), err
	}
	if got, err := ask(server.URL); err != nil || got != "POST /admin/realm/period" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, url := range map[string]string{"silent": "http://127.0.0.1:1", "odd": "http://%zz"} {
		if _, err := ask(url); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := ask(server.URL, "more"); !errors.Is(err, rgwadmin.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}
