package testenv

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	startTimeout = 90 * time.Second
	stopTimeout  = 20 * time.Second
	dirPrefix    = "rook-ceph-testenv-"
)

// server is one etcd and one kube-apiserver with their directory.
type server struct {
	dir       string
	token     string
	etcd      *process
	apiserver *process
	config    *rest.Config
}

// startServer starts both programs and waits until the API server is ready. On
// failure nothing stays behind.
func startServer(ctx context.Context) (*server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	sweep(os.TempDir())
	dir, err := os.MkdirTemp("", dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, fmt.Errorf("create directory of the API server: %w", err)
	}
	s := &server{dir: dir}
	if err := s.start(ctx, bin); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) start(ctx context.Context, bin binaries) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	if err := s.writeSecrets(); err != nil {
		return err
	}
	etcdURL := "http://127.0.0.1:" + ports[0]
	if s.etcd, err = startProcess(bin.etcd, s.dir,
		"--data-dir="+filepath.Join(s.dir, "etcd"), "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls=http://127.0.0.1:"+ports[1]); err != nil {
		return err
	}
	if s.apiserver, err = startProcess(bin.apiserver, s.dir, s.apiserverFlags(etcdURL, ports[2])...); err != nil {
		return err
	}
	s.config = &rest.Config{
		Host:            "https://127.0.0.1:" + ports[2],
		BearerToken:     s.token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(s.dir, "certs", "apiserver.crt")},
		QPS:             -1,
	}
	return s.awaitReady(ctx)
}

func (s *server) apiserverFlags(etcdURL, port string) []string {
	key := filepath.Join(s.dir, "service-account.key")
	return []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + port,
		"--cert-dir=" + filepath.Join(s.dir, "certs"),
		"--token-auth-file=" + filepath.Join(s.dir, "tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--service-cluster-ip-range=10.0.0.0/24",
		"--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true",
		"--shutdown-delay-duration=0s",
		"--v=0",
	}
}

// writeSecrets makes the administrator's token and the service account key.
func (s *server) writeSecrets() error {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("make token: %w", err)
	}
	s.token = hex.EncodeToString(random)
	tokens := s.token + `,testenv-admin,testenv-admin,"system:masters"` + "\n"
	if err := os.WriteFile(filepath.Join(s.dir, "tokens.csv"), []byte(tokens), 0o600); err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make service account key: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if err := os.WriteFile(filepath.Join(s.dir, "service-account.key"), pem.EncodeToMemory(block), 0o600); err != nil {
		return fmt.Errorf("write service account key: %w", err)
	}
	return nil
}

// awaitReady waits for /readyz. It fails at once if a program has ended.
func (s *server) awaitReady(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		for _, p := range []*process{s.etcd, s.apiserver} {
			if p.ended() {
				return false, p.failure()
			}
		}
		last = s.ready(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the API server: %w (last: %w)\n%s", err, last, s.apiserver.tail())
	}
	return nil
}

func (s *server) ready(ctx context.Context) error {
	if _, err := os.Stat(s.config.CAFile); err != nil {
		return err
	}
	clientset, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return err
	}
	body, err := clientset.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(body))
	}
	return nil
}

// stop ends both programs, the API server first, and removes their directory.
func (s *server) stop() error {
	var errs []error
	for _, p := range []*process{s.apiserver, s.etcd} {
		if p != nil {
			errs = append(errs, p.stop(stopTimeout))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// freePorts gives ports of loopback that nobody listened on a moment ago.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find free port: %w", err)
		}
		defer func() { _ = l.Close() }()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("find free port: %w", err)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// sweep removes the directories of test binaries that were killed.
func sweep(tmp string) {
	dirs, err := filepath.Glob(filepath.Join(tmp, dirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}
