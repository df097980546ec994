package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// Service is a NATS micro service: what people ask, each verb under Subjects().API(verb).
type Service struct {
	Name        string // [A-Za-z0-9_-]
	Version     string // semantic
	Description string
	Endpoints   []Endpoint
}

// Endpoint answers one verb. Handle learns from CallerOf who asks, as far as the server attests it. What Handle returns goes out as JSON; an *APIError as it is, any other error with the
// code CodeInternal and its own words.
type Endpoint struct {
	Verb   string
	Handle func(ctx context.Context, body []byte) (any, error)
}

// Codes of an APIError. They are those of HTTP.
const (
	CodeBadRequest = "400"
	CodeForbidden  = "403"
	CodeNotFound   = "404"
	CodeConflict   = "409"
	CodeInternal   = "500"
)

// APIError is an error that whoever asked is told.
type APIError struct {
	Code    string
	Message string // for people
}

func (e *APIError) Error() string { return e.Message }

const maxRequests = 16 // answered at once, of each Serve

// Serve answers requests until ctx is done, shared with every other process that serves the same name. It returns
// nil after the running handlers have ended.
func (b *Bus) Serve(ctx context.Context, s Service) error {
	service, err := micro.AddService(b.nc, micro.Config{
		Name: s.Name, Version: s.Version, Description: s.Description,
		ErrorHandler: func(_ micro.Service, e *micro.NATSError) {
			b.log.Error("request not answered", "subject", e.Subject, "err", e.Description)
		},
	})
	if err != nil {
		return fmt.Errorf("serve %s: %w", s.Name, err)
	}
	api := service.AddGroup(b.below("api"))
	d := &desk{bus: b, free: make(chan struct{}, maxRequests)}
	for _, e := range s.Endpoints {
		if err := api.AddEndpoint(e.Verb, d.handler(ctx, e)); err != nil {
			return errors.Join(fmt.Errorf("serve %s %s: %w", s.Name, e.Verb, err), service.Stop())
		}
	}
	<-ctx.Done()
	err = service.Stop()
	d.close()
	if err != nil && b.nc.IsConnected() {
		b.log.Warn("service did not stop in order", "err", err)
	}
	return nil
}

// desk answers some requests at once; more wait.
type desk struct {
	bus  *Bus
	free chan struct{}

	mu      sync.Mutex
	closed  bool // no request is taken any more
	running sync.WaitGroup
}

// close waits for those that are being answered. The service may hand a last request over while it stops.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.running.Wait()
}

// run does do beside the caller, unless the desk is closed.
func (d *desk) run(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		<-d.free
		return
	}
	d.running.Go(func() {
		defer func() { <-d.free }()
		do()
	})
}

func (d *desk) handler(ctx context.Context, e Endpoint) micro.HandlerFunc {
	return func(r micro.Request) {
		d.free <- struct{}{}
		d.run(func() {
			ctx := context.WithValue(ctx, callerKey{}, attested(r.Headers().Get(callerHeader), r.Reply()))
			d.bus.reply(r.Reply(), e.Verb, func() (any, error) { return e.Handle(ctx, r.Data()) })
		})
	}
}

// reply sends what answer gives to the inbox of whoever asked: as JSON, or its error as that.
func (b *Bus) reply(inbox, what string, answer func() (any, error)) {
	var body []byte
	err := sheltered(func() error {
		v, err := answer()
		if err != nil {
			return err
		}
		if body, err = json.Marshal(v); err == nil && int64(len(body)) > b.nc.MaxPayload() {
			return &APIError{CodeInternal, "the answer is larger than a message may be: ask for less"}
		}
		return err
	})
	if err == nil {
		err = b.respond(inbox, &nats.Msg{Data: body})
	}
	if err == nil || errors.Is(err, ErrNotMine) {
		return
	}
	b.refuse(inbox, what, b.told(what, err))
}

// respond answers at an inbox. A micro request's own ways to answer keep the outcome in it, which the service reads as
// soon as the request has been handed over: they are for handlers that answer before they return.
func (b *Bus) respond(inbox string, m *nats.Msg) error {
	if m.Subject = inbox; inbox == "" {
		return nats.ErrMsgNoReply
	}
	return b.nc.PublishMsg(m)
}

// told is what whoever asked learns of err.
func (b *Bus) told(what string, err error) *APIError {
	if api, ok := errors.AsType[*APIError](err); ok {
		return api
	}
	if p, ok := errors.AsType[panicError](err); ok {
		b.log.Error("handler panicked", "about", what, "err", p, "stack", string(p.stack))
		return &APIError{CodeInternal, "whoever was to answer met a fault of its own; its log has the details"}
	}
	b.log.Warn("request failed", "about", what, "err", err)
	return &APIError{CodeInternal, err.Error()}
}
