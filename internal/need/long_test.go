package need_test

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

func TestALongRunTriesAllSeedsAndAnyOtherAThird(t *testing.T) {
	for _, tt := range []struct {
		set       string
		all, want int
	}{{"", 30, 10}, {"", 40, 14}, {"", 1, 1}, {"0", 30, 10}, {"1", 30, 30}} {
		t.Setenv(need.LongRun, tt.set)
		if got := need.Seeds(tt.all); got != tt.want {
			t.Errorf("%s=%q: %d of %d, want %d", need.LongRun, tt.set, got, tt.all, tt.want)
		}
	}
}
