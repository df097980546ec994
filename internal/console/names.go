package console

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

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
	if strings.HasPrefix(id, short) && len(short) >= client.MinPrefix {
		p.known.short[id] = short
	}
}

// ID is as much of an id as keeps it apart from the others that the printer knows, at least as much as a REF needs.
func (p *Printer) ID(id string) string {
	p.Know(id)
	if s := p.known.short[id]; s != "" {
		return s
	}
	i, _ := slices.BinarySearch(p.known.ids, id) // it is there by now
	return client.ShortOf(p.known.ids, i)
}

// object is how an object is named: with its cluster, unless that is the only one.
func (p *Printer) object(cluster string, o schema.Object) string {
	name := o.String()
	switch o.Kind {
	case schema.KindNode, schema.KindSource:
		name = o.Kind + "/" + name
	case schema.KindCluster: // is named by itself
		return clean(o.Kind + "/" + name)
	}
	if cluster != p.o.Cluster || cluster == "" {
		name = cluster + "/" + name
	}
	return clean(name)
}
