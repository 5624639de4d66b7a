package cephlet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// serve answers every command on a new admin socket with reply and returns the
// socket's path.
func serve(t *testing.T, reply string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ceph-mon.a.asok")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := bufio.NewReader(conn).ReadBytes(0); err == nil {
				_ = binary.Write(conn, binary.BigEndian, uint32(len(reply)))
				_, _ = conn.Write([]byte(reply))
			}
			conn.Close()
		}
	}()
	return path
}

func TestProbe(t *testing.T) {
	probe := func(path string, bad ...string) error {
		return Probe(path, "mon_status", bad, time.Second, time.Now())
	}
	t.Run("passes when the daemon answers", func(t *testing.T) {
		if err := probe(serve(t, `{"state":"peon"}`), "probing"); err != nil {
			t.Error(err)
		}
	})
	t.Run("fails in an unwanted state", func(t *testing.T) {
		if err := probe(serve(t, `{"state":"probing"}`), "probing"); !errors.Is(err, ErrNotServing) {
			t.Errorf("got %v, want %v", err, ErrNotServing)
		}
	})
	t.Run("fails when the reply is no JSON", func(t *testing.T) {
		if err := probe(serve(t, `ERROR`)); !errors.Is(err, ErrNotServing) {
			t.Errorf("got %v, want %v", err, ErrNotServing)
		}
	})
	t.Run("fails when there is no socket", func(t *testing.T) {
		if err := probe(filepath.Join(t.TempDir(), "*.asok")); err == nil {
			t.Error("got nil")
		}
	})
	t.Run("finds the only socket of a pattern", func(t *testing.T) {
		if err := probe(filepath.Join(filepath.Dir(serve(t, `{}`)), "*.asok")); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReadReply(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := readReply(bytes.NewReader(data))
		if err == nil && len(body) > len(data) {
			t.Errorf("a reply of %d bytes came out of %d", len(body), len(data))
		}
	})
}
