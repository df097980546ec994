package console

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// leastDigits is how many digits of an id are shown at least: as many as a REF needs.
const leastDigits = 4

// known are the ids that a printer has met, which its short ids keep apart.
type known struct {
	ids   []string          // sorted
	short map[string]string // what somebody who knows more said is enough
}

func newKnown() known { return known{short: map[string]string{}} }

// Know tells the printer of ids that it is to keep apart, beyond those that it meets.
func (p *Printer) Know(ids ...string) {
	for _, id := range ids {
		if i, found := slices.BinarySearch(p.known.ids, id); !found {
			p.known.ids = slices.Insert(p.known.ids, i, id)
		}
	}
}

// Call makes short the printed form of an id, by the word of whoever knows all ids. Empty: as many digits as keep it
// apart from those that the printer knows.
func (p *Printer) Call(id, short string) {
	p.Know(id)
	if strings.HasPrefix(id, short) && len(short) >= leastDigits {
		p.known.short[id] = short
	}
}

// ID is as much of an id as keeps it apart from the others that the printer knows, at least four digits.
func (p *Printer) ID(id string) string {
	p.Know(id)
	if s := p.known.short[id]; s != "" {
		return s
	}
	i, _ := slices.BinarySearch(p.known.ids, id)
	n := leastDigits
	for _, j := range []int{i - 1, i + 1} {
		if j >= 0 && j < len(p.known.ids) {
			n = max(n, common(id, p.known.ids[j])+1)
		}
	}
	return id[:min(n, len(id))]
}

// Short gives for each id its beginning that no other of them has, at least four digits.
func Short(ids []string) map[string]string {
	p := &Printer{known: newKnown()}
	p.known.ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	short := make(map[string]string, len(ids))
	for _, id := range ids {
		short[id] = p.ID(id)
	}
	return short
}

// common counts the digits with which both begin.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// object is how an object is named: with its cluster, unless that is the only one.
func (p *Printer) object(cluster string, o schema.Object) string {
	name := o.String()
	if o.Kind == schema.KindNode {
		name = "node/" + name
	}
	if cluster != p.o.Cluster || cluster == "" {
		name = cluster + "/" + name
	}
	return clean(name)
}
