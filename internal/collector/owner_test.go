package collector_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// ownerOf reads who owns the stored record of cluster prod.
func ownerOf(t *testing.T, l *ledger) (host string, released bool) {
	t.Helper()
	var kept struct {
		Owner struct {
			Host     string
			Released bool
		}
	}
	if err := json.Unmarshal(l.records["windows.prod"], &kept); err != nil {
		t.Fatal(err)
	}
	return kept.Owner.Host, kept.Owner.Released
}

// twoMachines are collectors of one cluster's name on two machines, of which the first was first.
func twoMachines(t *testing.T) (l *ledger, one, other *world, theirs *engine) {
	t.Helper()
	l, theirs = newLedger(), newEngine()
	one, other = collect(t, l, newEngine().fake()), collect(t, l, theirs.fake())
	one.At("one")
	other.At("other")
	one.at(t, start)
	other.at(t, start.Add(time.Second))
	return l, one, other, theirs
}

func TestSecondMachineOfANameDoesNotTouchTheFirstOnesRecord(t *testing.T) {
	l, one, other, theirs := twoMachines(t)
	puts := l.puts
	theirs.happens("f1", source.Failed, start)
	for i := range 3 {
		at := start.Add(time.Duration(i) * 15 * time.Second)
		one.at(t, at)
		got := other.at(t, at.Add(time.Second))
		if diff := cmp.Diff(counts{1, 0, 1, 0}, countsOf(t, got)); diff != "" || got.Host != "other" {
			t.Errorf("of host %q, counts (-want +got):\n%s", got.Host, diff)
		}
	}
	if host, _ := ownerOf(t, l); host != "one" || strings.Contains(string(l.records["windows.prod"]), `"reason"`) {
		t.Errorf("the record of %s: %s", host, l.records["windows.prod"])
	}
	if l.puts > puts+2 {
		t.Errorf("stored %d times more, the first machine's own word is due once", l.puts-puts)
	}
	err := other.Part().Ready()
	if err == nil || !strings.Contains(err.Error(), "other and one") || !strings.Contains(err.Error(), "BELLBUOY_CLUSTER") {
		t.Errorf("readiness of the second: %v", err)
	}
	if err := one.Part().Ready(); err != nil {
		t.Errorf("readiness of the first: %v", err)
	}
}

func TestRecordIsTakenOverFromOneThatLeftOrFellSilent(t *testing.T) {
	tests := []struct {
		name  string
		leave func(t *testing.T, one *world)
		after time.Duration
		want  string
	}{
		{"goodbye", func(t *testing.T, one *world) { one.Stop(t.Context(), start.Add(2*time.Second)) }, 3 * time.Second, "other"},
		{"silent", func(_ *testing.T, one *world) { one.kill() }, time.Minute + time.Second, "other"},
		{"not-yet-silent", func(_ *testing.T, one *world) { one.kill() }, 55 * time.Second, "one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, one, other, theirs := twoMachines(t)
			theirs.happens("f1", source.Failed, start)
			other.at(t, start.Add(2*time.Second))
			tt.leave(t, one)
			got := other.at(t, start.Add(tt.after))
			if diff := cmp.Diff(counts{1, 0, 1, 0}, countsOf(t, got)); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if host, _ := ownerOf(t, l); host != tt.want {
				t.Errorf("the record is %s's", host)
			}
			if ready := other.Part().Ready() == nil; ready != (tt.want == "other") {
				t.Errorf("ready: %v", ready)
			}
		})
	}
}

func TestOwnerThatWasTakenOverStandsBy(t *testing.T) {
	l, one, other, _ := twoMachines(t)
	other.at(t, start.Add(time.Hour)) // the first was suspended
	if host, _ := ownerOf(t, l); host != "other" {
		t.Fatalf("the record is %s's", host)
	}
	one.at(t, start.Add(time.Hour+time.Second))
	if host, _ := ownerOf(t, l); host != "other" || one.Part().Ready() == nil {
		t.Errorf("the record is %s's, and the first is ready: %v", host, one.Part().Ready())
	}
	one.Stop(t.Context(), start.Add(time.Hour+2*time.Second))
	if _, released := ownerOf(t, l); released {
		t.Error("one that stood by released the other's record")
	}
}

