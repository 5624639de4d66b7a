package setup

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// guard looks after every write at what no crash may break.
type guard struct {
	lab *lab
	// identity is what Secret rook-ceph-mon held when it was first there.
	identity map[string][]byte
	mons     []string
	removed  map[string]bool
	born     bool
}

// command looks at a command of the service before it is executed.
func (g *guard) command(cmd ceph.Command) {
	name, _ := cmd.Args["name"].(string)
	if cmd.Prefix != "mon remove" {
		return
	}
	if change := g.lab.cluster().Status.Monitors.Change; change == nil || change.Op != api.MonitorRemove || change.Mon != name {
		g.lab.t.Errorf("monitor %s is taken out of the map although the intention is %+v", name, change)
	}
	if !g.lab.runs["mon."+name] {
		return
	}
	if err := g.lab.ceph.Client().MonOKToStop(g.lab.ctx, name); err == nil {
		g.lab.t.Errorf("monitor %s is taken out of the map while it runs, although it could be stopped", name)
	}
}

// look checks what must hold at any moment; what says what was just done.
func (g *guard) look(what string) {
	g.lab.t.Helper()
	g.lookAtMap(what)
	g.lookAtIdentity(what)
	g.lookAtEndpoints(what)
	g.lookAtIntention(what)
}

// lookAtIntention checks that what is made for a monitor was noted before, and
// is not made for one that was removed.
func (g *guard) lookAtIntention(what string) {
	_, name, isMon := strings.Cut(what, " rook-ceph-mon-")
	if !isMon || !strings.HasPrefix(what, "apply Deployment") && !strings.HasPrefix(what, "apply Service") {
		return
	}
	if g.removed[name] {
		g.lab.t.Errorf("monitor %s was removed and is made again: %s", name, what)
	}
	noted := g.lab.cluster().Status.Monitors
	if noted == nil || !slices.ContainsFunc(noted.Members, func(m api.MonitorStatus) bool { return m.Name == name }) {
		g.lab.t.Errorf("%s although nobody noted monitor %s before", what, name)
	}
}

func (g *guard) lookAtMap(what string) {
	dump, err := g.lab.ceph.Client().MonDump(g.lab.ctx)
	if err != nil {
		if g.born {
			g.lab.t.Errorf("after %s the monitors are no majority any more", what)
		}
		return
	}
	g.born = true
	var mons, addresses []string
	for _, mon := range dump.Mons {
		mons, addresses = append(mons, mon.Name), append(addresses, mon.PublicAddrs.V2())
	}
	for _, name := range g.mons {
		if !slices.Contains(mons, name) {
			g.removed[name] = true
		}
	}
	for _, name := range mons {
		if g.removed[name] {
			g.lab.t.Errorf("after %s the name %s is used again", what, name)
		}
	}
	if duplicates(mons) || duplicates(addresses) {
		g.lab.t.Errorf("after %s the map holds monitors %v at %v", what, mons, addresses)
	}
	g.mons = mons
}

func (g *guard) lookAtIdentity(what string) {
	var secret corev1.Secret
	err := g.lab.base.Get(g.lab.ctx, client.ObjectKey{Namespace: g.lab.namespace, Name: names.MonSecret}, &secret)
	if err != nil {
		return
	}
	if g.identity == nil {
		g.identity = secret.Data
	}
	if diff := cmp.Diff(g.identity, secret.Data); diff != "" {
		g.lab.t.Errorf("after %s the identity is another one", what)
	}
	if g.born && string(secret.Data["fsid"]) != g.lab.ceph.FSID() {
		g.lab.t.Errorf("after %s the cluster runs as %s", what, g.lab.ceph.FSID())
	}
}

// lookAtEndpoints checks what clients are told, and that no Deployment stands
// for a monitor that nobody knows.
func (g *guard) lookAtEndpoints(what string) {
	var endpoints corev1.ConfigMap
	err := g.lab.base.Get(g.lab.ctx, client.ObjectKey{Namespace: g.lab.namespace, Name: names.MonEndpoints}, &endpoints)
	if err != nil {
		return
	}
	list := strings.Split(endpoints.Data["data"], ",")
	var known, addresses []string
	for _, entry := range list {
		name, address, _ := strings.Cut(entry, "=")
		known, addresses = append(known, name), append(addresses, address)
	}
	if endpoints.Data["data"] == "" || duplicates(known) || duplicates(addresses) {
		g.lab.t.Errorf("after %s the endpoints are %q", what, endpoints.Data["data"])
	}
	var deployments appsv1.DeploymentList
	if err := g.lab.base.List(g.lab.ctx, &deployments, client.MatchingLabels{names.LabelApp: "rook-ceph-mon"}); err != nil {
		g.lab.t.Error(err)
	}
	for i := range deployments.Items {
		args := deployments.Items[i].Spec.Template.Spec.Containers[0].Args
		if !slices.Contains(args, "--fsid="+string(g.identity["fsid"])) {
			g.lab.t.Errorf("after %s %s runs with %v", what, deployments.Items[i].Name, args)
		}
	}
}

func duplicates(list []string) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(list)))) != len(list)
}
