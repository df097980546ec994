package bus_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestKeptRecordsChangeOnlyOnTopOfWhatTheirWriterSaw(t *testing.T) {
	b := bustest.New(t)
	k := b.Kept(bus.PartNotifier)
	if data, rev, err := k.Get(t.Context(), "told.webhook.x"); data != nil || rev != 0 || err != nil {
		t.Errorf("a missing record is %q, %d, %v", data, rev, err)
	}
	first, err := k.Put(t.Context(), "told.webhook.x", []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Put(t.Context(), "told.webhook.x", []byte("other"), 0); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("a second first one: %v, want ErrConflict", err)
	}
	if _, err := k.Put(t.Context(), "told.webhook.y", []byte("y"), 0); err != nil {
		t.Errorf("another record: %v", err)
	}
	second, err := k.Put(t.Context(), "told.webhook.x", []byte("two"), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Put(t.Context(), "told.webhook.x", []byte("late"), first); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("on top of a former one: %v, want ErrConflict", err)
	}
	data, rev, err := k.Get(t.Context(), "told.webhook.x")
	if string(data) != "two" || rev != second || err != nil {
		t.Errorf("record is %q, %d, %v; want two, %d", data, rev, err, second)
	}
}

func TestKeptEachSeesTheNewestOfItsPrefixOnly(t *testing.T) {
	b := bustest.New(t)
	k := b.Kept(bus.PartAnalyzer)
	for _, key := range []string{"memory.prod", "memory.test", "memory", "memoryless.x", "spend"} {
		rev, err := k.Put(t.Context(), key, []byte("old "+key), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Put(t.Context(), key, []byte("new "+key), rev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Kept(bus.PartNotifier).Put(t.Context(), "memory.x", nil, 0); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]map[string]string{
		"memory": {"memory.prod": "new memory.prod", "memory.test": "new memory.test"},
		"none":   {},
		"":       {"memory.prod": "new memory.prod", "memory.test": "new memory.test", "memory": "new memory", "memoryless.x": "new memoryless.x", "spend": "new spend"},
	} {
		got := map[string]string{}
		err := k.Each(t.Context(), prefix, func(key string, data []byte, rev uint64) error {
			got[key] = string(data)
			if rev == 0 {
				t.Errorf("%s has no revision", key)
			}
			return nil
		})
		if err != nil {
			t.Errorf("each of %q: %v", prefix, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("each of %q (-want +got):\n%s", prefix, diff)
		}
	}
}

func TestADroppedRecordIsMissingAndCanBeMadeAnew(t *testing.T) {
	k := bustest.New(t).Kept(bus.PartAnalyzer)
	first, err := k.Put(t.Context(), "memory.prod", []byte("one"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Drop(t.Context(), "memory.prod", first+1); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("dropped at another revision: %v, want ErrConflict", err)
	}
	if err := k.Drop(t.Context(), "memory.prod", first); err != nil {
		t.Fatal(err)
	}
	if err := k.Each(t.Context(), "", func(key string, _ []byte, _ uint64) error { return errors.New("there is " + key) }); err != nil {
		t.Error(err)
	}
	// What stands for the record goes after a second, before or after this.
	var data []byte
	for range 2 {
		rev := uint64(0)
		if data, rev, err = k.Get(t.Context(), "memory.prod"); data != nil || err != nil {
			t.Fatalf("a dropped record is %q, %v", data, err)
		}
		if _, err = k.Put(t.Context(), "memory.prod", []byte("two"), rev); !errors.Is(err, bus.ErrConflict) {
			break
		}
	}
	if data, _, _ = k.Get(t.Context(), "memory.prod"); string(data) != "two" || err != nil {
		t.Errorf("made anew it is %q, %v", data, err)
	}
}

func TestKeptRefusesKeysThatAreNoTokens(t *testing.T) {
	k := bustest.New(t).Kept(bus.PartNotifier)
	for _, key := range []string{"", "a..b", "a.*", ">", "a b", "a."} {
		if _, err := k.Put(t.Context(), key, nil, 0); err == nil {
			t.Errorf("key %q is taken", key)
		}
	}
}
