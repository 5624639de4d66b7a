//go:build e2e

package object

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-ceph/rook-ceph/e2e/harness"
)

const (
	// patience is how long a request is tried again before it counts as lost.
	patience = time.Minute
	// outage is the longest pause that a client may see when one of two gateways
	// dies.
	outage = 20 * time.Second
	// attempt is how long one request may take; whoever talks to a dead gateway
	// hears nothing.
	attempt = 3 * time.Second
)

// loseGateway kills one of two gateways at once, while clients write and read.
func loseGateway(t *testing.T, h *harness.Harness, store harness.Store) {
	running := gateways(t, h)
	if len(running) != 2 {
		t.Fatalf("%d gateways run, want 2", len(running))
	}
	bucket := aws.String("story-load")
	must(t, "make a bucket")(h.S3(store).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))
	before := h.Daemons(t).Without("ceph_daemon_type", "mds")
	load := drive(t, h, store, bucket)
	load.awaitRequests(t, h, 200)
	victim := running[0]
	h.Localkube(t, "exec", "--node", victim.Spec.NodeName, "--", "pkill", "-9", "-f", "radosgw .*--rgw-zone="+name)
	h.Eventually(t, 2*time.Minute, "the gateway is back", func(context.Context) (bool, string) {
		now := gateways(t, h)
		back := slices.ContainsFunc(now, func(pod corev1.Pod) bool {
			return pod.Name == victim.Name && pod.Status.ContainerStatuses[0].RestartCount > victim.Status.ContainerStatuses[0].RestartCount
		})
		return back && len(now) == 2, fmt.Sprintf("%d serve", len(now))
	})
	load.awaitRequests(t, h, 200)
	load.report(t)
	before.AssertUntouched(t, h.Daemons(t), victim.Name)
	empty(t, h.S3(store), bucket)
}

// load is clients that each write an object and read it back, again and again.
type load struct {
	stop func()

	mu       sync.Mutex
	requests int
	retries  int
	lost     []string
	longest  time.Duration
}

// drive starts clients that go on until report. Each finishes what it has begun, so
// that nothing arrives afterwards.
func drive(t *testing.T, h *harness.Harness, store harness.Store, bucket *string) *load {
	ctx, ended := t.Context(), make(chan struct{})
	l := &load{}
	var clients sync.WaitGroup
	for number := range 4 {
		clients.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-ended:
					return
				case <-ctx.Done():
					return
				default:
					l.beat(ctx, h.S3, store, bucket, fmt.Sprintf("client-%d", number), fmt.Sprint(round))
				}
			}
		})
	}
	l.stop = sync.OnceFunc(func() { close(ended); clients.Wait() })
	t.Cleanup(l.stop)
	return l
}

// beat writes and reads back. What fails is tried again with a new connection, as
// clients do whose connection broke.
func (l *load) beat(ctx context.Context, connect func(harness.Store) *s3.Client, store harness.Store, bucket *string, key, want string) {
	began, words := time.Now(), ""
	for time.Since(began) < patience {
		err := once(ctx, connect(store), bucket, key, want)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			l.count(time.Since(began), words)
			return
		}
		words = err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = append(l.lost, words)
}

func once(ctx context.Context, c *s3.Client, bucket *string, key, want string) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(want)}); err != nil {
		return err
	}
	body, err := get(ctx, c, bucket, key)
	if err == nil && body != want {
		return fmt.Errorf("read %q, want %q", body, want)
	}
	return err
}

func (l *load) count(took time.Duration, failed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	l.longest = max(l.longest, took)
	if failed != "" {
		l.retries++
	}
}

func (l *load) awaitRequests(t *testing.T, h *harness.Harness, more int) {
	t.Helper()
	seen := func() int { l.mu.Lock(); defer l.mu.Unlock(); return l.requests }
	before := seen()
	h.Eventually(t, time.Minute, fmt.Sprintf("%d more objects are written and read", more), func(context.Context) (bool, string) {
		return seen() >= before+more, fmt.Sprint(seen() - before)
	})
}

// report ends the load and fails the test when a request was lost.
func (l *load) report(t *testing.T) {
	t.Helper()
	l.stop()
	t.Logf("%d objects were written and read, %d of them at a second attempt or later; the longest took %.1f s",
		l.requests, l.retries, l.longest.Seconds())
	if len(l.lost) > 0 {
		t.Errorf("%d requests were lost, such as: %s", len(l.lost), l.lost[0])
	}
	if l.longest > outage {
		t.Errorf("a client waited for %s, want at most %s", l.longest, outage)
	}
}
