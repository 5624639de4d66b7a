package setup_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/gateway"
	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/ceph"
	"github.com/rook-ceph/rook-ceph/shared/ceph/cephtest"
)

var poolsOfMyStore = []string{
	".rgw.root", "my-store.rgw.buckets.data", "my-store.rgw.buckets.index", "my-store.rgw.buckets.non-ec",
	"my-store.rgw.control", "my-store.rgw.log", "my-store.rgw.meta", "my-store.rgw.otp",
}

func TestAStoreIsServedAndThenAllIsQuiet(t *testing.T) {
	w := newWorld(t, someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.Gateway.Instances = ptr.To[int32](2)
		s.Spec.Hosting = &api.ObjectStoreHostingSpec{DNSNames: []string{"s3.example.com"}}
	}))
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
		t.Fatalf("Ready: %+v", c)
	}
	if diff := cmp.Diff(poolsOfMyStore, w.pools()); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	pool, _ := w.ceph.Pool("my-store.rgw.meta")
	if _, tagged := pool.ApplicationMetadata["rgw"]; !tagged {
		t.Errorf("the pool is for %v", pool.ApplicationMetadata)
	}
	status := w.store("my-store").Status
	if status.Phase != api.PhaseReady || status.Replicas != 2 || status.Info["endpoint"] != "http://rook-ceph-rgw-my-store.rook-ceph.svc:80" ||
		!strings.Contains(status.Selector, "rgw=my-store") || status.Setup == nil || status.Setup.ZoneID != "z" {
		t.Errorf("status: %+v", status)
	}
	if len(w.realm.wishes) != 1 {
		t.Fatalf("%d setups", len(w.realm.wishes))
	}
	wish := w.realm.wishes[0]
	if !wish.Own || wish.Site.Realm != "my-store" || wish.AdminOps != "rook-ceph-rgw-my-store-admin-ops" ||
		!slices.Equal(wish.Hostnames, []string{"rook-ceph-rgw-my-store.rook-ceph.svc", "s3.example.com"}) {
		t.Errorf("wish: %+v", wish)
	}
	for option, want := range map[string]string{"rgw_zone": "my-store", "rgw_enable_usage_log": "true"} {
		if got, _ := w.ceph.Option("client.rgw.my-store.a", option); got != want {
			t.Errorf("%s is %q, want %s", option, got, want)
		}
	}
	user, _ := w.ceph.User("client.rgw.my-store.a")
	if user.Caps["osd"] != "allow rwx tag rgw *=*" {
		t.Errorf("caps: %v", user.Caps)
	}
	if c := w.serving(); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
		t.Errorf("ObjectStoresServing: %+v", c)
	}
	if got := w.cluster().Status.Daemons[api.RoleRGW]; got != (api.DaemonStatus{Image: cephImage, Version: "18.2.7-0"}) {
		t.Errorf("daemons.rgw: %+v", got)
	}
	w.quiet(1)
}

// quiet wants passes that write nothing, ask no gateway, and ask Ceph at most once per
// store; and a successor that writes nothing either.
func (w *world) quiet(stores int) {
	w.t.Helper()
	before, asked := w.writes, w.gates.asked+w.sights.asked
	w.ceph.ForgetCommands()
	w.check(w.pass())
	w.check(w.pass())
	if w.writes != before || w.ceph.Writes() != 0 || w.gates.asked+w.sights.asked != asked {
		w.t.Errorf("a settled store was sent %d writes, Ceph %d, gateways %d requests\n%s",
			w.writes-before, w.ceph.Writes(), w.gates.asked+w.sights.asked-asked, strings.Join(w.last, "\n"))
	}
	if got := len(w.ceph.Commands()); got > 2*stores {
		w.t.Errorf("two settled passes asked Ceph %d times: %v", got, w.ceph.Commands())
	}
	w.restart()
	w.ceph.ForgetCommands()
	w.check(w.pass())
	if w.writes != before || w.ceph.Writes() != 0 {
		w.t.Errorf("a successor sent %d writes, and Ceph %d\n%s", w.writes-before, w.ceph.Writes(), strings.Join(w.last, "\n"))
	}
}

