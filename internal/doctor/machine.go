package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// docker asks the engine that the source would read. Where the sources were not chosen and NATS is elsewhere, the
// collector may well be on another machine.
func (d *doctor) docker(ctx context.Context) []Finding {
	if d.Docker == nil {
		return []Finding{{AreaSources, "docker", Off, "BELLBUOY_SOURCE does not list it", ""}}
	}
	about, err := docker.Inspect(ctx, *d.Docker)
	if err == nil {
		return []Finding{{AreaSources, "docker", OK, fmt.Sprintf("%s: %s, API %s, %d containers", about.Where, about.Name, about.API, about.Ours), ""}}
	}
	if errors.Is(err, source.ErrAbsent) && !d.Asked {
		return []Finding{{AreaSources, "docker", Off, err.Error(), ""}}
	}
	f := Finding{AreaSources, "docker", Fault, "", ""}
	f.What, f.Fix = apart(err, "set DOCKER_HOST, or BELLBUOY_SOURCE=none to go without")
	if d.Named && !d.Asked {
		f.Level = Warn
		f.What += " (no fault if the collector runs on another machine)"
	}
	return []Finding{f}
}

// host reads this machine once, as the source would, and says what of it cannot be read here.
func (d *doctor) host(ctx context.Context) []Finding {
	if !d.Host {
		return []Finding{{AreaSources, "host", Off, "BELLBUOY_SOURCE does not list it", ""}}
	}
	s, err := host.Open(ctx, host.Config{Unasked: !d.Asked}, nil)
	if errors.Is(err, source.ErrAbsent) && !d.Asked {
		return []Finding{{AreaSources, "host", Off, err.Error(), ""}}
	}
	if err != nil {
		f := Finding{AreaSources, "host", Fault, "", ""}
		f.What, f.Fix = apart(err, "set BELLBUOY_SOURCE to what can be read")
		return []Finding{f}
	}
	defer func() { _ = s.Close() }() // which only ends what it started
	r, err := s.Read(ctx)
	if err != nil {
		return []Finding{{AreaSources, "host", Warn, "this machine cannot be read: " + err.Error(), "set HOST_PROC to where the machine's /proc is mounted"}}
	}
	found := []Finding{{AreaSources, "host", OK, seen(r.Snapshot), ""}}
	for _, part := range schema.Parts() {
		switch reason := r.Reads[part]; {
		case reason == "":
		case part == schema.PartMachine:
			found = append(found, Finding{
				AreaSources, "host " + part, Warn, "processors and memory of this machine are unknown: " + strings.ReplaceAll(reason, "\n", "; "),
				"set HOST_PROC to where the machine's /proc is mounted",
			})
		default:
			found = append(found, Finding{AreaSources, "host " + part, Off, reason, ""})
		}
	}
	return found
}

// seen counts what a reading of the machine shows.
func seen(s schema.ClusterContext) string {
	disks, gpus := 0, 0
	for _, n := range s.Nodes {
		disks += len(n.Disks)
		gpus += len(n.GPUs)
	}
	return fmt.Sprintf("%s, %s, %s", counted(len(s.Services), "unit"), counted(disks, "disk"), counted(gpus, "GPU"))
}

// Space that a data directory should have left, in bytes.
const (
	leastFree = 64 << 20
	tightFree = 1 << 30
)

// data looks at the directory in which `bellbuoy up` keeps what is stored.
func (d *doctor) data(context.Context) []Finding {
	if d.DataDir == "" {
		return nil
	}
	f := Finding{AreaMachine, "data", Fault, "", "set BELLBUOY_DATA_DIR to a directory that this user may write"}
	dir, err := existing(d.DataDir)
	if err != nil {
		f.What = err.Error()
		return []Finding{f}
	}
	if err := writable(dir); err != nil {
		f.What = fmt.Sprintf("user %d may not write %s: %v", os.Geteuid(), dir, err)
		f.Fix = fmt.Sprintf("sudo chown -R %d %s, or set BELLBUOY_DATA_DIR to another directory", os.Geteuid(), dir)
		return []Finding{f}
	}
	where := d.DataDir
	if dir != d.DataDir {
		where += ", to be made"
	}
	s, err := spaceOf(dir)
	if err != nil {
		return []Finding{{AreaMachine, "data", OK, where, ""}}
	}
	return []Finding{judgeSpace(where, s)}
}

// space is what a file system has.
type space struct {
	free     int64 // bytes, to users other than root
	volatile bool  // in memory: lost with a restart of the machine
}

func judgeSpace(where string, s space) Finding {
	f := Finding{AreaMachine, "data", OK, fmt.Sprintf("%s; %s free", where, size(s.free)), ""}
	switch {
	case s.free < leastFree:
		f.Level, f.Fix = Fault, "make room there, or set BELLBUOY_DATA_DIR to a larger disk"
	case s.volatile:
		f.Level, f.What = Warn, where+": in memory, so that a restart of the machine loses it"
		f.Fix = "set BELLBUOY_DATA_DIR to a directory on a disk"
	case s.free < tightFree:
		f.Level, f.Fix = Warn, "make room there: conversations of 90 days may take 4 GB"
	}
	return f
}

// existing is dir, or the nearest directory above it in which it would be made.
func existing(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is no directory", dir)
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}

// maxPage is how much of an answer is read to see whose it is, in bytes.
const maxPage = 64 << 10

// http looks who is at the address for health and metrics: nobody, Bellbuoy, or something else.
func (d *doctor) http(ctx context.Context) []Finding {
	if d.HTTP == "" {
		return nil
	}
	f := Finding{AreaMachine, "HTTP", Fault, "", "set BELLBUOY_HTTP_ADDR to an address and port of this machine, such as 127.0.0.1:8474"}
	host, _, err := net.SplitHostPort(d.HTTP)
	if err != nil || !here(host) {
		f.What = d.HTTP + " is no address and port of this machine"
		return []Finding{f}
	}
	text, err := readiness(ctx, dialable(d.HTTP))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Level, f.What, f.Fix = OK, d.HTTP+" is free", ""
	case err != nil || !strings.Contains(text, ": ready\n") && !strings.Contains(text, ": not ready: "):
		f.What = d.HTTP + " is taken by another program, so health and metrics cannot be served there"
		f.Fix = "stop that program, or set BELLBUOY_HTTP_ADDR to another address"
	case strings.Contains(text, ": not ready: "):
		f.What = "Bellbuoy at " + d.HTTP + " is not ready: " + strings.TrimSpace(text)
		f.Fix = "put right what it says; the log of that process tells more"
	default:
		f.Level, f.What, f.Fix = OK, "Bellbuoy at "+d.HTTP+": "+strings.ReplaceAll(strings.TrimSpace(text), "\n", ", "), ""
	}
	return []Finding{f}
}

// dialable is an address to connect to for one to listen at.
func dialable(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// here tells whether one can listen at the host. A name is taken for one of this machine's.
func here(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsUnspecified() || ip.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr() == ip.WithZone("") {
			return true
		}
	}
	return false
}

// readiness is what answers there to a question for its readiness.
func readiness(ctx context.Context, addr string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return string(body), err
}
