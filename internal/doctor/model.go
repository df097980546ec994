package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/llm"
)

// model asks the server which models it has. It asks the model nothing: that costs, and shows in its log.
func (d *doctor) model(ctx context.Context) []Finding {
	if d.LLM.BaseURL == "" && d.LLM.Model == "" {
		return []Finding{{AreaModel, "model", Off, "none is configured: the rules diagnose alone (set BELLBUOY_LLM_BASE_URL and BELLBUOY_LLM_MODEL)", ""}}
	}
	if d.LLM.Validate() != nil {
		return []Finding{{AreaModel, "model", Off, "not looked at before its configuration is right", ""}}
	}
	names, err := llm.Models(ctx, d.LLM)
	host := hostOf(d.LLM.BaseURL)
	found := []Finding{d.judgeModel(host, names, err)}
	if clear(ctx, d.LLM.BaseURL) {
		found = append(found, Finding{
			AreaModel, "model", Warn, "evidence and key travel unencrypted to " + host + ", which is not on a private network",
			"begin BELLBUOY_LLM_BASE_URL with https://",
		})
	}
	return found
}

func (d *doctor) judgeModel(host string, names []string, err error) Finding {
	f := Finding{AreaModel, "model", Fault, "", ""}
	e, isModel := errors.AsType[*llm.Error](err)
	switch {
	case isModel && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed):
		f.Level = Warn
		f.What = host + " answers and keeps no list of models, so that the name " + d.LLM.Model + " is not checked: " + e.Message
		f.Fix = "check that BELLBUOY_LLM_BASE_URL is the address of the API, such as https://api.openai.com/v1"
	case isModel:
		f.What, f.Fix = host+": "+e.Message, fixModel(e.Outcome)
	case err != nil:
		f.What, f.Fix = err.Error(), fixModel("")
	case len(names) == 0:
		f.Level, f.What, f.Fix = Warn, host+" answers and lists no models, so that the name "+d.LLM.Model+" is not checked", "see there whether it has the model"
	case !slices.ContainsFunc(names, d.means):
		f.What = fmt.Sprintf("%s has no model %s; it has %s", host, d.LLM.Model, some(names))
		f.Fix = "set BELLBUOY_LLM_MODEL to one of those, or add it there"
	default:
		f.Level, f.What = OK, d.LLM.Model+" is there at "+host+", and the key is taken; it was not asked anything"
		if d.LLM.APIKey == "" {
			f.What = d.LLM.Model + " is there at " + host + ", which wants no key for its list; it was not asked anything"
		}
	}
	return f
}

// means tells whether the name in a server's list is the configured model: some put a directory before it, some
// a default tag behind.
func (d *doctor) means(name string) bool {
	return name == d.LLM.Model || name == d.LLM.Model+":latest" || name == "models/"+d.LLM.Model
}

const maxNames = 5

func some(names []string) string {
	if len(names) <= maxNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d others", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

func fixModel(outcome string) string {
	switch outcome {
	case llm.OutcomeUnauthorized:
		return "set BELLBUOY_LLM_API_KEY to a key that this server takes"
	case llm.OutcomeQuota:
		return "look after plan and billing at the provider"
	case llm.OutcomeThrottled:
		return "raise the limit at the provider, or lower BELLBUOY_LLM_CONCURRENCY"
	case llm.OutcomeServer, llm.OutcomeBroken:
		return "look at that server's own log"
	}
	return "start that server, or correct BELLBUOY_LLM_BASE_URL"
}

func hostOf(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return ""
	}
	return u.Host
}

// clear tells whether a URL leads to the public network without TLS.
func clear(ctx context.Context, raw string) bool {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" {
		return false
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	return err == nil && slices.ContainsFunc(found, public)
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) // carriers and overlay networks
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified() && !shared.Contains(ip)
}