func TestAClusterWithoutStoresSaysThatNoneIsAskedFor(t *testing.T) {
	w := newWorld(t)
	w.settle()
	if c := w.serving(); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonNotRequested {
		t.Errorf("ObjectStoresServing: %+v", c)
	}
	if _, told := w.cluster().Status.Daemons[api.RoleRGW]; told {
		t.Error("it tells what gateways run")
	}
}

func TestANewStoreWaitsForTheOSDsBeforeARealmIsSetUp(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	w.report(func(s *api.ClusterStatus) {
		api.FindCondition(s.Conditions, api.ConditionOSDsServing).Status = metav1.ConditionFalse
	})
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, "Waiting for osd-manager") {
		t.Errorf("Ready: %+v", c)
	}
	if len(w.realm.wishes) != 0 || w.deployment("my-store") != nil {
		t.Errorf("%d setups", len(w.realm.wishes))
	}
	if c := w.serving(); c.Status != metav1.ConditionFalse || c.Reason != api.ReasonGatewaysStarting {
		t.Errorf("ObjectStoresServing: %+v", c)
	}
}

func TestAStoreWhoseGatewaysAnswerNobodyIsNotReady(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	w.gates.mute = true
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != api.ReasonGatewayUnreachable {
		t.Errorf("Ready: %+v", c)
	}
	w.gates.mute = false
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready: %+v", c)
	}
}

func TestAFailedSetupIsToldAndLeavesNoGateway(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	w.realm.refusal = "Realm 'my-store' is another's"
	w.settle()
	if c := w.condition("my-store", api.ConditionStalled); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonSetupFailed {
		t.Errorf("Stalled: %+v", c)
	}
	if told := w.told(); len(told) != 1 || !strings.Contains(told[0], "is another's") {
		t.Errorf("events: %v", told)
	}
	if w.deployment("my-store") != nil {
		t.Error("gateways were started")
	}
}

func TestChangesOfTheSpecReachTheGateways(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.settle()
	w.change(s, func() {
		s.Spec.Gateway.Instances = ptr.To[int32](3)
		s.Spec.Gateway.RGWConfig = map[string]string{"rgw_max_put_size": "1000", "debug_rgw": "3"}
		s.Spec.Gateway.PriorityClassName = "high"
		s.Spec.Protocols.EnableAPIs = []api.ObjectStoreAPI{"s3"}
	})
	w.settle()
	if got := w.store("my-store").Status.Replicas; got != 3 {
		t.Errorf("%d gateways", got)
	}
	if !strings.Contains(w.running["my-store"], "PriorityClassName:high") {
		t.Error("the pods were not replaced")
	}
	if got, _ := w.ceph.Option("client.rgw.my-store.a", "rgw_enable_apis"); got != "s3, admin" {
		t.Errorf("APIs: %q", got)
	}
	budgets := &policyv1.PodDisruptionBudgetList{}
	w.check(w.kube.List(t.Context(), budgets))
	if len(budgets.Items) != 1 || budgets.Items[0].Name != "rook-ceph-rgw-my-store" || budgets.Items[0].Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("budgets: %+v", budgets.Items)
	}
	w.check(w.ceph.Client().ConfigSet(t.Context(), "client.rgw.my-store.a", "debug_ms", "1"))
	w.change(s, func() {
		s.Spec.Gateway.Instances = ptr.To[int32](1)
		s.Spec.Gateway.RGWConfig = map[string]string{"debug_rgw": "4"}
	})
	w.settle()
	if _, left := w.ceph.Option("client.rgw.my-store.a", "rgw_max_put_size"); left {
		t.Error("an option that was taken out is left")
	}
	if got, _ := w.ceph.Option("client.rgw.my-store.a", "debug_rgw"); got != "4" {
		t.Errorf("debug_rgw is %q", got)
	}
	if _, kept := w.ceph.Option("client.rgw.my-store.a", "debug_ms"); !kept {
		t.Error("an option that somebody set by hand was removed")
	}
	w.check(w.kube.List(t.Context(), budgets))
	if len(budgets.Items) != 0 {
		t.Errorf("%d budgets for a single gateway", len(budgets.Items))
	}
	w.quiet(1)
}

