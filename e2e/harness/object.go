package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
)

// Decode returns the objects that a manifest holds.
func Decode(t *testing.T, manifest []byte) []client.Object {
	t.Helper()
	var objects []client.Object
	for documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
		object := &unstructured.Unstructured{}
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%v in %s", err, manifest)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// Object returns an empty object of a kind of ours, to look it up.
func Object(kind, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: "ceph.rook.io", Version: "v1", Kind: kind})
	object.SetNamespace(Namespace)
	object.SetName(name)
	return object
}

// AwaitOf waits for a condition of any object that carries conditions, and
// leaves the object as it was then.
func (h *Harness) AwaitOf(t *testing.T, within time.Duration, obj client.Object, want Expected) *unstructured.Unstructured {
	t.Helper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(obj.GetObjectKind().GroupVersionKind())
	what := fmt.Sprintf("%s %s: %s is %s (%s)", live.GetKind(), obj.GetName(), want.Type, want.Status, want.Reason)
	h.Eventually(t, within, what, func(ctx context.Context) (bool, string) {
		if err := h.Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
			return false, err.Error()
		}
		met, said := want.Met(conditionsOf(live))
		observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		return met && observed == live.GetGeneration(), said
	})
	return live
}

// AwaitReadyOf waits until an object is Ready.
func (h *Harness) AwaitReadyOf(t *testing.T, within time.Duration, obj client.Object) *unstructured.Unstructured {
	t.Helper()
	return h.AwaitOf(t, within, obj, Expected{Type: api.ConditionReady, Status: metav1.ConditionTrue})
}

func conditionsOf(obj *unstructured.Unstructured) []api.Condition {
	items, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	conditions := make([]api.Condition, 0, len(items))
	for _, item := range items {
		fields, _ := item.(map[string]any)
		text := func(name string) string { value, _ := fields[name].(string); return value }
		conditions = append(conditions, api.Condition{
			Type: text("type"), Status: metav1.ConditionStatus(text("status")), Reason: text("reason"), Message: text("message")})
	}
	return conditions
}

// Edit changes a field of an object by a merge patch.
func (h *Harness) Edit(t *testing.T, obj client.Object, patch string) {
	t.Helper()
	if err := h.Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatalf("edit %T %s: %v", obj, obj.GetName(), err)
	}
}

// Store is an object store as its users see it.
type Store struct {
	// URL of the store's Service.
	URL string
	// Access and Secret are the keys of a user.
	Access, Secret string
	// Roots of trust, nil for those of the machine.
	Roots *x509.CertPool
}

// StoreOf reads the Secret that a CephObjectStoreUser got.
func (h *Harness) StoreOf(t *testing.T, user *unstructured.Unstructured) Store {
	t.Helper()
	name, _, _ := unstructured.NestedString(user.Object, "status", "info", "secretName")
	secret := &corev1.Secret{}
	if err := h.Get(t.Context(), client.ObjectKey{Namespace: user.GetNamespace(), Name: name}, secret); err != nil {
		t.Fatalf("Secret of user %s: %v", user.GetName(), err)
	}
	return Store{URL: string(secret.Data["Endpoint"]), Access: string(secret.Data["AccessKey"]), Secret: string(secret.Data["SecretKey"])}
}

// Host is the host and the port of the store.
func (s Store) Host() string {
	address, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	if address.Port() != "" {
		return address.Host
	}
	return net.JoinHostPort(address.Hostname(), map[string]string{"http": "80", "https": "443"}[address.Scheme])
}

// base is the URL without the port that goes without saying: HTTP clients leave it
// out of the host that they send, and a signature that names it is void.
func (s Store) base() string {
	for scheme, port := range map[string]string{"http://": ":80", "https://": ":443"} {
		if strings.HasPrefix(s.URL, scheme) {
			return strings.TrimSuffix(s.URL, port)
		}
	}
	return s.URL
}

// Region is what stores call theirs.
const Region = "us-east-1"

// S3 returns a client of the store. It tries nothing twice: stories count what
// fails.
func (h *Harness) S3(store Store) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(store.base()), UsePathStyle: true, Region: Region,
		Credentials: credentials.NewStaticCredentialsProvider(store.Access, store.Secret, ""),
		HTTPClient:  h.HTTP(store), Retryer: aws.NopRetryer{},
	})
}

// HTTP returns a client that finds Services by their names, as a pod does.
func (h *Harness) HTTP(store Store) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         h.dial,
		TLSClientConfig:     &tls.Config{RootCAs: store.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 16,
	}}
}

// dial connects to the address of a Service, which the host reaches through a node.
func (h *Harness) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if name, rest, _ := strings.Cut(host, "."); strings.HasSuffix(host, ".svc") {
		service := &corev1.Service{}
		if err := h.Get(ctx, client.ObjectKey{Namespace: strings.TrimSuffix(rest, ".svc"), Name: name}, service); err != nil {
			return nil, fmt.Errorf("find Service %s: %w", host, err)
		}
		host = service.Spec.ClusterIP
	}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// Shell runs a script in the toolbox.
func (h *Harness) Shell(t *testing.T, script string) (string, error) {
	t.Helper()
	pods := corev1.PodList{}
	if err := h.List(t.Context(), &pods, client.InNamespace(Namespace), client.MatchingLabels{"app": toolbox}); err != nil {
		return "", err
	}
	for i := range pods.Items {
		if Ready(&pods.Items[i]) {
			out, err := h.Exec(t.Context(), &pods.Items[i], []string{"/bin/bash", "-ec", script})
			return string(out), err
		}
	}
	return "", fmt.Errorf("no toolbox is ready")
}
