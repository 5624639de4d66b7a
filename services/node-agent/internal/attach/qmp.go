package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// qmpTimeout bounds one conversation with the storage daemon.
const qmpTimeout = 30 * time.Second

type qmpReply struct {
	Greeting json.RawMessage `json:"QMP"`
	Return   json.RawMessage `json:"return"`
	Error    *struct {
		Class       string `json:"class"`
		Description string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
}

// command sends one command to a storage daemon over its monitor socket.
func command(ctx context.Context, socket, name string, arguments map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, qmpTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("reach storage daemon: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("reach storage daemon: %w", err)
		}
	}
	replies, orders := json.NewDecoder(conn), json.NewEncoder(conn)
	for _, order := range []map[string]any{
		{"execute": "qmp_capabilities"},
		{"execute": name, "arguments": arguments},
	} {
		if order["arguments"] == nil || len(arguments) == 0 {
			delete(order, "arguments")
		}
		if err := orders.Encode(order); err != nil {
			return fmt.Errorf("send %s to storage daemon: %w", order["execute"], err)
		}
		if err := answer(replies); err != nil {
			return fmt.Errorf("%s of storage daemon: %w", order["execute"], err)
		}
	}
	return nil
}

// answer skips the greeting and events.
func answer(replies *json.Decoder) error {
	for {
		var reply qmpReply
		if err := replies.Decode(&reply); err != nil {
			return err
		}
		switch {
		case reply.Error != nil:
			return fmt.Errorf("%s: %s", reply.Error.Class, reply.Error.Description)
		case reply.Return != nil:
			return nil
		}
	}
}
