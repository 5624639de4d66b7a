package ops

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const (
	// deadline bounds one request with its reply.
	deadline = 15 * time.Second
	// dialDeadline bounds connecting.
	dialDeadline = 5 * time.Second
	// idle is how long a connection waits for another request.
	idle = 30 * time.Second
	// perStore bounds the connections to one store, so that a controller with many
	// users does not take its threads from clients.
	perStore = 16
	// maxRefusal bounds what is read of a refusal.
	maxRefusal = 64 << 10
)

// requests times every request to a gateway, by kind and result.
var requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "rook_ceph_gateway_request_duration_seconds",
	Help:    "Time from sending a request to a gateway to its reply.",
	Buckets: []float64{.001, .0025, .005, .01, .05, .25, 1, 5, 15},
}, []string{"request", "result"})

func init() { metrics.Registry.MustRegister(requests) }

// transport keeps a few connections to one store open.
func transport(config *tls.Config) http.RoundTripper {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialDeadline, KeepAlive: idle}).DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: dialDeadline,
		MaxConnsPerHost:     perStore,
		MaxIdleConnsPerHost: perStore,
		IdleConnTimeout:     idle,
	}
}

// meter times requests on their way.
type meter struct {
	next  http.RoundTripper
	clock clock.PassiveClock
}

// RoundTrip sends one request.
func (m meter) RoundTrip(request *http.Request) (*http.Response, error) {
	began := m.clock.Now()
	reply, err := m.next.RoundTrip(request)
	requests.WithLabelValues(label(request), result(reply, err)).Observe(m.clock.Since(began).Seconds())
	return reply, err
}

// CloseIdleConnections lets go of connections that nobody uses.
func (m meter) CloseIdleConnections() {
	if next, can := m.next.(interface{ CloseIdleConnections() }); can {
		next.CloseIdleConnections()
	}
}

// label names the kind of a request, with few values and no names of anything.
func label(request *http.Request) string {
	const admin = "/admin/"
	if path, is := strings.CutPrefix(request.URL.Path, admin); is {
		kind, _, _ := strings.Cut(path, "/")
		for _, part := range []string{"key", "caps", "quota"} {
			if query := request.URL.Query(); query.Has(part) {
				kind += " " + part
			}
		}
		return request.Method + " admin " + kind
	}
	switch bucket, object, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/"); {
	case object != "":
		return request.Method + " object"
	case bucket != "":
		return request.Method + " bucket"
	}
	return request.Method + " service"
}

func result(reply *http.Response, err error) string {
	switch {
	case err != nil, reply.StatusCode >= http.StatusInternalServerError:
		return "unreachable"
	case reply.StatusCode >= http.StatusMultipleChoices:
		return "refused"
	}
	return "ok"
}

// admins sends Admin Ops requests. It turns silence and refusals into our errors
// before the library below quotes what was sent.
type admins struct {
	http *http.Client
	// failed is told of every error.
	failed func(error)
}

// Do sends one request and reads its reply.
func (a admins) Do(request *http.Request) (*http.Response, error) {
	reply, err := a.http.Do(request)
	if err != nil {
		return nil, a.fail(silence(err))
	}
	if reply.StatusCode < http.StatusMultipleChoices {
		body, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil {
			return nil, a.fail(silence(err))
		}
		reply.Body = io.NopCloser(bytes.NewReader(body))
		return reply, nil
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxRefusal))
	if err != nil {
		return nil, a.fail(silence(err))
	}
	return nil, a.fail(refusal(reply.StatusCode, body))
}

func (a admins) fail(err *Error) error {
	a.failed(err)
	return err
}

// lost tells whether an error may mean that we hold keys or certificates of
// yesterday.
func lost(err error) bool {
	return errors.Is(err, ErrDenied) || errors.Is(err, ErrUnreachable)
}
