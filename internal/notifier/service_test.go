package notifier_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

func TestTheServiceSaysWhatEachChannelWasTold(t *testing.T) {
	for name, c := range map[string]struct {
		mode   string
		status int
		want   client.ChannelTold
		says   string
	}{
		"told":    {notifier.NotifyOn, http.StatusOK, client.ChannelTold{Channel: "webhook", Revision: 1}, ""},
		"refused": {notifier.NotifyOn, http.StatusUnprocessableEntity, client.ChannelTold{Channel: "webhook", GaveUp: 1}, "422"},
		"shadow":  {notifier.NotifyShadow, http.StatusOK, client.ChannelTold{Channel: "webhook", Shadow: true, Revision: 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b, r := bustest.New(t), newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(c.status) })
			bustest.Start(t, open(t, b, r, c.mode, nil).Part().Run)
			conversation := channeltest.Opened("checkout")
			store(t, b, conversation)
			settled(t, b)
			got, err := client.New(b).Told(t.Context(), conversation.ID)
			if err != nil || len(got.Channels) != 1 {
				t.Fatalf("%v, %v", got, err)
			}
			if problem := got.Channels[0].Problem; !strings.Contains(problem, c.says) || (problem == "") != (c.says == "") {
				t.Errorf("problem %q, want %q in it", problem, c.says)
			}
			got.Channels[0].Problem = ""
			if diff := cmp.Diff(c.want, got.Channels[0]); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheServiceKnowsThatNoChannelIsConfiguredAndThatNobodyRuns(t *testing.T) {
	b := bustest.New(t)
	id := channeltest.Opened("checkout").ID
	if _, err := client.New(b).Told(t.Context(), id); !errors.Is(err, bus.ErrNobody) || !strings.Contains(err.Error(), "no notifier runs") {
		t.Errorf("without a notifier: %v", err)
	}
	n, err := notifier.New(notifier.Config{}, b, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := bustest.Start(t, n.Part().Run)
	defer stop()
	got, err := client.New(b).Told(t.Context(), id)
	for errors.Is(err, bus.ErrNobody) { // it is starting
		got, err = client.New(b).Told(t.Context(), id)
	}
	if err != nil || len(got.Channels) != 0 {
		t.Errorf("%v, %v; want no channel", got, err)
	}
	if _, err := b.Request(t.Context(), b.Subjects().API(client.VerbTold), []byte("x")); err == nil || !strings.Contains(err.Error(), "whole id") {
		t.Errorf("a request that is none: %v", err)
	}
}
