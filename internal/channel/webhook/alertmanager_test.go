package webhook_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// notificationSent is the whole webhook body that Alertmanager documents, version 4, with what 0.32 and 0.34 have added.
type notificationSent struct {
	Version            string            `json:"version"`
	GroupKey           string            `json:"groupKey"`
	TruncatedAlerts    uint64            `json:"truncatedAlerts"`
	Receiver           string            `json:"receiver"`
	Status             string            `json:"status"`
	NotificationReason string            `json:"notification_reason"`
	GroupLabels        map[string]string `json:"groupLabels"`
	CommonLabels       map[string]string `json:"commonLabels"`
	CommonAnnotations  map[string]string `json:"commonAnnotations"`
	RouteLabels        map[string]string `json:"routeLabels"`
	ExternalURL        string            `json:"externalURL"`
	Alerts             []struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	} `json:"alerts"`
}

// strictly decodes a body as a receiver does that knows Alertmanager's fields and no other.
func strictly(t *testing.T, body []byte) notificationSent {
	t.Helper()
	var n notificationSent
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		t.Fatalf("a receiver of Alertmanager's refuses the body: %v\n%.400s", err, body)
	}
	if n.Version != "4" || len(n.Alerts) != 1 || n.RouteLabels == nil || n.GroupLabels == nil || n.Alerts[0].Labels["alertname"] == "" ||
		len(n.Alerts[0].Fingerprint) != 16 || n.Status != n.Alerts[0].Status || (n.Status == "firing") != n.Alerts[0].EndsAt.IsZero() {
		t.Errorf("not as Alertmanager says it: %+v", n)
	}
	return n
}

func TestAlertmanagerReasonsAndLabels(t *testing.T) {
	opened := channeltest.Opened("checkout")
	opened.Labels = map[string]string{"team": "shop", "bad-name": "x", "severity": "none", "runbook": "https://runbooks.example/x"}
	tests := []struct {
		name           string
		c              schema.Conversation
		told           channel.Told
		reason, status string
	}{
		{"opened", opened, channel.Told{}, "first notification", "firing"},
		{"diagnosed", channeltest.Add(opened, schema.EventDiagnosed), known(1), "repeat interval elapsed", "firing"},
		{"escalated", channeltest.Add(opened, schema.EventEscalated), known(1), "repeat interval elapsed", "firing"},
		{"over", channeltest.Add(opened, schema.EventCleared), known(1), "all alerts resolved", "resolved"},
		{"over-before-it-was-told", channeltest.Add(opened, schema.EventCleared), channel.Told{}, "all alerts resolved", "resolved"},
		{"reopened", channeltest.Add(opened, schema.EventCleared, schema.EventReopened), known(2), "first notification", "firing"},
	}
	ch := newReceiver(t).channel(t, webhook.Config{Format: webhook.FormatAlertmanager})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := ch.Next(tt.c, tt.told, channel.Terms{})
			if !ok {
				t.Fatal("nothing to post")
			}
			n := strictly(t, p.Body)
			if n.NotificationReason != tt.reason || n.Status != tt.status {
				t.Errorf("says %q, %s; want %q, %s", n.NotificationReason, n.Status, tt.reason, tt.status)
			}
			labels := n.Alerts[0].Labels
			if labels["team"] != "shop" || labels["severity"] != "critical" || labels["service"] != "checkout" || labels["bad-name"] != "" || labels["runbook"] != "" {
				t.Errorf("labels %v", labels)
			}
			if n.Alerts[0].Annotations["runbook_url"] != "https://runbooks.example/x" {
				t.Errorf("annotations %v", n.Alerts[0].Annotations)
			}
		})
	}
}
