package plugin_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/rook-ceph/rook-ceph/services/node-agent/internal/plugin"
)

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) add(prefix, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(prefix + text + "\n")
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestStart_serves_beside_a_record_that_cannot_be_read(t *testing.T) {
	t.Parallel()
	for name, driver := range map[string]func(plugin.Options) *plugin.Plugin{"RBD": plugin.RBD, "CephFS": plugin.CephFS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servesBesideTornRecord(t, driver)
		})
	}
}

func servesBesideTornRecord(t *testing.T, driver func(plugin.Options) *plugin.Plugin) {
	t.Helper()
	// Not t.TempDir: the path of a socket is limited to 107 bytes.
	dir, err := os.MkdirTemp("", "plugin-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	torn := filepath.Join(dir, "plugins", "test", "attached", "0123456789abcdef")
	if err := os.MkdirAll(torn, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(torn, "attachment.json"), []byte(`{"volumeID": "to`), 0o600); err != nil {
		t.Fatal(err)
	}
	logged := &lines{}
	p := driver(plugin.Options{Node: "n1", Driver: "test", Kubelet: dir, Log: funcr.New(logged.add, funcr.Options{})})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Start(ctx) }()
	awaitSocket(t, plugin.Socket(dir, "test"), ended)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), torn) {
		t.Errorf("the record is not named in the log:\n%s", logged)
	}
}

func awaitSocket(t *testing.T, path string, ended chan error) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("ended: %v", err)
		case <-deadline:
			t.Fatal("no socket in 10 seconds")
		case <-tick.C:
		}
	}
}
