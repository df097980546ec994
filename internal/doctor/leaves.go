package doctor

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// leaves lists where anything goes that leaves this machine, what, and for how long it is kept. What goes to an address
// of the machine itself does not leave it.
func (d *doctor) leaves(context.Context) []Finding {
	var all []Finding
	add := func(to, what string) { all = append(all, Finding{AreaLeaves, to, OK, what, ""}) }
	for host := range strings.SplitSeq(natsHosts(d.NATS.URL), ",") {
		if host != "" && !own(host) {
			add(host, "snapshots with names, labels and redacted log lines (24 h), conversations (90 days), replies (30 days): NATS")
		}
	}
	if host := hostOf(d.LLM.BaseURL); d.LLM.Enabled() && !own(host) {
		add(host, "redacted evidence and questions; kept as its provider says: the model")
	}
	if host := hostOf(d.Webhook.URL.Reveal()); host != "" && !d.Shadow && !own(host) {
		add(host, "conversations with redacted evidence; kept as the receiver does: the webhook")
	}
	if len(all) == 0 {
		add("nothing", "all that is configured is on this machine")
	}
	if d.DataDir != "" {
		add("stays here", "conversations 90 days, snapshots 24 h, replies and what was given up 30 days: in "+d.DataDir)
	}
	return all
}

// natsHosts is the hosts of a list of NATS URLs, without users.
func natsHosts(urls string) string {
	var hosts []string
	for s := range strings.SplitSeq(urls, ",") {
		s = strings.TrimSpace(s)
		if !strings.Contains(s, "://") {
			s = "nats://" + s
		}
		if u, err := url.Parse(s); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return strings.Join(hosts, ",")
}

// own tells whether host, with a port or without, is this machine by its address.
func own(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
