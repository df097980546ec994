package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
)

// endsSoon is how long before its end a certificate is warned about.
const endsSoon = 14 * 24 * time.Hour

// webhook goes the way of a post up to the point where it would send something.
func (d *doctor) webhook(ctx context.Context) []Finding {
	if !d.Webhook.Configured() {
		return []Finding{{AreaChannels, webhook.Name, Off, "none is configured: only who looks is told (set BELLBUOY_WEBHOOK_URL)", ""}}
	}
	if d.Webhook.Validate() != nil {
		return []Finding{{AreaChannels, webhook.Name, Off, "not looked at before its configuration is right", ""}}
	}
	r, err := webhook.Inspect(ctx, d.Webhook)
	if err != nil {
		return append([]Finding{{AreaChannels, webhook.Name, Fault, err.Error(), fixWay(err)}}, d.habits(r)...)
	}
	what := "nothing was posted: `bellbuoy test` does the rest"
	if r.Expires.IsZero() {
		what = r.Host + " takes connections; " + what
	} else {
		what = fmt.Sprintf("%s takes connections, its certificate is good until %s; %s", r.Host, r.Expires.UTC().Format(time.DateOnly), what)
	}
	found := []Finding{{AreaChannels, webhook.Name, OK, what, ""}}
	if left := r.Expires.Sub(d.Now()); !r.Expires.IsZero() && left < endsSoon {
		found[0].Level = Warn
		found[0].Fix = fmt.Sprintf("renew the certificate of %s, which ends in %s", r.Host, left.Round(time.Hour))
	}
	return append(found, d.habits(r)...)
}

// habits is what is to be said of a webhook whether or not it can be reached.
func (d *doctor) habits(r webhook.Reach) []Finding {
	var all []Finding
	if r.Clear && r.Address.IsValid() && public(r.Address) {
		all = append(all, Finding{
			AreaChannels, webhook.Name, Warn, "conversations travel unencrypted to " + r.Host + ", which is not on a private network",
			"begin BELLBUOY_WEBHOOK_URL with https://",
		})
	}
	if !r.Signed && r.Checks {
		all = append(all, Finding{
			AreaChannels, webhook.Name, Warn, "posts are not signed, so that the receiver cannot tell them from anybody's",
			`set BELLBUOY_WEBHOOK_SECRET here and there: echo "whsec_$(openssl rand -base64 32)"`,
		})
	}
	if d.Shadow {
		all = append(all, Finding{AreaChannels, webhook.Name, Off, "BELLBUOY_NOTIFY is shadow: all is decided and stored, and nothing is sent", ""})
	}
	return all
}

// fixWay says what to do about a way to an endpoint that does not go through.
func fixWay(err error) string {
	var name *net.DNSError
	var invalid x509.CertificateInvalidError
	var otherHost x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, webhook.ErrForbidden):
		return "set BELLBUOY_WEBHOOK_URL to another address: link-local ones and those of cloud metadata are never posted to"
	case errors.As(err, &name):
		return "correct the host in BELLBUOY_WEBHOOK_URL, or this machine's DNS"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the receiver's certificate; if it is good elsewhere, this machine's clock is wrong"
	case errors.As(err, &otherHost):
		return "use a host in BELLBUOY_WEBHOOK_URL that the receiver's certificate names"
	case errors.As(err, &unknown), errors.As(err, &invalid):
		return "give the receiver a certificate that this machine trusts, or add its authority to this machine's"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return "start the receiver, or correct host and port in BELLBUOY_WEBHOOK_URL"
	}
	return "see whether a firewall is in the way, and whether host and port in BELLBUOY_WEBHOOK_URL are right"
}
