package bus_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// accounts has people in accounts of their own, of which one tells who they are, and one that does not.
const accounts = `
accounts {
  CORE { users: [{user: core, password: p}], exports: [{service: "bellbuoy.api.>"}] }
  OPS { users: [{user: anna, password: p}], imports: [{service: {account: CORE, subject: "bellbuoy.api.>"}, share: true}] }
  SHY { users: [{user: ben, password: p}], imports: [{service: {account: CORE, subject: "bellbuoy.api.>"}}] }
}`

func TestWhoAsksIsWhomTheServerAttests(t *testing.T) {
	url := bustest.Raw(t, accounts)
	b, err := bus.Connect(t.Context(), bus.Options{URL: strings.Replace(url, "://", "://core:p@", 1), Log: bustest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	callers := make(chan bus.Caller, 1)
	bustest.Start(t, func(ctx context.Context) error {
		return b.Serve(ctx, bus.Service{Name: "s", Version: "1.0.0", Endpoints: []bus.Endpoint{{
			Verb: "who", Handle: func(ctx context.Context, _ []byte) (any, error) {
				callers <- bus.CallerOf(ctx)
				return "", nil
			},
		}}})
	})
	forged := `{"acc":"OPS","user":"anna"}`
	tests := []struct {
		name, user, header string
		want               bus.Caller
	}{
		{"shared", "anna", "", bus.Caller{Account: "OPS", User: "anna"}},
		{"shared-and-forged", "anna", `{"acc":"OPS","user":"ben"}`, bus.Caller{Account: "OPS", User: "anna"}},
		{"not-shared", "ben", "", bus.Caller{}},
		{"not-shared-and-forged", "ben", forged, bus.Caller{}},
		{"within-the-account", "core", "", bus.Caller{}},
		{"within-the-account-and-forged", "core", forged, bus.Caller{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := nats.Connect(url, nats.UserInfo(tt.user, "p"))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			m := nats.NewMsg("bellbuoy.api.who")
			if tt.header != "" {
				m.Header.Set("Nats-Request-Info", tt.header)
			}
			ask(t, nc, m)
			if got := <-callers; got != tt.want {
				t.Errorf("caller %+v, want %+v", got, tt.want)
			}
		})
	}
}

// ask waits for the service to be there.
func ask(t *testing.T, nc *nats.Conn, m *nats.Msg) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, err := nc.RequestMsgWithContext(ctx, m)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// Nobody can pretend that the server carried a request over from another account.
func TestTheServerRefusesForgedInboxesOfImports(t *testing.T) {
	url := bustest.Raw(t, accounts)
	problems := make(chan error, 10)
	nc, err := nats.Connect(url, nats.UserInfo("core", "p"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { problems <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("bellbuoy.api.who")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("bellbuoy.api.who", "_R_.forged", nil); err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("bellbuoy.api.who", "honest", nil); err != nil {
		t.Fatal(err)
	}
	m, err := sub.NextMsg(20 * time.Second)
	if err != nil || m.Reply != "honest" {
		t.Errorf("got %+v, %v", m, err)
	}
}
