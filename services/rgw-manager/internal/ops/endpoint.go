package ops

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"strconv"

	api "github.com/rook-ceph/rook-ceph/shared/api/ceph/v1"
	"github.com/rook-ceph/rook-ceph/shared/names"
)

// Endpoint is the URL at which we reach a store from within the cluster, over TLS
// if the store offers it; empty if it listens nowhere. What users are told may
// differ from it.
func Endpoint(store *api.CephObjectStore) string {
	gateway := &store.Spec.Gateway
	switch {
	case gateway.SecurePort != 0:
		return "https://" + net.JoinHostPort(Host(store), strconv.Itoa(int(gateway.SecurePort)))
	case gateway.Port != 0:
		return "http://" + net.JoinHostPort(Host(store), strconv.Itoa(int(gateway.Port)))
	}
	return ""
}

// Host is the name at which we reach a store: its Service, or the first external
// gateway if that has a host name, which no Service can point to.
func Host(store *api.CephObjectStore) string {
	if store.Spec.Gateway.External() {
		first := store.Spec.Gateway.ExternalRGWEndpoints[0]
		if first.Hostname != "" {
			return first.Hostname
		}
		if net.ParseIP(first.IP) == nil {
			return first.IP
		}
	}
	return fmt.Sprintf("%s.%s.svc", names.RGW(store.Name), store.Namespace)
}

// trust is whom we believe to be the store.
type trust struct {
	// roots sign certificates; nil are those of the system.
	roots *x509.CertPool
	// pinned are the store's own certificates. Who shows one of them is the store,
	// whatever names it holds: those are often the public ones only.
	pinned []*x509.Certificate
}

// trusting reads PEM of the store's certificate and of further roots.
func trusting(own, bundle []byte) (trust, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // an image without any
	}
	t := trust{roots: roots}
	roots.AppendCertsFromPEM(bundle)
	for block, rest := pem.Decode(own); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return trust{}, fmt.Errorf("parse certificate: %w", err)
		}
		t.pinned = append(t.pinned, cert)
		if cert.IsCA {
			roots.AddCert(cert)
		}
	}
	return t, nil
}

// config accepts the store's own certificate, and any other that is valid for the
// name we called.
func (t trust) config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		RootCAs:            t.roots,
		InsecureSkipVerify: true, // VerifyConnection does it, and knows the store's own certificate
		VerifyConnection:   t.verify,
	}
}

func (t trust) verify(seen tls.ConnectionState) error {
	shown := seen.PeerCertificates
	for _, pinned := range t.pinned {
		if bytes.Equal(pinned.Raw, shown[0].Raw) {
			return nil
		}
	}
	between := x509.NewCertPool()
	for _, cert := range shown[1:] {
		between.AddCert(cert)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: between, DNSName: seen.ServerName})
	return err
}
