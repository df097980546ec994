package doctor

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

func TestWhatKeepsAChannelFromDeliveringIsAFaultWithItsFix(t *testing.T) {
	for state, want := range map[string]struct {
		level Level
		fix   string
	}{
		client.ChannelOK:      {OK, ""},
		client.ChannelPausing: {Warn, "raise what its receiver allows"},
		client.ChannelBroken:  {Fault, "bring its receiver back"},
		client.ChannelGone:    {Fault, "another URL"},
		client.ChannelSetup:   {Fault, "correct the channel's settings"},
	} {
		f := delivers(client.Channel{Channel: "ops", State: state, Text: "so it is", Waiting: 2})
		if f.Level != want.level || f.Name != "channel ops" || !strings.Contains(f.Fix, want.fix) || (f.Fix == "") != (want.fix == "") {
			t.Errorf("%s: %+v", state, f)
		}
		if state != client.ChannelOK && f.What != "so it is; 2 conversations wait for it" {
			t.Errorf("%s says %q", state, f.What)
		}
	}
}
