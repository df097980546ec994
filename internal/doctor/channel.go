package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
)

// endsSoon is how long before its end a certificate is warned about.
const endsSoon = 14 * 24 * time.Hour

// way is one webhook that is configured, and where.
type way struct {
	name   string
	config webhook.Config
	file   bool // in the file of channels, not by variables
}

// option is what people know one of its options by.
func (w way) option(name string) string {
	if w.file {
		return strings.ToLower(name) + " of channel " + w.name + " in BELLBUOY_CHANNELS_FILE"
	}
	return "BELLBUOY_WEBHOOK_" + name
}

// channels are the checks of all channels, one for each.
func (d *doctor) channels() []check {
	if len(d.File) == 0 {
		return []check{{AreaChannels, webhook.Name, d.single}}
	}
	var all []check
	for _, c := range d.File {
		look := func(ctx context.Context) []Finding {
			hook, ok := c.Options.(*webhook.Config)
			if !ok {
				return []Finding{{AreaChannels, c.Name, Off, "the way to a " + c.Kind + " is not looked at: `bellbuoy test " + c.Name + "` goes it", ""}}
			}
			return d.webhook(ctx, way{c.Name, *hook, true})
		}
		all = append(all, check{AreaChannels, c.Name, look})
	}
	return all
}

// single looks at the webhook that variables configure, if they do.
func (d *doctor) single(ctx context.Context) []Finding {
	if !d.Webhook.Configured() {
		return []Finding{{AreaChannels, webhook.Name, Off, "none is configured: only who looks is told (set BELLBUOY_WEBHOOK_URL or BELLBUOY_CHANNELS_FILE)", ""}}
	}
	if d.Webhook.Validate() != nil {
		return []Finding{{AreaChannels, webhook.Name, Off, "not looked at before its configuration is right", ""}}
	}
	return d.webhook(ctx, way{webhook.Name, d.Webhook, false})
}

// webhook goes the way of a post up to the point where it would send something.
func (d *doctor) webhook(ctx context.Context, w way) []Finding {
	r, err := webhook.Inspect(ctx, w.config)
	if err != nil {
		return append([]Finding{{AreaChannels, w.name, Fault, err.Error(), fixWay(err, w.option("URL"))}}, d.habits(w, r)...)
	}
	what := "nothing was posted: `bellbuoy test` does the rest"
	if r.Expires.IsZero() {
		what = r.Host + " takes connections; " + what
	} else {
		what = fmt.Sprintf("%s takes connections, its certificate is good until %s; %s", r.Host, r.Expires.UTC().Format(time.DateOnly), what)
	}
	found := []Finding{{AreaChannels, w.name, OK, what, ""}}
	if left := r.Expires.Sub(d.Now()); !r.Expires.IsZero() && left < endsSoon {
		found[0].Level = Warn
		found[0].Fix = fmt.Sprintf("renew the certificate of %s, which ends in %s", r.Host, left.Round(time.Hour))
	}
	return append(found, d.habits(w, r)...)
}

// habits is what is to be said of a webhook whether or not it can be reached.
func (d *doctor) habits(w way, r webhook.Reach) []Finding {
	var all []Finding
	if r.Clear && r.Address.IsValid() && public(r.Address) {
		all = append(all, Finding{
			AreaChannels, w.name, Warn, "conversations travel unencrypted to " + r.Host + ", which is not on a private network",
			"begin " + w.option("URL") + " with https://",
		})
	}
	if !r.Signed && r.Checks {
		all = append(all, Finding{
			AreaChannels, w.name, Warn, "posts are not signed, so that the receiver cannot tell them from anybody's",
			"set " + w.option("SECRET") + ` here and there: echo "whsec_$(openssl rand -base64 32)"`,
		})
	}
	if d.Shadow {
		all = append(all, Finding{AreaChannels, w.name, Off, "BELLBUOY_NOTIFY is shadow: all is decided and stored, and nothing is sent", ""})
	}
	return all
}

// fixWay says what to do about a way to an endpoint that does not go through. The option url holds its address.
func fixWay(err error, url string) string {
	var name *net.DNSError
	var invalid x509.CertificateInvalidError
	var otherHost x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, webhook.ErrForbidden):
		return "set " + url + " to another address: link-local ones and those of cloud metadata are never posted to"
	case errors.As(err, &name):
		return "correct the host in " + url + ", or this machine's DNS"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the receiver's certificate; if it is good elsewhere, this machine's clock is wrong"
	case errors.As(err, &otherHost):
		return "use a host in " + url + " that the receiver's certificate names"
	case errors.As(err, &unknown), errors.As(err, &invalid):
		return "give the receiver a certificate that this machine trusts, or add its authority to this machine's"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return "start the receiver, or correct host and port in " + url
	}
	return "see whether a firewall is in the way, and whether host and port in " + url + " are right"
}
