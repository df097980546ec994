package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestRecoveringIsWhatIsWellAndOnlyWatched(t *testing.T) {
	c := watch(t)
	db := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "db"}
	step := 0
	see := func(s svc) bool {
		c.see(snapshot(after(time.Duration(step)*i), s))
		step++
		return c.memory.Recovering(db)
	}
	want(t, see(up("db")), false)
	want(t, see(down("db")), false) // holds
	want(t, see(down("db")), false) // fires
	want(t, see(up("db")), true)
	want(t, see(down("db")), false)
	for range 4 {
		want(t, see(up("db")), true)
	}
	want(t, see(up("db")), false) // cleared
}

// Nobody knows that it is well because it has not happened again.
func TestWhatHappensIsNotRecoveringForThat(t *testing.T) {
	c := watch(t)
	api := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "api"}
	c.see(snapshot(start, up("api")))
	c.see(snapshot(after(i), oomed("api", after(i/2))))
	c.see(snapshot(after(2*i), oomed("api", after(i/2))))
	want(t, c.memory.Recovering(api), false)
}
