package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

func service(namespace, name string) schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: namespace, Name: name}
}

func overview() *client.Overview {
	return &client.Overview{
		Cluster: "box7", Source: "docker,host", TakenAt: at, StoredAt: at, Firing: 1,
		Services: map[string]int{"container": 12, "unit": 41}, Instances: map[string]int{"container": 14, "unit": 41},
		Namespaces: 3, Nodes: 1, Disks: 2,
		Groups: []client.Group{
			{Verdict: "baseline", Count: 3, Instances: map[string]int{"container": 9, "unit": 1}, Objects: []client.Quiet{
				{Object: service("old", "web"), Text: "baseline: had ended before Bellbuoy first saw this engine"},
				{Object: service("old", "db"), Text: "baseline: had ended before Bellbuoy first saw this engine"},
				{Object: service("", "cron.service"), Text: "baseline: had ended before Bellbuoy first saw this engine"},
			}},
			{Verdict: "by_hand", Count: 1, Instances: map[string]int{"container": 1}, Objects: []client.Quiet{{Object: service("shop", "db"), Text: "stopped by hand"}}},
			{Verdict: "explained", Count: 1, Instances: map[string]int{"container": 1}, Objects: []client.Quiet{
				{Object: service("shop", "api"), Text: "explained by node n1, which is down since 03:02:10 UTC; told there"},
			}},
			{Verdict: "storm", Count: 2, Instances: map[string]int{"container": 2}, Objects: []client.Quiet{
				{Object: service("shop", "a"), Text: "part of the storm of 12 objects since 03:02:10 UTC; told there"},
				{Object: service("shop", "b"), Text: "part of the storm of 12 objects since 03:02:10 UTC; told there"},
			}},
			{Verdict: "hold", Condition: "unhealthy", Count: 1, Instances: map[string]int{"container": 1}, Objects: []client.Quiet{
				{Object: service("shop", "cart"), Text: "holding, 15 s of 60 s", Until: at.Add(time.Minute)},
			}},
		},
		Off: []client.Off{{Condition: "gpu_hot", Reason: "no GPU"}, {Condition: "gpu_memory", Reason: "no GPU"}, {Condition: "node_down", Reason: "a host cannot report its own end"}},
	}
}

func TestWelcomeSaysWhatIsWatchedAndWhatIsNot(t *testing.T) {
	w := console.Welcome{Version: "0.1", Cluster: "box7", Overview: overview(), Auto: true, Kept: "/var/lib/bellbuoy", Try: "bellbuoy test"}
	everyLook(t, "welcome", func(p *console.Printer) {
		p.Welcome(w)
		for _, c := range []int{0, 7} {
			p.Event(story()[c], last(story()[c]))
		}
	})
}

func TestWelcomeTellsOtherWaysOfRunning(t *testing.T) {
	broken := overview()
	broken.Stale = []schema.StalePart{{Source: "docker", Since: at, Error: "no permission to read /var/run/docker.sock: add your user to the group docker, or run as root"}}
	empty := &client.Overview{Cluster: "box7", Source: "docker"}
	alone := &client.Overview{Cluster: "box7", Source: "host", Instances: map[string]int{"unit": 41}, Services: map[string]int{"unit": 41}, Disks: 1, Nodes: 1}
	everyLook(t, "welcomes", func(p *console.Printer) {
		for _, w := range []console.Welcome{
			{Cluster: "box7", Overview: broken, Auto: true, Kept: "/data"},
			{Cluster: "box7", Overview: empty, Auto: true, Kept: "/data", URL: "nats://127.0.0.1:14222"},
			{Cluster: "box7", Overview: alone, Auto: true, Kept: "/data"},
			{Cluster: "box7", Waited: 8 * time.Second, Kept: "/data"},
			{
				Model: "gpt-9", ModelHost: "api.example.com", Channels: []string{"webhook"}, ChannelHosts: []string{"hooks.example.com"},
				ServerHost: "nats.example.com", Kept: "the NATS server",
			},
			{Model: "llama", Channels: []string{"webhook"}, ChannelHosts: []string{"hooks.example.com"}, Shadow: true, Kept: "/data"},
		} {
			w.Version = "0.1"
			p.Welcome(w)
		}
	})
}

func TestListFitsTheTerminal(t *testing.T) {
	now := at.Add(12 * time.Minute)
	list := []client.Summary{
		{
			ID: "9f2c51d07be34a68", Short: "9f2c5", Cluster: "box7", Object: service("shop", "checkout"), Condition: "service_down",
			Severity: schema.SeverityCritical, Title: "checkout: 0 of 3 running", State: schema.StateAcknowledged, Owner: "ada", StartedAt: at,
		},
		{
			ID: "0b1e000000000000", Short: "0b1e", Cluster: "box7", Object: service("warehouse", "nightly-import-of-everything"), Condition: "job_failed",
			Severity: schema.SeverityWarning, Title: "job nightly-import-of-everything failed with exit 1", State: schema.StateInvestigating, StartedAt: at.Add(-50 * time.Hour),
		},
		{
			ID: "1c00000000000000", Short: "1c00", Cluster: "box7", Object: service("shop", "cart"), Condition: "unhealthy",
			Severity: schema.SeverityWarning, Title: "cart fails its health check", State: schema.StateCleared, StartedAt: at, ClosedAt: at.Add(time.Minute),
		},
	}
	everyLook(t, "list", func(p *console.Printer) {
		p.List(list, 1, now)
		p.List(nil, 3, now)
		p.List(nil, 0, now)
	})
}

