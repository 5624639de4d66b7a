package harness

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

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
		HTTPClient:  h.HTTP(store), Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 10, 100*time.Millisecond, ratelimit.None
			o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(cutOff)}
		}),
	})
}

// cutOff tells of answers that were cut off, and that a client asks for again: gateways
// may refuse a request before they have read all of it, and then end the connection. What
// a gateway that is not there does to a request is not tried again.
func cutOff(err error) aws.Ternary {
	var answer *smithy.DeserializationError
	var connection *net.OpError
	return aws.BoolTernary(errors.As(err, &answer) || errors.As(err, &connection) && connection.Op != "dial")
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
	out, err := h.Toolbox(t.Context(), "/bin/bash", "-ec", script)
	return string(out), err
}