func TestAnUpgradeFollowsAllDaemonsBeforeGateways(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	w.report(func(s *api.ClusterStatus) {
		s.Daemons[api.RoleMDS] = api.DaemonStatus{Image: cephImage, Version: "18.2.7-0"}
	})
	w.settle()
	runs := func() string { return w.deployment("my-store").Spec.Template.Spec.Containers[0].Image }
	cluster := w.newCluster()
	w.change(cluster, func() { cluster.Spec.CephVersion.Image = newImage })
	for _, role := range []string{api.RoleMon, api.RoleMgr, api.RoleOSD} {
		w.report(func(s *api.ClusterStatus) { s.Daemons[role] = api.DaemonStatus{Image: newImage, Version: "20.2.4-0"} })
		w.settle()
		if got := runs(); got != cephImage {
			t.Fatalf("gateways run %s after %s", got, role)
		}
	}
	w.report(func(s *api.ClusterStatus) { s.Daemons[api.RoleMDS] = api.DaemonStatus{} })
	w.settle()
	if got := runs(); got != cephImage {
		t.Fatalf("gateways run %s while metadata servers differ", got)
	}
	w.report(func(s *api.ClusterStatus) {
		s.Daemons[api.RoleMDS] = api.DaemonStatus{Image: newImage, Version: "20.2.4-0"}
	})
	w.ceph.Upgrade("20.2.4")
	w.settle()
	if got := runs(); got != newImage {
		t.Errorf("gateways run %s", got)
	}
	if got := w.cluster().Status.Daemons[api.RoleRGW]; got.Image != newImage || got.Version != "20.2.4-0" {
		t.Errorf("daemons.rgw: %+v", got)
	}
	w.quiet(1)
}

func TestWhileGatewaysAreReplacedAStoreStaysReady(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) { s.Spec.Gateway.Instances = ptr.To[int32](2) })
	w := newWorld(t, s)
	w.settle()
	w.playing = true
	d := w.deployment("my-store")
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 2, UpdatedReplicas: 1, AvailableReplicas: 1, UnavailableReplicas: 1}
	w.check(w.kube.Status().Update(t.Context(), d))
	w.playing = false
	w.check(w.pass())
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonUpgrading {
		t.Errorf("Ready: %+v", c)
	}
	if c := w.serving(); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonUpgrading {
		t.Errorf("ObjectStoresServing: %+v", c)
	}
	w.playing = true
	d = w.deployment("my-store")
	d.Status.AvailableReplicas = 0
	w.check(w.kube.Status().Update(t.Context(), d))
	w.playing = false
	w.check(w.pass())
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionFalse || c.Reason != api.ReasonGatewaysStarting {
		t.Errorf("Ready of one that nobody serves: %+v", c)
	}
}

func TestANewImageOfOursRestartsNobody(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	w.settle()
	w.image = "rook-ceph/rgw-manager:v2"
	w.restart()
	before := w.writes
	w.settle()
	if w.writes != before {
		t.Errorf("%d writes:\n%s", w.writes-before, strings.Join(w.last, "\n"))
	}
}

func tlsSecret(content string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{"tls.crt": []byte(content), "tls.key": []byte("private " + content)}}
}

func TestAChangedCertificateIsTakenUp(t *testing.T) {
	secret := tlsSecret("one")
	w := newWorld(t, secret, someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.Gateway.Port, s.Spec.Gateway.SecurePort, s.Spec.Gateway.SSLCertificateRef = 0, 443, "tls"
	}))
	w.settle()
	before := w.running["my-store"]
	if !strings.Contains(before, "ssl_private_key=") || w.store("my-store").Status.Info["secureEndpoint"] != "https://rook-ceph-rgw-my-store.rook-ceph.svc:443" {
		t.Fatalf("it runs %s", before)
	}
	w.quiet(1)
	w.change(secret, func() { secret.Data["tls.crt"] = []byte("other") })
	w.settle()
	if w.running["my-store"] == before {
		t.Error("the gateways keep the old certificate")
	}
	w.playing = true
	w.check(w.kube.Delete(t.Context(), secret))
	w.playing = false
	w.settle()
	ready, stalled := w.condition("my-store", api.ConditionReady), w.condition("my-store", api.ConditionStalled)
	if ready.Status != metav1.ConditionTrue || stalled.Status != metav1.ConditionTrue || stalled.Reason != api.ReasonSecretMissing {
		t.Errorf("without the Secret gateways that run are Ready %+v, Stalled %+v", ready, stalled)
	}
}

