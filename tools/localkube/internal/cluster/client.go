package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// client asks the API server the few things that this tool must know.
type client struct {
	server string
	http   *http.Client
}

func (r *run) client() (*client, error) {
	in := func(name string) string { return filepath.Join(r.cluster.PKI(), name) }
	authority, err := os.ReadFile(in(authorityName + ".crt"))
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	certificate, err := tls.LoadX509KeyPair(in("admin.crt"), in("admin.key"))
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &client{server: r.cluster.Server(), http: &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{certificate},
		}},
	}}, nil
}

func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the API server: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the API server: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the API server for %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the API server for %s: it says %s", path, response.Status)
	}
	return content, nil
}

// ready is nil when the API server serves.
func (c *client) ready(ctx context.Context) error {
	_, err := c.get(ctx, "/readyz")
	return err
}

type nodeList struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Status struct {
			Conditions []nodeCondition `json:"conditions"`
		} `json:"status"`
	} `json:"items"`
}

type nodeCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// nodes returns, for each node, what keeps it from being ready; it is empty
// for a ready one.
func (c *client) nodes(ctx context.Context) (map[string]string, error) {
	content, err := c.get(ctx, "/api/v1/nodes")
	if err != nil {
		return nil, err
	}
	var list nodeList
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	nodes := map[string]string{}
	for _, node := range list.Items {
		nodes[node.Metadata.Name] = "it has not reported"
		for _, condition := range node.Status.Conditions {
			if condition.Type == "Ready" {
				nodes[node.Metadata.Name] = condition.Message
			}
			if condition.Type == "Ready" && condition.Status == "True" {
				nodes[node.Metadata.Name] = ""
			}
		}
	}
	return nodes, nil
}

// reported is nil when every one of the nodes has renewed its lease since it
// was started. What the API server says of a node that was just started again
// is from before.
func (c *client) reported(ctx context.Context, started map[string]time.Time) error {
	if len(started) == 0 {
		return nil
	}
	content, err := c.get(ctx, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec struct {
				RenewTime time.Time `json:"renewTime"`
			} `json:"spec"`
		} `json:"items"`
	}
	if err := json.Unmarshal(content, &list); err != nil {
		return fmt.Errorf("read leases: %w", err)
	}
	renewed := map[string]time.Time{}
	for _, lease := range list.Items {
		renewed[lease.Metadata.Name] = lease.Spec.RenewTime
	}
	for name, since := range started {
		if renewed[name].Before(since) {
			return fmt.Errorf("%s has not reported since it was started", name)
		}
	}
	return nil
}

// working is nil when that many nodes are ready and the DNS serves.
func (c *client) working(ctx context.Context, count int) error {
	nodes, err := c.nodes(ctx)
	if err != nil {
		return err
	}
	if len(nodes) < count {
		return fmt.Errorf("%d of %d nodes are registered", len(nodes), count)
	}
	var waiting []string
	for name, message := range nodes {
		if message != "" {
			waiting = append(waiting, name+": "+message)
		}
	}
	if len(waiting) > 0 {
		return errors.New(strings.Join(waiting, "; "))
	}
	content, err := c.get(ctx, "/apis/apps/v1/namespaces/kube-system/deployments/coredns")
	if err != nil {
		return err
	}
	var deployment struct {
		Status struct {
			Available int `json:"availableReplicas"`
		} `json:"status"`
	}
	if err := json.Unmarshal(content, &deployment); err != nil {
		return fmt.Errorf("read DNS: %w", err)
	}
	if deployment.Status.Available == 0 {
		return errors.New("the DNS pod is not ready: see `kubectl -n kube-system describe pods`")
	}
	return nil
}
