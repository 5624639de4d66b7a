//go:build librados && integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/sitetest"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest/real"
	"github.com/rook-ceph/rook-ceph/shared/librados"
)

// asker is somebody who gives the same commands to radosgw-admin and to its fake, and
// writes down what comes back, as far as the service looks at it.
type asker struct {
	ctx     context.Context
	t       *testing.T
	run     rgwadmin.Runner
	told    []string
	replies []any
}

type document = map[string]any

// ask gives one command. Its reply is compared when it is one of those that are read.
func (a *asker) ask(command rgwadmin.Command) document {
	body, err := a.run.Run(a.ctx, command)
	what := strings.TrimSpace(string(command.Tool) + " " + strings.Join(command.Args, " "))
	var reply any
	if err == nil && reads(command) {
		if err := json.Unmarshal(body, &reply); err != nil {
			a.t.Errorf("%s: %v: %.200s", what, err, body)
		}
	}
	a.told, a.replies = append(a.told, what+": "+kind(err)), append(a.replies, reply)
	if err != nil {
		a.t.Logf("%s: %v", what, err)
	}
	found, _ := reply.(document)
	return found
}

// say is ask without keys and input.
func (a *asker) say(words string, options ...string) document {
	return a.ask(rgwadmin.Command{Args: append(strings.Fields(words), options...)})
}

// reads tells whether the service looks at the reply to a command.
func reads(command rgwadmin.Command) bool {
	all := strings.Join(command.Args, " ")
	return !strings.Contains(all, "--commit") && slices.ContainsFunc([]string{" get", " list", "user info", "period update", "ls "},
		func(words string) bool { return strings.Contains(all+" ", words) })
}

// kind is what the service tells errors apart by.
func kind(err error) string {
	var answer *rgwadmin.Error
	switch {
	case err == nil:
		return "ok"
	case !errors.As(err, &answer):
		return "no answer"
	case answer.NotFound(), strings.Contains(answer.Message, "no user info saved"):
		return "not found"
	case answer.Denied():
		return "denied"
	}
	return "refused"
}

// edit reads something, changes it and writes it back.
func (a *asker) edit(what string, change func(document), at ...string) {
	doc := a.say(what+" get", at...)
	if doc == nil {
		return
	}
	change(doc)
	body, err := json.Marshal(doc)
	if err != nil {
		a.t.Fatal(err)
	}
	a.ask(rgwadmin.Command{Args: append([]string{what, "set"}, at...), Input: body})
}

// lookAround reads all there is to read.
func (a *asker) lookAround(realm, group string, zones ...string) {
	a.say("realm list")
	a.say("zonegroup list", "--rgw-realm="+realm)
	a.say("zone list")
	a.say("period list")
	a.say("realm get", "--rgw-realm="+realm)
	a.say("period get", "--rgw-realm="+realm)
	a.say("zonegroup get", "--rgw-realm="+realm, "--rgw-zonegroup="+group)
	for _, zone := range zones {
		a.say("zone get", "--rgw-realm="+realm, "--rgw-zonegroup="+group, "--rgw-zone="+zone)
	}
}

