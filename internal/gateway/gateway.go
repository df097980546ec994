// Package gateway takes replies that other programs post over HTTP, signed as Standard Webhooks 1.0.0 says: POST
// /in/webhook. Each key is a sender by name. It says who speaks and what they may say, and has the reply stored; what
// becomes of it is the analyzer's to decide.
//
// Nothing is stored but what is signed with a key of its own, over this very body, at most five minutes ago. The message
// id of a reply is the key's name and the webhook-id, so that a message that is sent again is stored once. A reply is
// answered with 202 only once it is stored; where it cannot be, with 503, and the sender tries again. No secret and
// nothing of a body that was not signed is ever in an answer or a log.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Path is where replies are posted to.
const Path = "/in/webhook"

// Name is the channel that replies come through, and what the single key of the environment is called.
const Name = people.Webhook

// Config is one key.
type Config struct {
	Secret config.Secret `env:"WEBHOOK_IN_SECRET" unset:"replies by webhook are not taken" desc:"Takes replies at POST /in/webhook that are signed with it (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64; several, separated by commas, while they are being exchanged. Another one than that of the posts. With CHANNELS_FILE keys are in the file."`
}

// Validate says what is wrong with the secret, without its value.
func (c Config) Validate() error {
	if _, err := webhook.NewVerifier(c.Secret.Reveal()); err != nil {
		return config.Mistake{Name: "WEBHOOK_IN_SECRET", Problem: err.Error()}
	}
	return nil
}

// Key is a sender.
type Key struct {
	Name   string
	Secret config.Secret // one, or several separated by commas
}

// Desk is where conversations are found and replies stored.
type Desk interface {
	// Find gives the whole id of the conversation whose id begins with the digits. Its error is or wraps ErrUnknown or
	// ErrAmbiguous, or else says why nobody can tell now.
	Find(ctx context.Context, digits string) (id string, err error)
	// Store keeps a reply. It is repeated if there was one of the same reply id before, which is kept alone.
	Store(ctx context.Context, r schema.Reply) (repeated bool, err error)
}

// What Find answers.
var (
	ErrUnknown   = errors.New("there is no such conversation")
	ErrAmbiguous = errors.New("several conversations begin so")
)

// Bounds of what is taken.
const (
	maxBody   = 64 << 10        // bytes
	maxID     = 128             // bytes of a webhook-id
	window    = 5 * time.Minute // between a message's time and now, either way
	patience  = 5 * time.Second // with the server, for each reply
	perSecond = 5               // replies of one key, on the average
	burst     = 60              // replies of one key at once
)

// Gateway is an http.Handler for Path.
type Gateway struct {
	senders []*sender
	roster  people.Roster
	desk    Desk
	count   func(reason string)
	log     *slog.Logger
}

type sender struct {
	name     string
	verifier webhook.Verifier
	limit    *rate.Limiter
}

// New makes a gateway of its keys. Count is told of every reply: "" if it was stored, or why it was not.
func New(keys []Key, roster people.Roster, desk Desk, count func(reason string), log *slog.Logger) (*Gateway, error) {
	g := &Gateway{roster: roster, desk: desk, count: count, log: log}
	for _, k := range keys {
		v, err := webhook.NewVerifier(k.Secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("read the secret of key %s, which %w", k.Name, err)
		}
		for _, s := range g.senders {
			if s.verifier.Shares(v) {
				return nil, fmt.Errorf("keys %s and %s have a secret in common, so that nobody can tell whose a reply is: make one for each", s.name, k.Name)
			}
		}
		g.senders = append(g.senders, &sender{k.Name, v, rate.NewLimiter(perSecond, burst)})
	}
	return g, nil
}

// refusal is why a reply was not taken: the reason for counting, what the sender is told, and what the log is.
type refusal struct {
	status   int
	reason   string
	text     string
	mistakes []string
	after    time.Duration // to try again; 0: do not
	cause    error
}

// receipt answers a reply that is stored.
type receipt struct {
	Stored       bool   `json:"stored"`
	Reply        string `json:"reply"` // its id
	Conversation string `json:"conversation"`
	Repeated     bool   `json:"repeated,omitempty"` // it had been stored before
}

// ServeHTTP takes one reply.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	ctx, cancel := context.WithTimeout(q.Context(), patience)
	defer cancel()
	got, no := g.take(ctx, w, q, time.Now())
	switch {
	case no != nil:
		g.count(no.reason)
		g.refuse(w, no)
	case got.Repeated:
		g.count("repeated")
		respond(w, http.StatusAccepted, got)
	default:
		g.count("")
		respond(w, http.StatusAccepted, got)
	}
}

