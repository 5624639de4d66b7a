package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// lifetime outlasts every local cluster; nothing rotates these certificates.
const lifetime = 10 * 365 * 24 * time.Hour

// Subject says whom a certificate is for.
type Subject struct {
	// Name is the common name: the user name for a client.
	Name string
	// Groups are the organizations: the groups of a client.
	Groups []string
	// Hosts are the DNS names of a server.
	Hosts []string
	// Addresses are the IP addresses of a server.
	Addresses []netip.Addr
}

// Authority signs certificates.
type Authority struct {
	directory   string
	name        string
	certificate *x509.Certificate
	key         crypto.Signer
	now         time.Time
}

// OpenAuthority returns the authority name kept in directory, making it when
// there is none. Now is the time that new certificates begin.
func OpenAuthority(directory, name string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("create certificate directory: %w", err)
	}
	authority := &Authority{directory: directory, name: name, now: now}
	certificate, key, err := load(authority.CertificateFile(), filepath.Join(directory, name+".key"))
	if errors.Is(err, os.ErrNotExist) {
		return authority, authority.create()
	}
	authority.certificate, authority.key = certificate, key
	return authority, err
}

// CertificateFile returns the path of the authority's certificate.
func (a *Authority) CertificateFile() string { return filepath.Join(a.directory, a.name+".crt") }

// KeyFile returns the path of the authority's private key.
func (a *Authority) KeyFile() string { return filepath.Join(a.directory, a.name+".key") }

// Issue makes directory/<file>.crt and .key for the subject, valid for clients
// and servers, unless both are there already.
func (a *Authority) Issue(file string, subject Subject) error {
	certificateFile := filepath.Join(a.directory, file+".crt")
	keyFile := filepath.Join(a.directory, file+".key")
	if existing, _, err := load(certificateFile, keyFile); err == nil && existing.CheckSignatureFrom(a.certificate) == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key %s: %w", file, err)
	}
	template, err := a.template(subject)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("sign certificate %s: %w", file, err)
	}
	return save(certificateFile, der, keyFile, key)
}

// SigningKey makes directory/<file>.key and .pub, the pair that signs service
// account tokens, unless it is there already.
func SigningKey(directory, file string) error {
	keyFile := filepath.Join(directory, file+".key")
	if _, err := os.Stat(keyFile); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key %s: %w", file, err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encode key %s: %w", file, err)
	}
	if err := writePEM(filepath.Join(directory, file+".pub"), "PUBLIC KEY", public, 0o644); err != nil {
		return err
	}
	return saveKey(keyFile, key)
}

func (a *Authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key %s: %w", a.name, err)
	}
	template, err := a.template(Subject{Name: "rook-ceph-local-" + a.name})
	if err != nil {
		return err
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("sign authority %s: %w", a.name, err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("read authority %s: %w", a.name, err)
	}
	a.key = key
	return save(a.CertificateFile(), der, a.KeyFile(), key)
}

func (a *Authority) template(subject Subject) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: subject.Name, Organization: subject.Groups},
		NotBefore:             a.now.Add(-time.Hour),
		NotAfter:              a.now.Add(lifetime),
		BasicConstraintsValid: true,
		DNSNames:              subject.Hosts,
	}
	for _, address := range subject.Addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(address.AsSlice()))
	}
	return template, nil
}