// tell gives all the commands that the service gives, in an order in which it may.
func (a *asker) tell(url string) {
	realm, group, zone := "--rgw-realm=earth", "--rgw-zonegroup=europe", "--rgw-zone=paris"
	at := []string{realm, group, zone}
	a.lookAround("earth", "europe", "paris")
	a.say("realm create", realm)
	a.say("realm create", realm)
	a.say("realm default", realm) // which reef makes the first by itself
	a.say("zonegroup create", "--rgw-realm=mars", group)
	a.say("zonegroup create", realm, group, "--master")
	a.say("zonegroup create", realm, group, "--master")
	a.lookAround("earth", "europe", "paris")
	a.say("period update", at...)
	a.ask(rgwadmin.Command{Args: append([]string{"zone", "create", "--master", "--endpoints=" + url}, at...), AccessKey: "SYSTEM", SecretKey: "system-secret"})
	a.say("zone create", at...)
	a.lookAround("earth", "europe", "paris")
	a.say("period update", at...)
	a.say("period update --commit", at...)
	a.say("period update", at...)
	a.lookAround("earth", "europe", "paris")

	a.edit("zonegroup", func(doc document) {
		doc["hostnames"] = []any{"s3.example.com"}
		doc["placement_targets"] = append(doc["placement_targets"].([]any), document{"name": "cold", "tags": []any{}, "storage_classes": []any{"STANDARD", "ICE"}})
	}, at...)
	a.edit("zone", func(doc document) {
		doc["placement_pools"] = append(doc["placement_pools"].([]any), document{"key": "cold", "val": document{
			"index_pool": "paris.rgw.buckets.index", "data_extra_pool": "paris.rgw.buckets.non-ec", "index_type": 0, "inline_data": true,
			"storage_classes": document{"STANDARD": document{"data_pool": "paris.rgw.buckets.data"}, "ICE": document{"data_pool": "paris.rgw.buckets.data"}}}})
	}, at...)
	a.say("period update --commit", at...)
	a.lookAround("earth", "europe", "paris")
	a.users(at)
}

// users makes an administrator.
func (a *asker) users(at []string) {
	uid := append([]string{"--uid=admin"}, at...)
	withKeys := func(words string, access, secret string, options ...string) {
		a.ask(rgwadmin.Command{Args: append(append(strings.Fields(words), uid...), options...), AccessKey: access, SecretKey: secret})
	}
	a.say("user info", uid...)
	a.say("user modify --system", uid...)
	a.say("caps add --caps=users=read", uid...)
	withKeys("key create --key-type=s3", "KA", "sa")
	withKeys("user create", "KA", "sa", "--display-name=Admin", "--caps=users=read;zone=read")
	a.say("user info", uid...)
	withKeys("user create", "KA", "sa", "--display-name=Admin", "--caps=users=read;zone=read")
	withKeys("user create", "KB", "sb", "--display-name=Another")
	a.say("user modify --system", uid...)
	withKeys("key create --key-type=s3", "KB", "sb")
	withKeys("key create --key-type=s3", "KA", "sa2")
	a.say("caps add --caps=users=write;buckets=*", uid...)
	a.say("user info", uid...)
}

// second makes another zone in the same cluster, which the master zone has to hear of.
func (a *asker) second(url string, listens func(bool)) {
	at := []string{"--rgw-realm=earth", "--rgw-zonegroup=europe", "--rgw-zone=lyon"}
	a.ask(rgwadmin.Command{Args: append([]string{"zone", "create", "--endpoints=" + url}, at...), AccessKey: "SYSTEM", SecretKey: "system-secret"})
	a.say("period update", at...)
	listens(false)
	a.say("period update --commit", at...)
	listens(true)
	a.lookAround("earth", "europe", "lyon")
	a.say("period update --commit", at...)
	a.ask(rgwadmin.Command{Args: []string{"user", "create", "--uid=system", "--display-name=System", "--system", at[0], at[1], "--rgw-zone=paris"},
		AccessKey: "SYSTEM", SecretKey: "system-secret"})
	a.say("period update --commit", at...)
	a.lookAround("earth", "europe", "paris", "lyon")
	a.say("zonegroup remove", at...)
	a.say("period update --commit", "--rgw-realm=earth", "--rgw-zonegroup=europe", "--rgw-zone=paris")
	a.lookAround("earth", "europe", "lyon")
	a.say("zone delete", at...)
	a.lookAround("earth", "europe", "paris", "lyon")
}

// end removes what tell and others have made, in the wrong order first.
func (a *asker) end() {
	realm, group, zone := "--rgw-realm=earth", "--rgw-zonegroup=europe", "--rgw-zone=paris"
	at := []string{realm, group, zone}
	a.say("zone delete", realm, group, "--rgw-zone=nowhere")
	a.say("zone delete", at...)
	a.lookAround("earth", "europe", "paris")
	a.say("zone delete", at...)
	a.say("zone create --master", at...)
	a.lookAround("earth", "europe", "paris")
	a.say("period update --commit", at...)
	a.say("period update --commit --yes-i-really-mean-it", at...)
	a.lookAround("earth", "europe", "paris")
	a.say("zone delete", at...)
	a.say("zonegroup delete", realm, group)
	a.say("zonegroup delete", realm, group)
	a.say("realm rm", realm)
	a.say("realm rm", realm)
	a.lookAround("earth", "europe", "paris")
}