func TestACertificateThatIsMadeForTheServiceIsWaitedFor(t *testing.T) {
	w := newWorld(t, someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.Gateway.Port, s.Spec.Gateway.SecurePort = 0, 443
		s.Spec.Gateway.Service = &api.RGWServiceSpec{Annotations: api.Annotations{"service.beta.openshift.io/serving-cert-secret-name": "tls"}}
	}))
	w.settle()
	if stalled := w.condition("my-store", api.ConditionStalled); stalled.Reason != api.ReasonSecretMissing {
		t.Errorf("without the Secret: %+v", stalled)
	}
	var service corev1.Service
	w.check(w.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "rook-ceph-rgw-my-store"}, &service))
	w.create(tlsSecret("one"))
	w.settle()
	if ready := w.condition("my-store", api.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("with the Secret: %+v", ready)
	}
}

func TestADataPoolThatCouldNotServeIsWaitedFor(t *testing.T) {
	store := someStore("my-store", func(s *api.CephObjectStore) { s.Spec.DataPool.DeviceClass = "nvme" })
	w := newWorld(t, store)
	w.settle()
	if ready := w.condition("my-store", api.ConditionReady); ready.Reason != api.ReasonTooFewFailureDomains || !strings.Contains(ready.Message, "`deviceClass` (known: hdd)") {
		t.Errorf("Ready: %+v", ready)
	}
	if slices.Contains(w.pools(), "my-store.rgw.buckets.data") {
		t.Error("the pool was made")
	}
	w.change(store, func() { store.Spec.DataPool.DeviceClass = "hdd" })
	w.settle()
	if ready := w.condition("my-store", api.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready with a pool that serves: %+v", ready)
	}
}

