package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/pki"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestIssuedCertificateServesItsHostsAndNoOthers(t *testing.T) {
	directory := t.TempDir()
	authority, err := pki.OpenAuthority(directory, "ca", begin)
	if err != nil {
		t.Fatal(err)
	}
	subject := pki.Subject{
		Name: "system:node:node1", Groups: []string{"system:nodes"}, Hosts: []string{"node1"},
		Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.11")},
	}
	if err := authority.Issue("node1", subject); err != nil {
		t.Fatal(err)
	}
	leaf, roots := read(t, directory, "node1", "ca")
	for host, good := range map[string]bool{"node1": true, "10.0.0.11": true, "node2": false, "10.0.0.12": false} {
		_, err := leaf.Verify(x509.VerifyOptions{
			DNSName: host, Roots: roots, CurrentTime: begin, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		if (err == nil) != good {
			t.Errorf("verify as %s: %v, want good: %t", host, err, good)
		}
	}
	if leaf.Subject.CommonName != subject.Name || len(leaf.Subject.Organization) != 1 || leaf.Subject.Organization[0] != "system:nodes" {
		t.Errorf("subject = %v, want %v", leaf.Subject, subject)
	}
	if leaf.IsCA {
		t.Error("a certificate of a client may sign others")
	}
}

func TestIssueKeepsWhatIsGood(t *testing.T) {
	directory := t.TempDir()
	for range 2 {
		authority, err := pki.OpenAuthority(directory, "ca", begin)
		if err != nil {
			t.Fatal(err)
		}
		if err := authority.Issue("admin", pki.Subject{Name: "admin"}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := os.ReadFile(filepath.Join(directory, "admin.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(directory, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	authority, err := pki.OpenAuthority(directory, "ca", begin)
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Issue("admin", pki.Subject{Name: "admin"}); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(filepath.Join(directory, "admin.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if string(first) == string(second) {
		t.Error("a certificate of a lost authority was kept")
	}
	leaf, roots := read(t, directory, "admin", "ca")
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: begin, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("the new certificate does not verify: %v", err)
	}
}

func TestKeysAreReadableByTheirOwnerOnly(t *testing.T) {
	directory := t.TempDir()
	if _, err := pki.OpenAuthority(directory, "ca", begin); err != nil {
		t.Fatal(err)
	}
	if err := pki.SigningKey(directory, "service-account"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.key", "service-account.key"} {
		info, err := os.Stat(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s = %o, want 600", name, info.Mode().Perm())
		}
	}
}

func read(t *testing.T, directory, leaf, authority string) (*x509.Certificate, *x509.CertPool) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(directory, leaf+".crt"), filepath.Join(directory, leaf+".key"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(directory, authority+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		t.Fatal("the authority is no certificate")
	}
	return pair.Leaf, roots
}
