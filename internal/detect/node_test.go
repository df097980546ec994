package detect_test

import (
	"testing"
	"time"
)

func TestNodeDown(t *testing.T) {
	seen := func(ago time.Duration) func(time.Time) time.Time {
		return func(at time.Time) time.Time { return at.Add(-ago) }
	}
	never := func(time.Time) time.Time { return time.Time{} }
	tests := []struct {
		name     string
		status   string
		lastSeen func(time.Time) time.Time
		first    bool // found in the first snapshot
		second   bool
	}{
		{"reported-down", "down", never, false, true},
		{"reported-down-and-seen-lately", "down", seen(i), false, true},
		{"not-seen-for-two-minutes", "healthy", seen(2 * time.Minute), false, false},
		{"not-seen-for-more-than-two-minutes", "healthy", seen(2*time.Minute + time.Second), true, true},
		{"draining", "draining", never, false, false},
		{"state-unknown-and-seen", "", seen(i), false, false},
		{"state-unknown-and-not-seen", "", seen(time.Hour), true, true},
		{"nothing-known", "", never, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			see := func(at time.Time) bool {
				return len(c.see(nodes(at, node{ID: "n1", Status: tt.status, LastSeen: tt.lastSeen(at)})).Findings) > 0
			}
			want(t, see(start), tt.first)
			want(t, see(after(i)), tt.second)
		})
	}
}

func TestNodeThatWasDrainingIsMildForHalfAnHour(t *testing.T) {
	c := watch(t)
	c.see(nodes(start, node{ID: "n1", Status: "draining"}))
	for n := 1; n <= 200; n++ {
		r := c.see(nodes(after(time.Duration(n)*i), node{ID: "n1", Status: "down", LastSeen: start}))
		switch {
		case n < 2:
			want(t, len(r.Findings), 0)
		case n < 121: // down since the second snapshot
			want(t, firing(r), []string{"n1 node_down info"})
		default:
			want(t, firing(r), []string{"n1 node_down critical"})
		}
	}
	r := c.see(nodes(after(201*i), node{ID: "n1", Status: "healthy"}))
	want(t, r.Findings[0].Conditions[0].Title, "node n1 is down")
	want(t, r.Findings[0].Conditions[0].Facts, []string{"reported down", "last seen at 08:00:00 UTC", "it was draining"})
}

func TestNodeThatWasHealthyAgainIsNoLongerDraining(t *testing.T) {
	c := watch(t)
	for n, status := range []string{"draining", "healthy", "down"} {
		c.see(nodes(after(time.Duration(n)*i), node{ID: "n1", Status: status}))
	}
	want(t, firing(c.see(nodes(after(3*i), node{ID: "n1", Status: "down"}))), []string{"n1 node_down critical"})
}

func TestNodeThatWasDrainingStaysMildUntilItsBeingBackIsSure(t *testing.T) {
	for _, downFor := range []int{20, 118} { // intervals; the clear hold of the latter goes on beyond half an hour
		c := watch(t)
		c.see(nodes(start, node{ID: "n1", Status: "draining"}))
		n := 1
		for ; n <= downFor; n++ {
			c.see(nodes(after(time.Duration(n)*i), node{ID: "n1", Status: "down"}))
		}
		for end := n + 4; n < end; n++ {
			want(t, firing(c.see(nodes(after(time.Duration(n)*i), node{ID: "n1", Status: "healthy"}))), []string{"n1 node_down info"})
		}
		want(t, len(c.see(nodes(after(time.Duration(n)*i), node{ID: "n1", Status: "healthy"})).Findings), 0)
	}
}
