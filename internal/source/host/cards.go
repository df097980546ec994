package host

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// card is what is remembered of one graphics processor, for as long as none can be read.
type card struct {
	Index  int    `json:"index"`
	Model  string `json:"model,omitempty"`
	Counts bool   `json:"counts,omitempty"` // it has told how many errors it counted, once at least
}

// unknown are the graphics processors of which only is known that they were there.
func (m *memory) unknown() []schema.GPUSummary {
	var list []schema.GPUSummary
	for _, c := range m.Cards {
		list = append(list, schema.GPUSummary{Index: c.Index, Model: c.Model})
	}
	return list
}

// counts tells whether one of the graphics processors counts its errors.
func (m *memory) counts() bool {
	return slices.ContainsFunc(m.Cards, func(c card) bool { return c.Counts })
}

// meet remembers the graphics processors that there are. One that counted errors and no longer says how many is a card
// in trouble, not one that does not count.
func (m *memory) meet(list []schema.GPUSummary) {
	before := m.Cards
	m.Cards = nil
	for _, g := range list {
		counted := slices.ContainsFunc(before, func(c card) bool { return c.Index == g.Index && c.Counts })
		m.Cards = append(m.Cards, card{g.Index, g.Model, counted || g.ErrorsTotal != nil})
	}
}

// gpus says what happened to the graphics processors as a whole, and remembers which there are.
func (m *memory) gpus(r gpuReading, node string, now time.Time) []source.Happening {
	h := source.Happening{At: now, Kind: source.Noted, Object: schema.Object{Kind: schema.KindNode, Name: node}, Event: "gpu_lost"}
	switch {
	case errors.Is(r.err, errNoGPU), errors.Is(r.err, errNotYet):
		return nil
	case r.err != nil && (m.Lost || len(m.Cards) == 0):
		return nil
	case r.err != nil:
		m.Lost = true
		h.Text = fmt.Sprintf("none of %d graphics processors can be read: %v", len(m.Cards), r.err)
	case m.Lost:
		m.Lost = false
		m.meet(r.list)
		h.Event, h.Text = "gpu_back", fmt.Sprintf("%d graphics processors can be read again", len(r.list))
	case len(r.list) < len(m.Cards):
		h.Text = fmt.Sprintf("%d of %d graphics processors are left", len(r.list), len(m.Cards))
		m.meet(r.list)
	default:
		m.meet(r.list)
		return nil
	}
	h.Key = node + "/" + h.Event + "/" + strconv.FormatInt(now.Unix(), 10)
	return []source.Happening{h}
}
