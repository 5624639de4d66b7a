package gateway

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Keys of Secrets with certificates.
const (
	keyPEM    = "cert"
	keyBundle = "cabundle"
)

// Where certificates are inside the container.
const (
	certificateDir  = "/etc/ceph/private"
	certificateFile = certificateDir + "/rgw-cert.pem"
	privateKeyFile  = certificateDir + "/rgw-key.pem"
)

// Certificate is what a pod needs to know of a Secret with a certificate.
type Certificate struct {
	// Secret is its name; empty for none.
	Secret string
	// KeyApart tells that the private key has a file of its own.
	KeyApart bool
	// Print changes with the content.
	Print string
}

// ReadCertificate looks at a Secret with a certificate. Missing names the key that
// it lacks, or is empty.
func ReadCertificate(secret *corev1.Secret) (certificate Certificate, missing string) {
	certificate = Certificate{Secret: secret.Name}
	if len(secret.Data[keyPEM]) > 0 {
		certificate.Print = Fingerprint(map[string]string{keyPEM: string(secret.Data[keyPEM])})
		return certificate, ""
	}
	certificate.KeyApart = true
	content := map[string]string{}
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(secret.Data[key]) == 0 {
			if secret.Type != corev1.SecretTypeTLS && len(secret.Data[corev1.TLSCertKey]) == 0 {
				key = keyPEM
			}
			return certificate, key
		}
		content[key] = string(secret.Data[key])
	}
	certificate.Print = Fingerprint(content)
	return certificate, ""
}

// ReadBundle looks at a Secret with further roots of trust. Missing names the key
// that it lacks, or is empty.
func ReadBundle(secret *corev1.Secret) (bundle Certificate, missing string) {
	if len(secret.Data[keyBundle]) == 0 {
		return Certificate{}, keyBundle
	}
	return Certificate{Secret: secret.Name, Print: Fingerprint(map[string]string{keyBundle: string(secret.Data[keyBundle])})}, ""
}

// volume mounts the Secret as the files that a gateway reads. It does so before it
// becomes the ceph user; nobody else runs in the pod.
func (c Certificate) volume() *corev1ac.VolumeApplyConfiguration {
	source := corev1ac.SecretVolumeSource().WithSecretName(c.Secret).WithDefaultMode(readable)
	if c.KeyApart {
		source.WithItems(
			corev1ac.KeyToPath().WithKey(corev1.TLSCertKey).WithPath("rgw-cert.pem"),
			corev1ac.KeyToPath().WithKey(corev1.TLSPrivateKeyKey).WithPath("rgw-key.pem"))
	} else {
		source.WithItems(corev1ac.KeyToPath().WithKey(keyPEM).WithPath("rgw-cert.pem"))
	}
	return corev1ac.Volume().WithName(volumeCertificate).WithSecret(source)
}