func TestBadInputStallsWithOneEventAndNothingHalfMade(t *testing.T) {
	shared := func(s *api.CephObjectStore) {
		s.Spec.MetadataPool, s.Spec.DataPool = nil, nil
		s.Spec.SharedPools = &api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data"}
	}
	host := func(s *api.CephObjectStore) { s.Spec.Gateway.HostNetwork = ptr.To(true) }
	secure := func(s *api.CephObjectStore) {
		s.Spec.Gateway.SecurePort, s.Spec.Gateway.SSLCertificateRef = 443, "tls"
	}
	older := func(s *api.CephObjectStore) { s.CreationTimestamp = metav1.NewTime(time.Unix(1, 0)) }
	younger := func(s *api.CephObjectStore) { s.CreationTimestamp = metav1.NewTime(time.Unix(2, 0)) }
	meta := metav1.ObjectMeta{Namespace: namespace, Name: "my-store"}
	for name, test := range map[string]struct {
		edits  []func(*api.CephObjectStore)
		beside []client.Object
		ceph   func(*world)
		reason string
		words  string
	}{
		"no_certificate":       {[]func(*api.CephObjectStore){secure}, nil, nil, api.ReasonSecretMissing, "There is no Secret 'tls'"},
		"a_wrong_certificate":  {[]func(*api.CephObjectStore){secure}, []client.Object{&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"}}}, nil, api.ReasonSecretInvalid, "no key cert"},
		"no_port":              {[]func(*api.CephObjectStore){func(s *api.CephObjectStore) { s.Spec.Gateway.Port = 0 }}, nil, nil, api.ReasonInvalidSpec, "need a port"},
		"no_pools":             {[]func(*api.CephObjectStore){func(s *api.CephObjectStore) { s.Spec.DataPool = nil }}, nil, nil, api.ReasonInvalidSpec, "needs pools"},
		"no_default_placement": {[]func(*api.CephObjectStore){shared, func(s *api.CephObjectStore) { s.Spec.SharedPools.DataPoolName = "" }}, nil, nil, api.ReasonInvalidSpec, "a placement that is the default"},
		"unknown_shared_pool":  {[]func(*api.CephObjectStore){shared}, nil, nil, api.ReasonPoolMissing, "There is no pool 'data'"},
		"a_pool_of_block_data": {[]func(*api.CephObjectStore){shared}, nil, func(w *world) { w.addPool("meta", "rgw"); w.addPool("data", "rbd") }, api.ReasonInvalidSpec, "'data' is not for object stores"},
		"a_foreign_pool":       {nil, nil, func(w *world) { w.addPool("my-store.rgw.log", "rbd") }, api.ReasonNameTaken, "belongs to application 'rbd'"},
		"a_zone_of_that_name":  {nil, []client.Object{someZone(func(z *api.CephObjectZone) { z.Name = "my-store" })}, nil, api.ReasonNameTaken, "that of a CephObjectZone already"},
		"a_realm_of_that_name": {nil, []client.Object{&api.CephObjectRealm{ObjectMeta: meta}}, nil, api.ReasonNameTaken, "that of a CephObjectRealm already"},
		"the_port_of_another":  {[]func(*api.CephObjectStore){host, younger}, []client.Object{someStore("first", host, older)}, nil, api.ReasonInvalidSpec, "Port 80 of the nodes is that of CephObjectStore first"},
		"an_unknown_option": {[]func(*api.CephObjectStore){func(s *api.CephObjectStore) {
			s.Spec.Gateway.RGWConfigFromSecret = map[string]corev1.SecretKeySelector{"rgw_x": {Key: "k"}}
		}}, nil, nil, api.ReasonSecretMissing, "rgwConfigFromSecret[rgw_x]"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(test.beside, someStore("my-store", test.edits...))...)
			if test.ceph != nil {
				test.ceph(w)
			}
			before := w.pools()
			w.settle()
			stalled := w.condition("my-store", api.ConditionStalled)
			if stalled.Status != metav1.ConditionTrue || stalled.Reason != test.reason || !strings.Contains(stalled.Message, test.words) {
				t.Errorf("Stalled: %+v", stalled)
			}
			if told := w.told(); len(told) != 1 || !strings.Contains(told[0], test.words) {
				t.Errorf("events: %v", told)
			}
			made := slices.DeleteFunc(w.pools(), func(pool string) bool {
				return slices.Contains(before, pool) || strings.HasPrefix(pool, "first.") || pool == ".rgw.root" && len(test.beside) > 0
			})
			if len(made) > 0 || w.deployment("my-store") != nil {
				t.Errorf("pools %v were made, Deployment %v", made, w.deployment("my-store"))
			}
		})
	}
}

func (w *world) addPool(name, application string) {
	w.t.Helper()
	w.check(w.ceph.Client().PoolCreate(w.t.Context(), ceph.PoolSpec{Name: name, Size: 3}, ceph.Really))
	w.check(w.ceph.Client().PoolApplicationEnable(w.t.Context(), name, application, ceph.Unconfirmed))
}

func TestAStoreOfRookIsTakenOver(t *testing.T) {
	w := newWorld(t, someStore("my-store"))
	for _, name := range poolsOfMyStore {
		w.addPool(name, "rgw")
	}
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue || c.Reason != api.ReasonAsExpected {
		t.Errorf("Ready: %+v", c)
	}
	if w.ceph.Sent("osd pool create") != len(poolsOfMyStore) {
		t.Error("a pool was made anew")
	}
}