func (g *Gateway) refuse(w http.ResponseWriter, no *refusal) {
	if no.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(no.after.Seconds()))))
	}
	respond(w, no.status, struct {
		Error    string   `json:"error"`
		Mistakes []string `json:"mistakes,omitempty"`
	}{no.text, no.mistakes})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who is gone by now asks again
}

// take stores the reply of a request, or says as a refusal why not.
func (g *Gateway) take(ctx context.Context, w http.ResponseWriter, q *http.Request, now time.Time) (receipt, *refusal) {
	body, no := read(w, q)
	if no != nil {
		return receipt{}, no
	}
	id := q.Header.Get("Webhook-Id")
	from, no := g.signed(q.Header, id, body, now)
	if no != nil {
		return receipt{}, no
	}
	if wait := from.wait(now); wait > 0 {
		return receipt{}, &refusal{
			status: http.StatusTooManyRequests, reason: "rate", after: wait,
			text: fmt.Sprintf("more than %d replies a second come with this key: send this one again later", perSecond),
		}
	}
	said, mistakes := parse(body)
	if len(mistakes) > 0 {
		return receipt{}, &refusal{status: http.StatusBadRequest, reason: "body", text: "the body is not a reply: see mistakes", mistakes: mistakes}
	}
	got, no := g.store(ctx, from.name, Name+"-"+from.name+"-"+id, said)
	if no != nil {
		g.log.Info("reply by webhook not taken", "key", from.name, "reason", no.reason, "conversation", said.Conversation, "err", no.cause)
	}
	return got, no
}

// read gives the body of a request that may be one.
func read(w http.ResponseWriter, q *http.Request) ([]byte, *refusal) {
	kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, reason: "type", text: "the body is to be JSON, with Content-Type: application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, reason: "size", text: fmt.Sprintf("the body is larger than %d KB", maxBody>>10)}
	}
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: "body", text: "the body ended before it was whole"}
	}
	return body, nil
}

// signed gives whose the message is. Whoever cannot sign is not told what was wrong.
func (g *Gateway) signed(h http.Header, id string, body []byte, now time.Time) (*sender, *refusal) {
	no := func(reason string) *refusal {
		return &refusal{status: http.StatusUnauthorized, reason: reason, text: "the message is not signed with a key that is known here, or not now"}
	}
	at, ok := webhook.SentAt(h.Get("Webhook-Timestamp"))
	switch {
	case len(id) > maxID || !webhook.MessageID(id):
		return nil, no("id")
	case !ok || at.Before(now.Add(-window)) || at.After(now.Add(window)):
		return nil, no("time")
	}
	var from *sender
	for _, s := range g.senders {
		if s.verifier.Signed(id, at, body, h.Get("Webhook-Signature")) {
			from = s
		}
	}
	if from == nil {
		return nil, no("signature")
	}
	return from, nil
}

// wait is how long the sender is too fast; 0: it is not.
func (s *sender) wait(now time.Time) time.Duration {
	r := s.limit.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > 0 {
		r.CancelAt(now)
	}
	return d
}

// store has a reply stored that its author may say, under a reply id.
func (g *Gateway) store(ctx context.Context, key, id string, said schema.SignedReply) (receipt, *refusal) {
	conversationID, err := g.desk.Find(ctx, said.Conversation)
	switch {
	case errors.Is(err, ErrUnknown):
		return receipt{}, &refusal{status: http.StatusNotFound, reason: "unknown", text: err.Error(), cause: err}
	case errors.Is(err, ErrAmbiguous):
		return receipt{}, &refusal{status: http.StatusConflict, reason: "ambiguous", text: err.Error(), cause: err}
	case err != nil:
		return receipt{}, unavailable(err)
	}
	r := schema.Reply{
		Schema: schema.ReplyVersion, Conversation: conversationID, Text: said.Text, Verb: said.Verb, Until: said.Until, ID: id,
	}
	var role people.Role
	r.Author, role = g.roster.Who(people.Webhook, key, shown(said.Actor, key))
	if verb, _ := conversation.Intent(r); !g.roster.May(role, verb) {
		return receipt{}, &refusal{status: http.StatusForbidden, reason: "role", text: g.roster.Refusal(r.Author.Name, verb)}
	}
	repeated, err := g.desk.Store(ctx, r)
	if err != nil {
		return receipt{}, unavailable(err)
	}
	return receipt{Stored: true, Reply: id, Conversation: conversationID, Repeated: repeated}, nil
}

// shown is what somebody is called whom a sender names.
func shown(actor, key string) string {
	if actor == "" {
		return key
	}
	return fmt.Sprintf("%s (%s)", actor, key)
}

func unavailable(err error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, reason: "unavailable", after: patience, cause: err,
		text: "the reply cannot be stored now: send it again with the same webhook-id",
	}
}
