package collector

import (
	"maps"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// nodes puts the nodes of all sources together. Several sources may know one machine, each something of it: the first
// that knows a field wins. What only an old part knows of a machine that another source reads now is unknown, because
// nothing would mark it as old: a node is stale as a whole or not at all. names are those of Collector.names.
func (c *Collector) nodes(names map[string]string) []schema.NodeSummary {
	all := []schema.NodeSummary{}
	at := map[string]int{}
	for _, stale := range []bool{false, true} {
		for _, r := range c.readers {
			if r.absent != nil || (r.failed != nil) != stale {
				continue
			}
			at = addNodes(&all, at, renamed(r.part.Snapshot.Nodes, names), stale)
		}
	}
	return all
}

// addNodes adds the nodes of one source. at is where each node of the earlier ones stands; a second node of the same
// name within one source is no reading of the same machine, and is left for the bounds to drop.
func addNodes(all *[]schema.NodeSummary, at map[string]int, nodes []schema.NodeSummary, stale bool) map[string]int {
	own := map[string]int{}
	for _, n := range nodes {
		_, again := own[n.ID]
		i, known := at[n.ID]
		if known && !again {
			if stale && !(*all)[i].Stale {
				n = unknown(n)
			}
			merge(&(*all)[i], n)
			own[n.ID] = i
			continue
		}
		n.Stale = n.Stale || stale
		if !again {
			own[n.ID] = len(*all)
		}
		*all = append(*all, n)
	}
	maps.Copy(own, at)
	return own
}

// unknown is what remains of a node when nothing is known of it any more: what there is of it, and no number. Its disks
// and graphics processors stay, so that what was true of them is neither well nor gone.
func unknown(n schema.NodeSummary) schema.NodeSummary {
	known := schema.NodeSummary{ID: n.ID, Address: n.Address}
	for _, d := range n.Disks {
		known.Disks = append(known.Disks, schema.DiskSummary{Mount: d.Mount})
	}
	for _, g := range n.GPUs {
		known.GPUs = append(known.GPUs, schema.GPUSummary{Index: g.Index, Model: g.Model})
	}
	return known
}

// merge takes over what n does not say and more does.
func merge(n *schema.NodeSummary, more schema.NodeSummary) {
	n.Address, n.Status = or(n.Address, more.Address), or(n.Status, more.Status)
	if n.CPUPercent == nil {
		n.CPUPercent = more.CPUPercent
	}
	if n.MemoryPercent == nil {
		n.MemoryPercent = more.MemoryPercent
	}
	if n.BootAt.IsZero() {
		n.BootAt = more.BootAt
	}
	if n.LastSeen.IsZero() {
		n.LastSeen = more.LastSeen
	}
	if len(n.Disks) == 0 {
		n.Disks = slices.Clone(more.Disks)
	}
	if len(n.GPUs) == 0 {
		n.GPUs = slices.Clone(more.GPUs)
	}
}
