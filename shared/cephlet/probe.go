package cephlet

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"
)

// maxReply bounds a reply of the admin socket; a real one has some kilobytes.
const maxReply = 16 << 20

// ErrNotServing means that the daemon answered, but not as one that serves.
var ErrNotServing = errors.New("daemon does not serve")

// Ask sends one command to an admin socket and returns the reply. The protocol
// is Ceph's AdminSocket: the command as JSON ended by a NUL byte, answered by
// a big-endian 32 bit length and the body.
func Ask(socket, command string, timeout time.Duration, now time.Time) ([]byte, error) {
	conn, err := net.DialTimeout("unix", socket, timeout)
	if err != nil {
		return nil, fmt.Errorf("connect to the admin socket: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(now.Add(timeout)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	request, err := json.Marshal(map[string]string{"prefix": command, "format": "json"})
	if err != nil {
		return nil, fmt.Errorf("encode command %q: %w", command, err)
	}
	if _, err := conn.Write(append(request, 0)); err != nil {
		return nil, fmt.Errorf("send command %q: %w", command, err)
	}
	return readReply(conn)
}

func readReply(r io.Reader) ([]byte, error) {
	var size uint32
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, fmt.Errorf("read length of the reply: %w", err)
	}
	if size > maxReply {
		return nil, fmt.Errorf("read reply: %d bytes are more than the limit of %d", size, maxReply)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read reply of %d bytes: %w", size, err)
	}
	return body, nil
}

// Probe asks the daemon behind the socket (a path, or a pattern that matches
// exactly one) and checks that the reply is JSON. With state, the reply's field
// "state" must not be one of the given ones.
func Probe(pattern, command string, badStates []string, timeout time.Duration, now time.Time) error {
	sockets, err := filepath.Glob(pattern)
	if err != nil || len(sockets) != 1 {
		return fmt.Errorf("find admin socket %s: %d matches, want 1", pattern, len(sockets))
	}
	body, err := Ask(sockets[0], command, timeout, now)
	if err != nil {
		return err
	}
	var reply struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("%w: reply to %q is no JSON", ErrNotServing, command)
	}
	for _, bad := range badStates {
		if reply.State == bad {
			return fmt.Errorf("%w: state is %q", ErrNotServing, reply.State)
		}
	}
	return nil
}
