package doctor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
)

func TestEachChannelOfAFileIsLookedAt(t *testing.T) {
	down := freeAddress(t)
	found := doctor.Examine(t.Context(), doctor.Options{
		NATS: bus.Options{URL: "nats://127.0.0.1:1"},
		File: []doctor.Channel{
			{Name: "pager", Kind: "webhook", Options: &webhook.Config{URL: config.Secret("http://" + down + secretPath), Secret: signature}, URL: config.Secret("http://" + down + secretPath)},
			{Name: "shop", Kind: "webhook", Options: &webhook.Config{URL: "http://169.254.169.254" + secretPath}, URL: "http://169.254.169.254" + secretPath},
			{Name: "chat", Kind: "slack", URL: "https://chat.invalid/api" + secretPath},
		},
	})
	var got []string
	for _, f := range found {
		if f.Area == doctor.AreaChannels || f.Area == doctor.AreaLeaves && f.Name != "stays here" {
			got = append(got, says(f)+"; "+f.Fix)
		}
		if strings.Contains(f.Name+f.What+f.Fix, "hunter2") {
			t.Errorf("a secret shows: %+v", f)
		}
	}
	want := []string{
		"FAULT channels/pager connect to http://" + down + ": dial tcp " + down + ": connect: connection refused; start the receiver, or correct host and port in url of channel pager in BELLBUOY_CHANNELS_FILE",
		"FAULT channels/shop connect to http://169.254.169.254: the address may not be posted to: ",
		"warn channels/shop posts are not signed, so that the receiver cannot tell them from anybody's; set secret of channel shop in BELLBUOY_CHANNELS_FILE",
		"off channels/chat the way to a slack is not looked at: `bellbuoy test chat` goes it; ",
		"ok leaves/169.254.169.254 conversations with redacted evidence; kept as the receiver does: channel shop; ",
		"ok leaves/chat.invalid conversations with redacted evidence; kept as the receiver does: channel chat; ",
	}
	for i := range min(len(want), len(got)) {
		got[i] = got[i][:min(len(got[i]), len(want[i]))]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