func TestClockOfTheOwnerDoesNotDecideWhetherItIsSilent(t *testing.T) {
	tests := []struct {
		name  string
		clock time.Duration // of the first machine before that of the second
		lives bool
		want  string
	}{
		{"fast-and-gone", 24 * time.Hour, false, "other"},
		{"slow-and-there", -24 * time.Hour, true, "one"},
		{"fast-and-there", 24 * time.Hour, true, "one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger()
			one, other := collect(t, l, newEngine().fake()), collect(t, l, newEngine().fake())
			one.At("one")
			other.At("other")
			one.at(t, start.Add(tt.clock))
			for after := time.Second; after < 3*time.Minute; after += 15 * time.Second {
				other.at(t, start.Add(after))
				if tt.lives {
					one.at(t, start.Add(tt.clock+after))
				}
			}
			if host, _ := ownerOf(t, l); host != tt.want {
				t.Errorf("the record is %s's", host)
			}
		})
	}
}

func TestOwnerWhoseClockIsSetBackGoesOnSayingThatItIsThere(t *testing.T) {
	l := newLedger()
	one := collect(t, l, newEngine().fake())
	one.At("one")
	one.at(t, start)
	puts := l.puts
	for i := range 5 {
		one.at(t, start.Add(time.Duration(i)*15*time.Second-time.Hour))
	}
	if l.puts < puts+2 {
		t.Errorf("stored %d times more in a minute", l.puts-puts)
	}
}

func TestSourcesGoOnOnlyFromWhatTheirOwnMachineLeft(t *testing.T) {
	tests := []struct {
		name    string
		machine string // of the second collector; the first is on m1
		leaves  bool   // the first one says goodbye
		state   string // that the second one's source is opened with
		want    counts // of the second one's first snapshot
	}{
		{"another-machine-beside-it", "m2", false, "", counts{}},
		{"another-machine-after-it", "m2", true, "", counts{1, 0, 1, 0}},
		{"container-made-anew", "m1", true, "1", counts{1, 0, 1, 0}},
		{"container-made-anew-after-it-was-killed", "m1", false, "1", counts{1, 0, 1, 0}},
		{"machine-that-is-not-known", "", true, "", counts{1, 0, 1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, ours, theirs := newLedger(), newEngine(), newEngine()
			first, second := collect(t, l, ours.fake()), collect(t, l, theirs.fake())
			first.In("c1", "m1")
			second.In("c2", tt.machine)
			ours.happens("f1", source.Failed, start)
			if tt.machine == "m1" {
				theirs.happens("f1", source.Failed, start) // the same engine has the same log
			}
			first.at(t, start)
			if tt.leaves {
				first.Stop(t.Context(), start.Add(time.Second))
			}
			first.kill()
			got := second.at(t, start.Add(2*time.Second))
			if diff := cmp.Diff([]string{tt.state}, theirs.opened); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, countsOf(t, got)); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			second.at(t, start.Add(2*time.Minute))
			if host, _ := ownerOf(t, l); host != "c2" || second.Part().Ready() != nil {
				t.Errorf("two minutes later the record is %s's, and the second is ready: %v", host, second.Part().Ready())
			}
		})
	}
}

func TestIDIsTheMachinesAndTheClusters(t *testing.T) {
	id := collector.Identity("web1", "prod")
	if id != collector.Identity("web1", "prod") || id == collector.Identity("web1", "test") || !strings.HasPrefix(id, "web1-") || len(id) != len("web1-")+8 {
		t.Errorf("id %q", id)
	}
}

func TestHostWithTheReservedNameNeedsAClusterName(t *testing.T) {
	b := bustest.New(t)
	_, err := collector.NewWith(collector.Config{Cluster: "bellbuoy"}, b, b.Kept("collector"), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("error: %v", err)
	}
}