func TestGatewaysOfRookAreTakenOver(t *testing.T) {
	s := someStore("my-store")
	w := newWorld(t, s)
	w.ceph.AddUser(ceph.AuthUser{Entity: gateway.Entity(s.Name), Secret: cephtest.DefaultSecret})
	selected := map[string]string{"app": "rook-ceph-rgw", "rgw": "my-store", "ceph_daemon_id": "my-store", "rook_object_store": "my-store"}
	w.check(w.kube.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rook-ceph-rgw-my-store-a", Labels: selected,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s, api.SchemeGroupVersion.WithKind("CephObjectStore"))}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: selected},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: selected},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "rgw", Image: cephImage}, {Name: "log-collector", Image: cephImage}}}},
		},
	}, client.FieldOwner("rook")))
	w.settle()
	live := w.deployment("my-store")
	if diff := cmp.Diff(selected, live.Spec.Selector.MatchLabels); diff != "" {
		t.Errorf("selector (-want +got):\n%s", diff)
	}
	for name, value := range gateway.Selector(s) {
		if live.Spec.Template.Labels[name] != value {
			t.Errorf("pods have %s=%q, by which we do not find them", name, live.Spec.Template.Labels[name])
		}
	}
	if len(live.Spec.Template.Spec.Containers) != 1 {
		t.Errorf("a container is left: %v", live.Spec.Template.Spec.Containers)
	}
	w.quiet(1)
}

func TestAStoreUsesPoolsOfOthers(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.MetadataPool, s.Spec.DataPool = nil, nil
		s.Spec.SharedPools = &api.ObjectSharedPoolsSpec{MetadataPoolName: "meta", DataPoolName: "data"}
	})
	w := newWorld(t, s)
	w.addPool("meta", "rgw")
	w.addPool("data", "rgw")
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Fatalf("Ready: %+v", c)
	}
	if diff := cmp.Diff([]string{".rgw.root", "data", "meta"}, w.pools()); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	if got := w.realm.wishes[0].Shared; got == nil || got.DataPoolName != "data" {
		t.Errorf("wish: %+v", w.realm.wishes[0])
	}
	w.quiet(1)
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil || !slices.Equal(w.pools(), []string{".rgw.root", "data", "meta"}) {
		t.Errorf("pools %v are left", w.pools())
	}
}

// zoned are a store and the zone that it serves, the realm last.
func zoned(name string) []client.Object {
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("u-" + name), Generation: 1}
	}
	return []client.Object{
		someStore(name, func(s *api.CephObjectStore) {
			s.Spec.MetadataPool, s.Spec.DataPool, s.Spec.Zone = nil, nil, &api.ZoneSpec{Name: "zone-a"}
		}),
		&corev1.Secret{ObjectMeta: meta("realm-a-keys"), Data: map[string][]byte{"access-key": []byte("A"), "secret-key": []byte("of the realm")}},
		&api.CephObjectZoneGroup{ObjectMeta: meta("group-a"), Spec: api.ObjectZoneGroupSpec{Realm: "realm-a"}},
		someZone(func(z *api.CephObjectZone) { z.Name, z.Spec.ZoneGroup = "zone-a", "group-a" }),
		&api.CephObjectRealm{ObjectMeta: meta("realm-a")},
	}
}

func TestAStoreServesAZoneOfItsOwnObject(t *testing.T) {
	objs := zoned("my-store")
	w := newWorld(t, objs[:4]...)
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Reason != api.ReasonParentNotReady || len(w.realm.wishes) != 0 {
		t.Errorf("Ready: %+v", c)
	}
	w.create(objs[4])
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready: %+v", c)
	}
	wish := w.realm.wishes[0]
	if wish.Own || wish.Site.Realm != "realm-a" || wish.Site.ZoneGroup != "group-a" || wish.Site.Zone != "zone-a" ||
		!slices.Equal(wish.Endpoints, []string{"http://rook-ceph-rgw-my-store.rook-ceph.svc:80"}) {
		t.Errorf("wish: %+v", wish)
	}
	if got, _ := w.ceph.Option("client.rgw.my-store.a", "rgw_zone"); got != "zone-a" {
		t.Errorf("rgw_zone is %q", got)
	}
	w.quiet(2)
	before := w.pools()
	w.gates.buckets["my-store"] = []string{"one"}
	w.remove(w.store("my-store"))
	w.settle()
	last := w.realm.wishes[len(w.realm.wishes)-1]
	if w.store("my-store") != nil || !last.Gone || last.Own || last.Site.Zone != "zone-a" {
		t.Errorf("the store is %v, the last wish %+v", w.store("my-store"), last)
	}
	if got := w.pools(); !slices.Equal(got, before) {
		t.Errorf("pools %v", got)
	}
}

