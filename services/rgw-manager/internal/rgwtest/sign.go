package rgwtest

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const unsigned = "UNSIGNED-PAYLOAD"

// authenticate finds out who signed a request, or why nobody did.
func (g *Gateway) authenticate(r *http.Request) (*user, *reply) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if len(scope) != 5 || err != nil {
		return nil, denied("AccessDenied")
	}
	who, secret := g.holder(scope[0])
	if who == nil {
		return nil, denied("InvalidAccessKeyId")
	}
	again := &http.Request{Method: r.Method, Host: r.Host, URL: r.URL, Header: http.Header{}}
	for name := range strings.SplitSeq(parts["SignedHeaders"], ";") {
		if name == "content-length" {
			again.ContentLength = r.ContentLength
		} else if values := r.Header.Values(name); len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		payload = unsigned
	}
	keys := aws.Credentials{AccessKeyID: scope[0], SecretAccessKey: secret}
	err = v4.NewSigner().SignHTTP(r.Context(), keys, again, payload, scope[3], scope[2], at,
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err != nil || !strings.HasSuffix(again.Header.Get("Authorization"), "Signature="+parts["Signature"]) {
		return nil, denied("SignatureDoesNotMatch")
	}
	return who, nil
}

func denied(code string) *reply {
	answer := refuse(http.StatusForbidden, code)
	return &answer
}

// holder finds the user with an access key.
func (g *Gateway) holder(access string) (*user, string) {
	for _, one := range g.users {
		for _, key := range one.keys {
			if key.AccessKey == access {
				return one, key.SecretKey
			}
		}
	}
	return nil, ""
}