// as leaves of a reply what another one tells of, too.
func as(reply, other any) any {
	switch shape := other.(type) {
	case document:
		whole, is := reply.(document)
		if !is {
			return reply
		}
		left := document{}
		for key, value := range shape {
			if found, has := whole[key]; has {
				left[key] = as(found, value)
			}
		}
		return left
	case []any:
		whole, is := reply.([]any)
		if !is {
			return reply
		}
		left := make([]any, len(whole))
		for i, one := range whole {
			left[i] = one
			if len(shape) > 0 {
				left[i] = as(one, shape[max(0, slices.IndexFunc(shape, func(other any) bool { return named(other) == named(one) }))])
			}
		}
		return left
	}
	return reply
}

// named is by what an element of a list is known.
func named(one any) string {
	doc, _ := one.(document)
	return fmt.Sprint(doc["name"], doc["key"], doc["type"], doc["access_key"])
}

var anID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(realm|group|zone|period)-127\.0\.0\.1-\d+-\d+`)

// masked replaces ids by their order, and what is drawn or counts by nothing.
type masked map[string]string

func (m masked) mask(value any) any {
	switch is := value.(type) {
	case string:
		return anID.ReplaceAllStringFunc(is, func(id string) string {
			if m[id] == "" {
				m[id] = fmt.Sprintf("id-%d", len(m)+1)
			}
			return m[id]
		})
	case document:
		made := document{}
		for _, key := range slices.Sorted(func(yield func(string) bool) {
			for key := range is {
				if !yield(key) {
					return
				}
			}
		}) {
			made[key] = m.mask(is[key])
		}
		if _, short := made["val"].(float64); short {
			made["val"] = 0
		}
		return made
	case []any:
		made := []any{}
		for _, one := range is {
			made = append(made, m.mask(one))
		}
		slices.SortFunc(made, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return made
	}
	return value
}

// alike compares what two askers were told.
func alike(t *testing.T, there, here *asker) {
	t.Helper()
	thereIDs, hereIDs := masked{}, masked{}
	var left, right []any
	for i := range min(len(there.told), len(here.told)) {
		left = append(left, there.told[i], thereIDs.mask(as(there.replies[i], here.replies[i])))
		right = append(right, here.told[i], hereIDs.mask(here.replies[i]))
	}
	if diff := cmp.Diff(left, right); diff != "" || len(there.told) != len(here.told) {
		t.Errorf("radosgw-admin (-, %d commands) and its fake (+, %d) differ:\n%s", len(there.told), len(here.told), diff)
	}
}

// TestRadosgwAdminIsAsItsFakeSays gives the same commands to both, on every release.
func TestRadosgwAdminIsAsItsFakeSays(t *testing.T) {
	t.Parallel()
	for _, release := range real.Releases() {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			port, err := real.FreePort()
			if err != nil {
				t.Fatal(err)
			}
			url := fmt.Sprintf("http://127.0.0.1:%d", port)
			cluster := real.Start(t, librados.Dialer{}, real.Release(release), real.OSDs(1))
			cluster.RGWPools(append(real.ZonePools("paris"), real.ZonePools("lyon")...)...)
			site := sitetest.New(t, url)
			there := &asker{ctx: t.Context(), t: t, run: program(t, cluster)}
			here := &asker{ctx: t.Context(), t: t, run: site}
			there.tell(url)
			there.second(url, func(listens bool) {
				if listens {
					cluster.AddRGW(real.Gateway{ID: "a", Port: port, Realm: "earth", ZoneGroup: "europe", Zone: "paris"})
				}
			})
			cluster.Stop("client.rgw.a")
			there.end()
			here.tell(url)
			here.second(url, func(listens bool) { site.Silence(!listens) })
			here.end()
			alike(t, there, here)
		})
	}
}
