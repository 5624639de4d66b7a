package cephtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"

	"github.com/rook-ceph/rook-ceph/shared/ceph"
)

const (
	errPerm         = syscall.EPERM
	errNoEntry      = syscall.ENOENT
	errAgain        = syscall.EAGAIN
	errAccess       = syscall.EACCES
	errBusy         = syscall.EBUSY
	errExists       = syscall.EEXIST
	errInvalid      = syscall.EINVAL
	errNotEmpty     = syscall.ENOTEMPTY
	errTimedOut     = syscall.ETIMEDOUT
	errNotSupported = syscall.EOPNOTSUPP
	mgrReadyWait    = "no active mgr"
)

type target string

const (
	toMon target = "mon"
	toMgr target = "mgr"
)

// command is one entry of the fake's command table. Its signature lists the
// arguments as "name:type", with "?" after optional ones.
type command struct {
	to        target
	writes    bool
	signature string
	run       func(*call) (any, error)
}

// call is one command being served: its checked arguments and its input.
type call struct {
	*Cluster
	args   map[string]any
	input  []byte
	status string
}

// text is a reply body that is not JSON.
type text []byte

func (c *call) str(name string) string {
	value, _ := c.args[name].(string)
	return value
}

func (c *call) flag(name string) bool {
	value, _ := c.args[name].(bool)
	return value
}

func (c *call) has(name string) bool {
	_, ok := c.args[name]
	return ok
}

func (c *call) integer(name string) int {
	number, _ := c.args[name].(json.Number)
	value, _ := number.Int64()
	return int(value)
}

func (c *call) float(name string) float64 {
	number, _ := c.args[name].(json.Number)
	value, _ := number.Float64()
	return value
}

func (c *call) list(name string) []string {
	values, _ := c.args[name].([]any)
	list := make([]string, 0, len(values))
	for _, value := range values {
		item, _ := value.(string)
		list = append(list, item)
	}
	return list
}

// refuse is the error of a command that Ceph would answer with this errno.
func refuse(errno syscall.Errno, format string, args ...any) error {
	return ceph.NewError("", int(errno), fmt.Sprintf(format, args...))
}

func (c *Cluster) serve(to target, cmd ceph.Command) (ceph.Reply, error) {
	c.runBefore(cmd.Prefix)
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, known := commands()[cmd.Prefix]
	c.log = append(c.log, Entry{Target: string(to), Command: cmd, Write: entry.writes})
	if !known {
		c.t.Errorf("cephtest: unknown command %q to the %s", cmd.Prefix, to)
		return ceph.Reply{}, ceph.NewError(cmd.Prefix, int(errInvalid), "command not known")
	}
	if err := c.available(to, cmd.Prefix, entry); err != nil {
		return ceph.Reply{}, err
	}
	if err := c.takeFault(cmd.Prefix); err != nil {
		return ceph.Reply{}, fmt.Errorf("%s: %w", cmd.Prefix, err)
	}
	args, err := checkArguments(cmd, entry.signature)
	if err != nil {
		c.t.Errorf("cephtest: %v", err)
		return ceph.Reply{}, ceph.NewError(cmd.Prefix, int(errInvalid), err.Error())
	}
	reply, err := c.run(entry, cmd, args)
	if c.takeLostReply(cmd.Prefix) {
		return ceph.Reply{}, ceph.NewError(cmd.Prefix, int(errTimedOut), "reply lost")
	}
	return reply, err
}

// available checks that somebody is there to answer. A command of the mgr
// sent to a mon is forwarded, as real mons do.
func (c *Cluster) available(to target, prefix string, entry command) error {
	if !c.mons.hasQuorum() {
		return ceph.NewError(prefix, int(errTimedOut), "")
	}
	if to == toMgr && entry.to == toMon {
		c.t.Errorf("cephtest: command %q belongs to the mons but was sent to the mgr", prefix)
		return ceph.NewError(prefix, int(errInvalid), "command not known")
	}
	if entry.to == toMgr && c.mgrs.active == "" {
		return fmt.Errorf("%s: %w: %s", prefix, ceph.ErrUnreachable, mgrReadyWait)
	}
	return nil
}

func (c *Cluster) run(entry command, cmd ceph.Command, args map[string]any) (ceph.Reply, error) {
	served := &call{Cluster: c, args: args, input: cmd.Input}
	result, err := entry.run(served)
	reply := ceph.Reply{Status: served.status}
	switch body := result.(type) {
	case nil:
	case text:
		reply.Body = body
	default:
		encoded, encodeErr := json.Marshal(body)
		if encodeErr != nil {
			c.t.Errorf("cephtest: encode reply of %q: %v", cmd.Prefix, encodeErr)
		}
		reply.Body = encoded
	}
	if refused, ok := err.(*ceph.Error); ok { //nolint:errorlint // refuse() makes it, unwrapped
		refused.Prefix = cmd.Prefix
		reply.Status = refused.Status
		return reply, refused
	}
	return reply, err
}

// checkArguments reads the arguments off the wire format and checks them as a
// mon does: no unknown names, none missing, and the right JSON types.
func checkArguments(cmd ceph.Command, signature string) (map[string]any, error) {
	body, err := cmd.Encode()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	args := map[string]any{}
	if err := decoder.Decode(&args); err != nil {
		return nil, fmt.Errorf("decode command %q: %w", cmd.Prefix, err)
	}
	delete(args, "prefix")
	delete(args, "format")
	expected := map[string]bool{}
	for _, field := range strings.Fields(signature) {
		name, kind, _ := strings.Cut(field, ":")
		kind, optional := strings.CutSuffix(kind, "?")
		expected[name] = true
		value, given := args[name]
		if !given && !optional {
			return nil, fmt.Errorf("command %q lacks argument %q", cmd.Prefix, name)
		}
		if given && !isKind(value, kind) {
			return nil, fmt.Errorf("command %q: argument %q is not of type %s", cmd.Prefix, name, kind)
		}
	}
	for name := range args {
		if !expected[name] {
			return nil, fmt.Errorf("command %q has unknown argument %q", cmd.Prefix, name)
		}
	}
	return args, nil
}

func isKind(value any, kind string) bool {
	switch typed := value.(type) {
	case string:
		return kind == "str"
	case bool:
		return kind == "bool"
	case json.Number:
		isFloat := strings.ContainsAny(typed.String(), ".e")
		return kind == "float" && isFloat || kind == "int" && !isFloat
	case []any:
		return kind == "list" && len(typed) > 0
	}
	return false
}
