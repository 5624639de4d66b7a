package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// verdictLife is how long an answer of the API server is believed.
const verdictLife = time.Minute

// maxVerdicts bounds the memory that strangers with made-up tokens can take.
const maxVerdicts = 256

// guard lets through who may read the metrics: it asks the API server whose the
// token is (TokenReview) and whether they may GET the path (SubjectAccessReview).
// The guard of controller-runtime does the same through the API server's own
// libraries, which cost more memory than a whole service may use.
type guard struct {
	tokens authentication.TokenReviewInterface
	rights authorization.SubjectAccessReviewInterface
	clock  clock.Clock

	mu       sync.Mutex
	verdicts map[[sha256.Size]byte]verdict
}

// verdict is the status to answer with, 200 when the request may pass.
type verdict struct {
	status  int
	expires time.Time
}

func newGuard(config *rest.Config, httpClient *http.Client) (metricsserver.Filter, error) {
	tokens, err := authentication.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make client for token reviews: %w", err)
	}
	rights, err := authorization.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make client for access reviews: %w", err)
	}
	g := &guard{tokens: tokens.TokenReviews(), rights: rights.SubjectAccessReviews(), clock: clock.RealClock{},
		verdicts: map[[sha256.Size]byte]verdict{}}
	return g.wrap, nil
}

// wrap implements metricsserver.Filter.
func (g *guard) wrap(log logr.Logger, next http.Handler) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := g.judge(r)
		if err != nil {
			log.Error(err, "cannot check a metrics request")
		}
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}

func (g *guard) judge(r *http.Request) (int, error) {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found || token == "" {
		return http.StatusUnauthorized, nil
	}
	key := sha256.Sum256([]byte(token + "\x00" + r.URL.Path))
	if status, known := g.recall(key); known {
		return status, nil
	}
	status, err := g.ask(r.Context(), token, r.URL.Path)
	if err != nil {
		return http.StatusInternalServerError, err
	}
	g.remember(key, status)
	return status, nil
}

func (g *guard) ask(ctx context.Context, token, path string) (int, error) {
	review, err := g.tokens.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return 0, fmt.Errorf("review token: %w", err)
	}
	if !review.Status.Authenticated {
		return http.StatusUnauthorized, nil
	}
	user := review.Status.User
	access, err := g.rights.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: "get"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return 0, fmt.Errorf("review access of %s: %w", user.Username, err)
	}
	if !access.Status.Allowed {
		return http.StatusForbidden, nil
	}
	return http.StatusOK, nil
}

func (g *guard) recall(key [sha256.Size]byte) (int, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, known := g.verdicts[key]
	return v.status, known && g.clock.Now().Before(v.expires)
}

func (g *guard) remember(key [sha256.Size]byte, status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.verdicts) >= maxVerdicts {
		clear(g.verdicts)
	}
	g.verdicts[key] = verdict{status: status, expires: g.clock.Now().Add(verdictLife)}
}
