package rgwtest

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
)

// reply is what is answered: a value in JSON for an administrator and in XML for
// others, or a refusal.
type reply struct {
	status int
	code   string
	body   any
	header http.Header
	raw    []byte
}

func refuse(status int, code string) reply { return reply{status: status, code: code} }

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// done has nothing to say.
func done(status int) reply { return reply{status: status} }

type refusal struct {
	XMLName   xml.Name `xml:"Error" json:"-"`
	Code      string   `json:"Code"`
	RequestID string   `xml:"RequestId" json:"RequestId"`
}

func (a reply) write(w http.ResponseWriter, administrator bool) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	body := a.body
	if a.code != "" {
		body = refusal{Code: a.code, RequestID: "tx1"}
	}
	text := a.raw
	switch {
	case body == nil:
	case administrator:
		text, _ = json.Marshal(body)
	default:
		text, _ = xml.Marshal(body)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(text)
}

// Kind names the kind of a request, as the metrics of our client do.
func Kind(r *http.Request) string {
	if path, is := strings.CutPrefix(r.URL.Path, "/admin/"); is {
		kind, _, _ := strings.Cut(path, "/")
		for _, part := range []string{"key", "caps", "quota"} {
			if r.URL.Query().Has(part) {
				kind += " " + part
			}
		}
		return r.Method + " admin " + kind
	}
	kind := r.Method + " service"
	switch bucket, object, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
	case object != "":
		kind = r.Method + " object"
	case bucket != "":
		kind = r.Method + " bucket"
	}
	for _, part := range []string{"delete", "lifecycle", "policy", "uploads", "versioning", "versions"} {
		if r.URL.Query().Has(part) {
			kind += " " + part
		}
	}
	return kind
}

// fault is what goes wrong with a request of a kind.
type fault struct {
	kind string
	// acts tells whether the request is carried out, and only its reply lost.
	acts   bool
	status int
	code   string
}

func (f *fault) answer(w http.ResponseWriter) {
	if f.status == 0 {
		hangUp(w)
		return
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, `{"Code":"`+f.code+`"}`)
}

func hangUp(w http.ResponseWriter) {
	hijacker, can := w.(http.Hijacker)
	if !can {
		return
	}
	if conn, _, err := hijacker.Hijack(); err == nil {
		conn.Close()
	}
}

// FailNext refuses the next request of a kind.
func (g *Gateway) FailNext(kind string, status int, code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, &fault{kind: kind, status: status, code: code})
}

// LoseReply carries the next request of a kind out, and hangs up in place of the
// reply.
func (g *Gateway) LoseReply(kind string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, &fault{kind: kind, acts: true})
}

// Stop makes the gateway hang up on everybody, until Start.
func (g *Gateway) Stop() { g.setDown(true) }

// Start makes the gateway answer again.
func (g *Gateway) Start() { g.setDown(false) }

func (g *Gateway) setDown(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

func (g *Gateway) takeFault(kind string) *fault {
	for i, f := range g.faults {
		if f.kind == kind {
			g.faults = append(g.faults[:i], g.faults[i+1:]...)
			return f
		}
	}
	return nil
}
