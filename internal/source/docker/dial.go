package docker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/moby/moby/client"
)

// dial makes a client of the engine at e. Nothing is asked yet.
func dial(e Endpoint) (*client.Client, error) {
	var options []client.Opt
	if e.TLS != nil {
		config, err := e.TLS.config()
		if err != nil {
			return nil, fmt.Errorf("use the Docker engine at %s, found by %s: %w; see DOCKER_CERT_PATH, DOCKER_TLS_VERIFY, or the context's files", e.Host, e.FoundBy, err)
		}
		options = append(options, client.WithHTTPClient(&http.Client{
			Transport: &http.Transport{TLSClientConfig: config}, CheckRedirect: client.CheckRedirect,
		}))
	}
	c, err := client.New(append(options, client.WithHost(e.Host), client.WithAPIVersionFromEnv())...)
	if err != nil {
		return nil, fmt.Errorf("use the Docker engine at %s, found by %s: %w; set DOCKER_HOST like unix:///var/run/docker.sock", e.Host, e.FoundBy, err)
	}
	return c, nil
}

// config reads the files. A certificate authority of its own is the only one that counts.
func (t *TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.SkipVerify}
	if t.CA != "" && !t.SkipVerify {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authority: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the certificate authority: %s holds no certificate", t.CA)
		}
	}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// explain says what to do about an engine that cannot be reached.
func explain(e Endpoint, err error) error {
	fix := "is the engine running? Set DOCKER_HOST if it listens elsewhere, or BELLBUOY_SOURCE=none to go without"
	switch {
	case errors.Is(err, fs.ErrPermission):
		fix = "this user may not use the socket: add it to the group docker (sudo usermod -aG docker $USER, then log in again), " +
			"run Bellbuoy as root, or set DOCKER_HOST to the socket of a rootless engine"
		if strings.Contains(e.Host, "podman") {
			fix = "this user may not use the socket: run Bellbuoy as root, or set DOCKER_HOST to the user's own, unix://$XDG_RUNTIME_DIR/podman/podman.sock"
		}
	case errors.Is(err, fs.ErrNotExist):
		fix = "there is no such socket. Start the engine, mount the socket into this container, or set DOCKER_HOST"
	case errors.Is(err, syscall.ECONNREFUSED):
		fix = "nothing listens there. Start the engine, or set DOCKER_HOST"
	}
	where := e.Host
	if e.FoundBy != "" && !strings.HasSuffix(e.Host, e.FoundBy) {
		where += ", found by " + e.FoundBy
	}
	return fmt.Errorf("reach the Docker engine at %s: %w; %s", where, err, fix)
}
