package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	clocktesting "k8s.io/utils/clock/testing"
)

// server knows two users by token; only the scraper may read.
type server struct {
	authentication.TokenReviewInterface
	broken bool
	asked  int
}

func (s *server) Create(_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	s.asked++
	if s.broken {
		return nil, errors.New("unreachable")
	}
	name := map[string]string{"t1": "scraper", "t2": "stranger"}[review.Spec.Token]
	review.Status.Authenticated, review.Status.User.Username = name != "", name
	return review, nil
}

type rights struct {
	authorization.SubjectAccessReviewInterface
}

func (rights) Create(_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	at := review.Spec.NonResourceAttributes
	review.Status.Allowed = review.Spec.User == "scraper" && at.Path == "/metrics" && at.Verb == "get"
	return review, nil
}

func TestGuard(t *testing.T) {
	now := clocktesting.NewFakeClock(time.Unix(1000, 0))
	api := &server{}
	g := &guard{tokens: api, rights: rights{}, clock: now, verdicts: map[[sha256.Size]byte]verdict{}}
	handler, err := g.wrap(logr.Discard(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	get := func(authorization string, want int) {
		t.Helper()
		request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		request.Header.Set("Authorization", authorization)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("%q: got %d, want %d", authorization, answer.Code, want)
		}
	}
	get("", http.StatusUnauthorized)
	get("Basic t1", http.StatusUnauthorized)
	get("Bearer unknown", http.StatusUnauthorized)
	get("Bearer t2", http.StatusForbidden)
	get("Bearer t1", http.StatusOK)

	asked := api.asked
	get("Bearer t1", http.StatusOK)
	if api.asked != asked {
		t.Error("a fresh verdict was asked for again")
	}
	now.Step(verdictLife + time.Second)
	api.broken = true
	get("Bearer t1", http.StatusInternalServerError)
}
