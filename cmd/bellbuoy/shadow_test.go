package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

const banner = "SHADOW: nothing is sent to webhook (BELLBUOY_NOTIFY=shadow)\n"

// notifying starts a notifier with that webhook beside a stack, and waits until it answers and has nothing to do.
func notifying(t *testing.T, b *bus.Bus, mode, url string) {
	t.Helper()
	cfg := notifier.Config{Notify: mode, Webhook: webhook.Config{URL: config.Secret(url), Format: webhook.FormatNative}}
	n, err := notifier.New(cfg, b, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, n.Part().Run)
	bustest.Settled(t, b)
	for { // it is starting to answer
		switch _, err := client.New(b).Channels(t.Context()); {
		case err == nil:
			return
		case !errors.Is(err, bus.ErrNobody):
			t.Fatal(err)
		}
	}
}

// shadowStack is a stack with a notifier in shadow beside it, whose receiver does not exist.
func shadowStack(t *testing.T) *bus.Bus {
	t.Helper()
	b := stack(t)
	notifying(t, b, notifier.NotifyShadow, "http://"+nobody(t))
	return b
}

func TestEveryCommandSaysFirstThatNothingIsSent(t *testing.T) {
	b := shadowStack(t)
	if err := b.Dead(t.Context(), "analyzer", bus.DeadLetter{Reason: "x", Subject: "a.b", Seq: 1}); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"list", "show checkout", "why", "why checkout", "preview checkout", "preview checkout --channel webhook", "ack checkout",
		"reply checkout unack", "silence checkout 1h", "unsilence checkout", "silences", "dead", "dead 1", "dead drop 1",
	} {
		out, err := typed(t, strings.Fields(words)...)
		if err != nil || !strings.HasPrefix(out, banner) || strings.Count(out, "SHADOW") != 1 {
			t.Errorf("bellbuoy %s: %v, printed\n%s", words, err, out)
		}
	}
	for _, words := range []string{"list --json", "show checkout --json", "why --json", "preview checkout --channel webhook --json", "ack checkout --json", "dead --json"} {
		if got := into[map[string]any](t, strings.Fields(words)...); got["shadow"] != true {
			t.Errorf("bellbuoy %s says shadow: %v", words, got["shadow"])
		}
	}
}

func TestDoctorSaysFirstThatNothingIsSentAndHowTheChannelsAre(t *testing.T) {
	shadowStack(t)
	alone(t)
	t.Setenv("BELLBUOY_SOURCE", "none")
	t.Setenv("BELLBUOY_HTTP_ADDR", unused(t))
	var out strings.Builder
	_ = examine(t.Context(), &out, false)
	if got := out.String(); !strings.HasPrefix(got, banner) || !strings.Contains(got, "parts channel webhook") || !strings.Contains(got, "unset BELLBUOY_NOTIFY") {
		t.Errorf("printed\n%s", got)
	}
	out.Reset()
	_ = examine(t.Context(), &out, true)
	var found []doctor.Finding
	if err := json.Unmarshal([]byte(out.String()), &found); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestNothingIsSaidWhereANotifierSendsOrNoneRuns(t *testing.T) {
	b := stack(t)
	if out, err := typed(t, "list"); err != nil || strings.Contains(out, "SHADOW") {
		t.Errorf("without a notifier: %v, printed\n%s", err, out)
	}
	notifying(t, b, notifier.NotifyOn, e2e.NewReceiver(t).URL)
	if out, err := typed(t, "list"); err != nil || strings.Contains(out, "SHADOW") {
		t.Errorf("with one: %v, printed\n%s", err, out)
	}
	if got := into[map[string]any](t, "list", "--json"); got["shadow"] != nil {
		t.Errorf("with one: shadow %v", got["shadow"])
	}
}

// Lines of JSON are left alone: what says it goes elsewhere.
func TestLinesOfJSONStayAsTheyAre(t *testing.T) {
	c := client.New(shadowStack(t))
	var out, errs bytes.Buffer
	w := warned(t.Context(), c, &out, &errs, manyLines)
	if err := printJSONLine(w, map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "{\"a\":1}\n" || errs.String() != banner {
		t.Errorf("printed %q, and on errors %q", out.String(), errs.String())
	}
}

func TestAnObjectIsMarkedOnceAndNothingElseIs(t *testing.T) {
	for in, want := range map[string]string{
		`{}`: `{"shadow":true}`, `{"a":1}`: `{"shadow":true,"a":1}`, `{"shadow":false}`: `{"shadow":false}`, `[{}]`: `[{}]`, `null`: `null`, `7`: `7`,
	} {
		if got := string(marked([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestUpSaysFirstThatNothingIsSent(t *testing.T) {
	alone(t)
	for name, value := range map[string]string{
		"SOURCE": "none", "NATS_LISTEN": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0", "DATA_DIR": t.TempDir(), "NATS_URL": "",
		"WEBHOOK_URL": "http://" + nobody(t), "NOTIFY": "shadow",
	} {
		t.Setenv("BELLBUOY_"+name, value)
	}
	var cfg upConfig
	if err := config.Load("BELLBUOY", &cfg); err != nil {
		t.Fatal(err)
	}
	if got := upUntil(t, cfg, "leaves this host"); !strings.HasPrefix(got, banner) {
		t.Errorf("printed\n%s", got)
	}
}