func TestStoresOfOneRealmHaveOneAdministrator(t *testing.T) {
	objs := zoned("one")
	other := zoned("other")[0].(*api.CephObjectStore)
	other.Spec.Gateway.SecurePort, other.Spec.Gateway.SSLCertificateRef = 443, "tls"
	w := newWorld(t, append(objs, other, tlsSecret("x"))...)
	w.settle()
	keys := map[string]string{}
	for _, name := range []string{"one", "other"} {
		secret := &corev1.Secret{}
		w.check(w.kube.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "rook-ceph-rgw-" + name + "-admin-ops"}, secret))
		keys[string(secret.Data["accessKey"])+" "+string(secret.Data["secretKey"])] = name
		if strings.Contains(string(secret.Data["secretKey"]), "realm") {
			t.Error("the key of the realm is told")
		}
	}
	if len(keys) != 1 {
		t.Errorf("they have %d pairs of keys", len(keys))
	}
	want := []string{"http://rook-ceph-rgw-one.rook-ceph.svc:80", "https://rook-ceph-rgw-other.rook-ceph.svc:443"}
	if diff := cmp.Diff(want, w.realm.wishes[len(w.realm.wishes)-1].Endpoints); diff != "" {
		t.Errorf("endpoints of the zone (-want +got):\n%s", diff)
	}
	w.quiet(3)
}

func TestAStoreOfAnUnknownZoneSaysSo(t *testing.T) {
	w := newWorld(t, someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.MetadataPool, s.Spec.DataPool, s.Spec.Zone = nil, nil, &api.ZoneSpec{Name: "nowhere"}
	}))
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Reason != api.ReasonParentMissing || !strings.Contains(c.Message, "CephObjectZone 'nowhere', which does not exist") {
		t.Errorf("Ready: %+v", c)
	}
}

func TestGatewaysElsewhereAreAskedAndNotRun(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.MetadataPool, s.Spec.DataPool = nil, nil
		s.Spec.Gateway.ExternalRGWEndpoints = []api.EndpointAddress{{IP: "10.0.0.1"}}
	})
	w := newWorld(t, s)
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Status != metav1.ConditionTrue || w.gates.asked != 1 {
		t.Errorf("Ready: %+v after %d requests", c, w.gates.asked)
	}
	if w.deployment("my-store") != nil || len(w.pools()) != 0 || len(w.realm.wishes) != 0 {
		t.Error("something was made for them")
	}
	before := w.writes
	w.check(w.pass())
	if w.writes != before || w.gates.asked != 1 {
		t.Errorf("%d writes, %d requests", w.writes-before, w.gates.asked)
	}
	w.remove(s)
	w.settle()
	if w.store("my-store") != nil {
		t.Error("the object is still there")
	}
}

func TestGatewaysOfOurOwnTakeThePlaceOfThoseElsewhere(t *testing.T) {
	s := someStore("my-store", func(s *api.CephObjectStore) {
		s.Spec.Gateway.ExternalRGWEndpoints = []api.EndpointAddress{{IP: "10.0.0.1"}}
	})
	w := newWorld(t, s)
	w.settle()
	w.change(s, func() { s.Spec.Gateway.ExternalRGWEndpoints = nil })
	w.settle()
	var left discoveryv1.EndpointSliceList
	w.check(w.kube.List(t.Context(), &left))
	if w.deployment("my-store") == nil || len(left.Items) > 0 {
		t.Errorf("the Deployment is %v, EndpointSlices are %v", w.deployment("my-store"), left.Items)
	}
	w.quiet(1)
}

func TestAnObjectWithTheLabelIsLeftAlone(t *testing.T) {
	w := newWorld(t, someStore("my-store", func(s *api.CephObjectStore) {
		s.Labels = map[string]string{"ceph.rook.io/do-not-reconcile": ""}
	}))
	w.settle()
	if c := w.condition("my-store", api.ConditionReady); c.Reason != api.ReasonPaused || len(w.pools()) != 0 {
		t.Errorf("Ready: %+v", c)
	}
}
