package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// newClient makes a client that dials permitted addresses only. The check is made on the address that is dialled, so
// a name that resolves to something else the second time is covered; a proxy or a redirect would lead around it.
func newClient(g guard) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, Control: g.control}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, MaxResponseHeaderBytes: maxAnswer,
		},
	}
}

// guard says which addresses may be posted to.
type guard struct {
	public *ssrf.Guardian
	never  []netip.Prefix
}

// newGuard lets private and loopback addresses through unless they are denied.
func newGuard(denyPrivate bool) guard {
	g := guard{
		// cloud metadata services at addresses that are private otherwise, or public
		never: prefixes("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128"),
	}
	if denyPrivate {
		g.public = ssrf.New(ssrf.WithAnyPort())
		return g
	}
	g.public = ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")...),
		ssrf.WithAllowedV6Prefixes(prefixes("::1/128", "fc00::/7")...))
	return g
}

// control is a net.Dialer's Control: it sees the resolved address, before the connection is made.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s is not an address", ssrf.ErrProhibitedIP, address)
	}
	return g.check(target.Addr().Unmap().WithZone(""))
}

func (g guard) check(ip netip.Addr) error {
	for _, p := range g.never {
		if p.Contains(ip) {
			return fmt.Errorf("%w: %s is a cloud's metadata service", ssrf.ErrProhibitedIP, ip)
		}
	}
	return g.public.SafeAddr(ip)
}

func prefixes(all ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}
