package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/micro"
)

// Service is a NATS micro service: what people ask, each verb under Subjects().API(verb).
type Service struct {
	Name        string // [A-Za-z0-9_-]
	Version     string // semantic
	Description string
	Endpoints   []Endpoint
}

// Endpoint answers one verb. What Handle returns goes out as JSON; an *APIError as it is, any other error with the
// code CodeInternal and its own words.
type Endpoint struct {
	Verb   string
	Handle func(ctx context.Context, body []byte) (any, error)
}

// Codes of an APIError. They are those of HTTP.
const (
	CodeBadRequest = "400"
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
	d.running.Wait()
	if err != nil && b.nc.IsConnected() {
		b.log.Warn("service did not stop in order", "err", err)
	}
	return nil
}

// desk answers some requests at once; more wait.
type desk struct {
	bus     *Bus
	free    chan struct{}
	running sync.WaitGroup
}

func (d *desk) handler(ctx context.Context, e Endpoint) micro.HandlerFunc {
	return func(r micro.Request) {
		d.free <- struct{}{}
		d.running.Go(func() {
			defer func() { <-d.free }()
			d.bus.answer(ctx, e, r)
		})
	}
}

func (b *Bus) answer(ctx context.Context, e Endpoint, r micro.Request) {
	var body []byte
	err := sheltered(func() error {
		v, err := e.Handle(ctx, r.Data())
		if err != nil {
			return err
		}
		if body, err = json.Marshal(v); err == nil && int64(len(body)) > b.nc.MaxPayload() {
			return &APIError{CodeInternal, "the answer is larger than a message may be: ask for less"}
		}
		return err
	})
	if err == nil {
		err = r.Respond(body)
	}
	if err == nil {
		return
	}
	told := b.told(e.Verb, err)
	if err := r.Error(told.Code, oneLine(told.Message), nil); err != nil {
		b.log.Warn("request not answered", "verb", e.Verb, "err", err)
	}
}

// told is what whoever asked learns of err.
func (b *Bus) told(verb string, err error) *APIError {
	if api, ok := errors.AsType[*APIError](err); ok {
		return api
	}
	if p, ok := errors.AsType[panicError](err); ok {
		b.log.Error("handler panicked", "verb", verb, "err", p, "stack", string(p.stack))
		return &APIError{CodeInternal, "the analyzer met a fault of its own; its log has the details"}
	}
	b.log.Warn("request failed", "verb", verb, "err", err)
	return &APIError{CodeInternal, err.Error()}
}