func TestShowIsATimeline(t *testing.T) {
	steps := story()
	acked, closed := steps[len(steps)-2], steps[len(steps)-1]
	acked.Evidence, acked.Episode = nil, 2
	acked.Links = []schema.Link{
		{Title: "Runbook", URL: "https://runbooks.example/checkout"}, {Title: "Lo\x1b[2Jgs", URL: "https://logs.example/?q=" + strings.Repeat("checkout", 12)},
	}
	acked.Messages[0].At = at.Add(-48 * time.Hour) // of an earlier episode
	everyLook(t, "show", func(p *console.Printer) {
		p.Show(acked, at.Add(12*time.Minute))
		p.Show(closed, at.Add(72*time.Hour))
	})
}

func TestWhyWithoutANameTellsWhatIsNotAlertedOn(t *testing.T) {
	all := overview()
	all.Groups = append(all.Groups, client.Group{
		Verdict: "off", Condition: "error_burst", Count: 1, Instances: map[string]int{"container": 1},
		Objects: []client.Quiet{{Object: service("shop", "batch-7"), Text: "switched off by RULES_FILE line 12"}},
	}, client.Group{
		Verdict: "grace", Condition: "service_down", Count: 1, Instances: map[string]int{"container": 1},
		Objects: []client.Quiet{{Object: service("shop", "web"), Text: "in the grace after its image changed to web:2 at 03:04:01 UTC, 90 s more", Until: at.Add(90 * time.Second)}},
	}, client.Group{
		Verdict: "flapping", Condition: "service_down", Count: 1, Instances: map[string]int{"container": 1},
		Objects: []client.Quiet{{Object: service("shop", "mail"), Text: "alerting, but well for 30 s of 30 min, third time since 02:30:00 UTC", Until: at.Add(29 * time.Minute)}},
	})
	everyLook(t, "why", func(p *console.Printer) {
		p.Quiet([]client.Overview{*all}, at)
		p.Quiet(nil, at)
		p.Why(client.WhyResponse{Objects: []client.Explained{{
			Cluster: "box7", Object: service("shop", "checkout"), Conversation: "9f2c51d07be34a68", State: schema.StateInvestigating,
			Reasons: []client.Reason{{Condition: "service_down", Verdict: "firing", Text: "service_down: alerting since 03:04:31 UTC, checkout: 0 of 3 running"}, {Verdict: "well", Text: "oom_killed: well"}},
		}}}, at)
	})
}

// windowed is a weekly window that holds for three hours from so long after at.
func windowed(id string, from time.Duration) silence.Silence {
	return silence.Silence{
		ID: id, Matcher: silence.Matcher{Cluster: "box*"}, From: at.Add(from), Until: at.Add(from + 3*time.Hour),
		Author: schema.Author{Name: "the rules file"}, Reason: "backups",
	}
}

func TestSilencesSayWhoAndWhy(t *testing.T) {
	racks := silence.Silence{
		ID: "ab12cd34", Matcher: silence.Node("box7", "n1"), From: at.Add(-time.Hour), Until: at.Add(time.Hour),
		Author: schema.Author{Name: "anna", Channel: "api"}, Reason: "moving the racks,\x1b[2J which takes a while and then some more, as it always does",
	}
	later := racks
	later.ID, later.Matcher, later.From, later.Until = "ff00ff00", silence.Matcher{Cluster: "box*", Labels: map[string]string{"team": "shop"}}, at.Add(time.Hour), at.Add(30*time.Hour)
	everyLook(t, "silences", func(p *console.Printer) {
		p.Silenced(racks, 3, at)
		p.Silenced(later, 0, at)
		p.Silences([]client.Silence{{Silence: racks, Covers: 1}, {Silence: later}}, at)
		p.Silences([]client.Silence{
			{Silence: windowed("window:nights", -time.Hour), Weekly: "mon-fri 03:00–06:00 UTC", Active: true, Covers: 2},
			{Silence: windowed("window:weekend", 30*time.Hour), Weekly: "sat-sun 00:00–24:00 Europe/Berlin"},
		}, at)
		p.Silences(nil, at)
		p.Unsilenced(racks, 1)
		p.Why(client.WhyResponse{Objects: []client.Explained{{
			Cluster: "box7", Object: service("shop", "checkout"), Conversation: "9f2c51d07be34a68", State: schema.StateSilenced,
			Silenced: "Silenced by anna until 04:04 UTC, with silence ab12cd34. “moving the racks”", Silences: []silence.Silence{racks},
		}, {
			Cluster: "box7", Object: service("shop", "web"), Silenced: "Silenced by the rules file until 06:04 UTC.",
			Reasons: []client.Reason{{Verdict: client.VerdictSilenced, Text: "Silenced by the rules file until 06:04 UTC."}},
		}}}, at)
	})
}
