package detect_test

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// full is a node whose disk is full.
func (w *town) full(id, status string) {
	w.nodes[id] = node{ID: id, Status: status, Disks: disks(new(98.0), nil).Disks}
}

func TestANodeThatIsBackExplainsNothingByItsFullDisk(t *testing.T) {
	w := build(t, on(up("api"), "n1"))
	w.full("n1", "healthy")
	w.pass(50)
	w.full("n1", "down")
	w.set(on(up("api"), "!n1"))
	w.pass(3)
	w.tells("n1: node_down, disk", "api: service_down <- n1")
	w.full("n1", "healthy")
	w.pass(20)
	w.tells("n1: disk", "api: service_down")
}

func TestAServiceThatIsBackExplainsNothingByWhatElseIsTrueOfIt(t *testing.T) {
	w := build(t, up("db"), needing(up("api"), "db"))
	w.pass(4)
	w.set(down("db"), needing(down("api"), "db"))
	w.pass(3)
	w.tells("db: service_down", "api: service_down <- db")
	failed := up("db")
	failed.Labels = map[string]string{"bellbuoy.severity": schema.SeverityCritical}
	failed.LastFailure = &schema.Failure{At: w.at.Add(i), Reason: "oom", OOM: true}
	w.set(failed)
	w.pass(30)
	w.tells("db: oom_killed", "api: service_down")
}

// A database that flaps is kept open for 30 min. What fails while it runs is not its fault.
func TestWhatOnlyFlappingKeepsOpenExplainsNothing(t *testing.T) {
	w := build(t, up("db"), needing(up("api"), "db"), needing(up("web"), "db"))
	w.pass(4)
	for range 3 {
		w.set(down("db"))
		w.pass(3)
		w.set(up("db"))
		w.pass(6)
	}
	w.tells("db: service_down")
	w.set(needing(down("api"), "db")) // long after the database was well
	w.pass(3)
	w.tells("db: service_down", "api: service_down")
	w.set(down("db"))
	w.pass(1)
	w.set(needing(down("web"), "db"))
	w.pass(2)
	w.tells("db: service_down", "api: service_down <- db", "web: service_down <- db")
	w.set(up("db"))
	w.pass(14) // as after any other end of a cause
	w.tells("db: service_down", "api: service_down", "web: service_down")
}
