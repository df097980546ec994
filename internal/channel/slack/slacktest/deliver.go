package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// Kinds of envelopes.
const (
	events      = "events_api"
	interactive = "interactive"
	commands    = "slash_commands"
)

const maxRetries = 3

// Delivery is one thing that the app is told over Socket Mode. Events are told again until somebody acknowledges
// them, three times at most; what a person pressed or typed is told once.
type Delivery struct {
	s       *Server
	kind    string
	payload any

	on       *socket
	attempt  int
	reason   string // of the latest attempt
	sent     int
	acked    bool
	lost     bool
	response json.RawMessage
}

func (d *Delivery) open() bool { return !d.acked && !d.lost }

// Acked waits until the app acknowledged it. It fails at once if Slack gave it up.
func (d *Delivery) Acked(ctx context.Context) error {
	lost := false
	err := d.s.Until(ctx, func() bool {
		d.s.mu.Lock()
		defer d.s.mu.Unlock()
		lost = d.lost
		return !d.open()
	})
	if err == nil && lost {
		return errors.New("nobody acknowledged it, and Slack gave it up")
	}
	return err
}

// Response is what the app acknowledged it with; nil if with nothing.
func (d *Delivery) Response() json.RawMessage {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.response
}

// Sent tells how often it was put on a connection.
func (d *Delivery) Sent() int {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.sent
}

// Lost tells whether Slack gave it up. A person who pressed something sees an error then.
func (d *Delivery) Lost() bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.lost
}

// deliver tells the app something, once anybody ever listened. Called with the lock held.
func (s *Server) deliver(kind string, payload any) *Delivery {
	d := &Delivery{s: s, kind: kind, payload: payload}
	if !s.sockets.used {
		d.lost = true
		return d
	}
	s.sockets.deliveries = append(s.sockets.deliveries, d)
	s.send(d)
	s.change()
	return d
}

// send puts a delivery on a connection, in the disorder that is asked for.
func (s *Server) send(d *Delivery) {
	o := &s.sockets.disorder
	if d.attempt == 0 && o.chance(o.Reorders) {
		s.sockets.held = append(s.sockets.held, d)
		return
	}
	if d.attempt == 0 && o.Delay > 0 && o.dice != nil {
		s.later(time.Duration(o.dice.Int64N(int64(o.Delay))), func() { s.pass(d) })
		return
	}
	s.pass(d)
}

// pass puts a delivery on a connection now, and behind it what was held for it.
func (s *Server) pass(d *Delivery) {
	if !d.open() {
		return
	}
	s.put(d)
	if o := &s.sockets.disorder; d.kind == events && d.on != nil && o.chance(o.Duplicates) {
		d.attempt, d.reason = d.attempt+1, "timeout"
		s.put(d)
	}
	s.release()
}

func (s *Server) release() {
	held := s.sockets.held
	s.sockets.held = nil
	for _, d := range held {
		if d.open() {
			s.put(d)
		}
	}
}

// put writes a delivery to the connection whose turn it is. Without a connection an event waits, and all else is lost.
func (s *Server) put(d *Delivery) {
	k := s.next()
	switch {
	case k == nil && d.kind == events:
		s.sockets.pending = append(s.sockets.pending, d)
		return
	case k == nil:
		d.lost = true
		return
	}
	id := fmt.Sprintf("envelope-%d", s.number())
	s.sockets.envelopes[id] = d
	d.on = k
	d.sent++
	e := map[string]any{"envelope_id": id, "type": d.kind, "payload": d.payload, "accepts_response_payload": d.kind != events}
	if d.kind == events {
		e["retry_attempt"], e["retry_reason"] = d.attempt, d.reason
	}
	k.push(e)
	attempt := d.attempt
	s.later(s.ackWithin, func() {
		if d.attempt == attempt {
			s.again(d, "timeout")
		}
	})
}

// next gives the connections their turns. One that is frozen has its turn as well: Slack does not know.
func (s *Server) next() *socket {
	there := slices.DeleteFunc(slices.Clone(s.sockets.live), func(k *socket) bool { return k.leaving || k.closed })
	if len(there) == 0 {
		return nil
	}
	s.sockets.turn++
	return there[s.sockets.turn%len(there)]
}

// again tells an event once more, or gives the delivery up. Called with the lock held.
func (s *Server) again(d *Delivery, why string) {
	if !d.open() {
		return
	}
	if d.kind != events || d.attempt >= maxRetries {
		d.lost = true
		return
	}
	d.attempt, d.reason = d.attempt+1, why
	attempt := d.attempt
	s.later(s.retries[min(attempt-1, len(s.retries)-1)], func() {
		if d.attempt == attempt && d.open() {
			s.put(d)
		}
	})
}

// later does something under the lock after a while, unless the workspace is closed; at once if there is no while.
func (s *Server) later(after time.Duration, do func()) {
	if after <= 0 {
		do()
		return
	}
	s.sockets.timers = append(s.sockets.timers, time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-s.over:
		default:
			do()
			s.change()
		}
	}))
}

// Expire lets the time for acknowledging, and that between retries, be over now: every event that is not acknowledged
// is told again, all else is given up.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.sockets.deliveries {
		waits := slices.Contains(s.sockets.pending, d) || slices.Contains(s.sockets.held, d)
		if !d.open() || waits {
			continue
		}
		if d.kind != events || d.attempt >= maxRetries {
			d.lost = true
			continue
		}
		d.attempt, d.reason = d.attempt+1, "timeout"
		s.put(d)
	}
	s.change()
}

// Settled sends what is held back, and waits until everything is acknowledged or given up.
func (s *Server) Settled(ctx context.Context) error {
	s.mu.Lock()
	s.release()
	s.change()
	s.mu.Unlock()
	return s.Until(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !slices.ContainsFunc(s.sockets.deliveries, (*Delivery).open)
	})
}

// heard reads one frame of the client, which acknowledges an envelope.
func (s *Server) heard(kind int, text []byte) {
	var ack struct {
		ID      string          `json:"envelope_id"`
		Payload json.RawMessage `json:"payload"`
	}
	bad := json.Unmarshal(text, &ack)
	d := s.sockets.envelopes[ack.ID]
	switch {
	case kind != websocket.TextMessage || bad != nil || d == nil:
		s.problem("a frame that acknowledges nothing: %.200q", text)
		return
	case ack.Payload != nil && d.kind == events:
		s.problem("an event was acknowledged with a payload: %.200q", text)
	}
	d.acked, d.response = true, ack.Payload
	delete(s.sockets.envelopes, ack.ID)
}

func (s *Server) problem(format string, a ...any) {
	s.sockets.problems = append(s.sockets.problems, fmt.Sprintf(format, a...))
}

// Problems tells what the client did on its connections that makes no sense to Slack.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sockets.problems)
}

// Disorder is how far Slack is from telling everything once and in order.
type Disorder struct {
	Duplicates float64       // the share of events that are told twice
	Reorders   float64       // the share of deliveries that the next one passes; Settled sends what is left
	Delay      time.Duration // how long at most a delivery takes
}

type disorder struct {
	Disorder
	dice *rand.Rand
}

func (o *disorder) chance(share float64) bool { return o.dice != nil && o.dice.Float64() < share }

// Disorder brings disorder into what the app is told from now on. The same seed brings the same.
func (s *Server) Disorder(seed uint64, o Disorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.disorder = disorder{o, rand.New(rand.NewPCG(seed, seed))}
}
