package setup

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

const login = "admin"

// newDashboard returns a settled cluster with a dashboard.
func newDashboard(t *testing.T) *lab {
	t.Helper()
	l := newLab(t)
	l.createWith(func(spec *api.ClusterSpec) {
		spec.Mon.Count, spec.Dashboard = 1, api.DashboardSpec{Enabled: true, SSL: true, URLPrefix: "/one"}
	})
	l.settle()
	return l
}

// password returns what the Secret of the dashboard says.
func (l *lab) password() (*corev1.Secret, string) {
	l.t.Helper()
	secret := &corev1.Secret{}
	l.must(l.base.Get(l.ctx, client.ObjectKey{Namespace: l.namespace, Name: names.DashboardPassword}, secret))
	return secret, string(secret.Data["password"])
}

// TestThePasswordInTheSecretWorks deletes the Secret of a dashboard whose login
// is there, and lets each write that follows fail.
func TestThePasswordInTheSecretWorks(t *testing.T) {
	whole := newDashboard(t)
	_, first := whole.password()
	if first == "" || whole.ceph.DashboardPassword(login) != first {
		t.Fatalf("the Secret says %q, the dashboard %q", first, whole.ceph.DashboardPassword(login))
	}
	before := whole.writes
	secret, _ := whole.password()
	whole.must(whole.base.Delete(whole.ctx, secret))
	whole.settle()
	for at := 1; at <= whole.writes-before; at++ {
		for _, after := range []bool{false, true} {
			l := newDashboard(t)
			secret, old := l.password()
			l.must(l.base.Delete(l.ctx, secret))
			l.fault = fault{at: l.writes + at, after: after}
			l.settle()
			secret, known := l.password()
			if known == old || known != l.ceph.DashboardPassword(login) {
				t.Errorf("fault at write %d (%s): the Secret says %q, the dashboard %q, before %q", at, l.failed, known, l.ceph.DashboardPassword(login), old)
			}
			if len(secret.Annotations) > 0 {
				t.Errorf("fault at write %d (%s): annotations %v are left", at, l.failed, secret.Annotations)
			}
		}
	}
}

func TestAPasswordThatPeopleChangedStays(t *testing.T) {
	l := newDashboard(t)
	session, err := l.service.mgr.Links.Session(l.key())
	l.must(err)
	l.must(session.DashboardUserSetPassword(l.ctx, login, []byte("theirs")))
	l.settle()
	if got := l.ceph.DashboardPassword(login); got != "theirs" {
		t.Errorf("the password is %q", got)
	}
}

func TestAPrefixThatLeftTheSpecLeavesCeph(t *testing.T) {
	l := newDashboard(t)
	const option = "mgr/dashboard/url_prefix"
	if got, _ := l.ceph.Option("mgr", option); got != "/one" {
		t.Fatalf("%s is %q", option, got)
	}
	cluster := l.cluster()
	cluster.Spec.Dashboard.URLPrefix = ""
	cluster.Generation++
	l.must(l.base.Update(l.ctx, cluster))
	l.settle()
	if got, set := l.ceph.Option("mgr", option); set {
		t.Errorf("%s is %q still", option, got)
	}
	session, err := l.service.mgr.Links.Session(l.key())
	l.must(err)
	mgrmap, err := session.MgrDump(l.ctx)
	l.must(err)
	if !slices.Contains(mgrmap.Modules, "dashboard") {
		t.Errorf("the dashboard is off; modules %v", mgrmap.Modules)
	}
}
