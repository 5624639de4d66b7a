package ceph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
)

// Client has one typed call per Ceph command that this project uses. The zero
// value is not usable; wrap a Conn: ceph.Client{Conn: conn}.
type Client struct {
	Conn
}

// Confirmation is the answer to Ceph's "yes i really mean it" questions.
type Confirmation int

const (
	// Unconfirmed lets Ceph refuse what it finds dangerous.
	Unconfirmed Confirmation = iota
	// Really tells Ceph that the caller knows the danger.
	Really
)

type arguments map[string]any

// confirm adds the named flag when the caller confirmed.
func (a arguments) confirm(flag string, answer Confirmation) arguments {
	if answer == Really {
		a[flag] = true
	}
	return a
}

// with adds the argument unless it is the zero value of its type.
func with[T comparable](a arguments, name string, value T) {
	var zero T
	if value != zero {
		a[name] = value
	}
}

type sender func(context.Context, Command) (Reply, error)

// do sends a command whose reply body is of no interest.
func do(ctx context.Context, send sender, prefix string, args arguments) error {
	_, err := raw(ctx, send, Command{Prefix: prefix, Args: args})
	return err
}

// ask sends a command and decodes its JSON reply.
func ask[T any](ctx context.Context, send sender, prefix string, args arguments) (T, error) {
	return askWith[T](ctx, send, Command{Prefix: prefix, Args: args})
}

func askWith[T any](ctx context.Context, send sender, cmd Command) (T, error) {
	var result T
	reply, err := raw(ctx, send, cmd)
	if err != nil {
		return result, err
	}
	if err := decode(reply.Body, &result); err != nil {
		return result, fmt.Errorf("decode reply of %q: %w", cmd.Prefix, err)
	}
	return result, nil
}

// askRefusal is ask for commands that explain a refusal in their body.
func askRefusal[T any](ctx context.Context, send sender, prefix string, args arguments) (T, error) {
	var result T
	reply, err := raw(ctx, send, Command{Prefix: prefix, Args: args})
	if err != nil {
		if decode(reply.Body, &result) != nil {
			var none T
			return none, err
		}
		return result, err
	}
	if err := decode(reply.Body, &result); err != nil {
		return result, fmt.Errorf("decode reply of %q: %w", prefix, err)
	}
	return result, nil
}

func raw(ctx context.Context, send sender, cmd Command) (Reply, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	return send(ctx, cmd)
}

var errEmptyReply = errors.New("empty reply")

// decode reads a JSON reply. An empty body is an error, so that silence never
// reads as an empty cluster. Some daemons print bare nan and inf, which JSON
// does not know; they read as null.
func decode(body []byte, into any) error {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return errEmptyReply
	}
	err := json.Unmarshal(body, into)
	var syntax *json.SyntaxError
	if err == nil || !errors.As(err, &syntax) {
		return err
	}
	scrubbed, found := scrub(body)
	if !found {
		return err
	}
	return json.Unmarshal(scrubbed, into)
}

// scrub replaces bare nan, -nan, inf and -inf outside of strings by null.
func scrub(body []byte) ([]byte, bool) {
	out := make([]byte, 0, len(body))
	found, quoted := false, false
	for i := 0; i < len(body); {
		c := body[i]
		if quoted {
			n := 1
			if c == '\\' && i+1 < len(body) {
				n = 2
			}
			quoted = c != '"'
			out = append(out, body[i:i+n]...)
			i += n
			continue
		}
		if n := notANumber(body[i:]); n > 0 {
			out, found = append(out, "null"...), true
			i += n
			continue
		}
		quoted = c == '"'
		out = append(out, c)
		i++
	}
	return out, found
}

func notANumber(rest []byte) int {
	for _, word := range []string{"-nan", "nan", "-inf", "inf"} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return len(word)
		}
	}
	return 0
}

// found turns "not found" into false.
func found(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// plainText reads a reply that is one line of text or one JSON scalar,
// depending on the command and the release.
func plainText(body []byte) string {
	body = bytes.TrimSpace(body)
	var text string
	if len(body) > 0 && body[0] == '"' && json.Unmarshal(body, &text) == nil {
		return text
	}
	return string(body)
}

// pairs lists "key=value" in order of the keys.
func pairs(values map[string]string) []string {
	list := make([]string, 0, len(values))
	for key, value := range values {
		list = append(list, key+"="+value)
	}
	sort.Strings(list)
	return list
}
