package bus

import (
	"testing"
	"time"
)

func TestRecordsAreJoinedOnlyWhereThatIsFaster(t *testing.T) {
	tests := []struct {
		name string
		cost cost
		n    int
		want bool
	}{
		{"nothing-is-known", cost{}, 500, false},
		{"unsynced", cost{single: 40 * time.Microsecond, batch: 30 * time.Millisecond}, 500, false},
		{"synced", cost{single: time.Millisecond, batch: 30 * time.Millisecond}, 64, true},
		{"synced-but-few", cost{single: time.Millisecond, batch: 30 * time.Millisecond}, 30, false},
		{"synced-and-no-batch-yet", cost{single: time.Millisecond}, 21, true},
		{"never-so-few", cost{single: time.Second, batch: time.Millisecond}, joinFrom - 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cost.joins(tt.n); got != tt.want {
				t.Errorf("joins is %v", got)
			}
		})
	}
}

func TestWhatRecordsCostIsLearnedWhereManyAreOnTheirWay(t *testing.T) {
	c := cost{}.afterSingle(time.Second, singlyAtOnce/2-1)
	if c.single != 0 {
		t.Errorf("few at once make it %s", c.single)
	}
	c = c.afterSingle(32*time.Millisecond, 32)
	if c.single != time.Millisecond {
		t.Errorf("the first makes it %s", c.single)
	}
	for range 100 {
		c = c.afterSingle(64*time.Millisecond, 32)
	}
	if c.single < 1900*time.Microsecond || c.single > 2*time.Millisecond {
		t.Errorf("after many that took twice as long it is %s", c.single)
	}
	joined := 0
	for c.joins(100) && joined < 1000 {
		c = c.afterBatch(20 * time.Millisecond)
		joined++
	}
	if joined < 10 || joined > 200 {
		t.Errorf("going singly is tried again after %d batches", joined)
	}
}

func TestNoRecordIsTwiceInABatch(t *testing.T) {
	var waiting []*put
	for i := range joinFrom {
		waiting = append(waiting, &put{key: string(rune('a' + i))})
	}
	same, large := &put{key: "a"}, &put{key: "large", alone: true}
	batch, rest := joinable(append(waiting, same, large))
	if len(batch) != joinFrom || len(rest) != 2 || rest[0] != same || rest[1] != large {
		t.Errorf("%d go together, %d stay", len(batch), len(rest))
	}
}
