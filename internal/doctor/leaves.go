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
	for _, host := range Elsewhere(d.NATS.URL) {
		add(host, "snapshots with names, labels and redacted log lines (24 h), conversations (90 days), replies (30 days): NATS")
	}
	for _, host := range Elsewhere(d.LLM.BaseURL) {
		add(host, "redacted evidence, questions and what is looked up for them; kept as its provider says: the model")
	}
	d.posts(add)
	if len(all) == 0 {
		add("nothing", "all that is configured is on this machine")
	}
	if d.DataDir != "" {
		add("stays here", "conversations 90 days, snapshots 24 h, replies and what was given up 30 days: in "+d.DataDir)
	}
	return all
}

// posts adds where the channels post to.
func (d *doctor) posts(add func(to, what string)) {
	const what = "conversations with redacted evidence; kept as the receiver does: "
	if d.Shadow {
		return
	}
	for _, host := range Elsewhere(d.Webhook.URL.Reveal()) {
		add(host, what+"the webhook")
	}
	for _, c := range d.File {
		for _, host := range Elsewhere(c.URL.Reveal()) {
			add(host, what+"channel "+c.Name)
		}
	}
}

// Elsewhere lists the hosts of comma-separated URLs that are not this machine by their address: with their ports where
// those are given, without users and paths.
func Elsewhere(urls string) []string {
	var all []string
	for host := range strings.SplitSeq(natsHosts(urls), ",") {
		if host != "" && !own(host) {
			all = append(all, host)
		}
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
