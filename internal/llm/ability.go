package llm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// Format is a way of asking for an answer of a known shape.
type Format string

// The formats, from the one that binds a model most to the one that every server takes.
const (
	FormatStrict Format = "strict" // the schema, to be kept strictly
	FormatSchema Format = "schema" // the schema, as well as the server can
	FormatObject Format = "object" // some JSON object; the schema stands in the prompt
	FormatText   Format = "text"   // text; the prompt asks for JSON in a fenced block
)

func formats() []Format { return []Format{FormatStrict, FormatSchema, FormatObject, FormatText} }

// next is the format below f; false: there is none.
func (f Format) next() (Format, bool) {
	all := formats()
	i := slices.Index(all, f) + 1
	if i <= 0 || i == len(all) {
		return f, false
	}
	return all[i], true
}

// Ability is what one model on one server takes: first what its dialect is known for, then what was learned.
type Ability struct {
	Format      Format    `json:"format"`          // the best that works
	Limit       string    `json:"limit"`           // the name that the limit of an answer goes by; "": it takes none
	Cap         int       `json:"cap,omitempty"`   // tokens of the longest answer that may be asked for; 0: any
	Temperature bool      `json:"temperature"`     // it takes one
	System      bool      `json:"system"`          // it takes a message of the role system
	Room        int       `json:"room,omitempty"`  // tokens, as we estimate them, of the longest prompt that it reads whole; 0: any
	Ratio       float64   `json:"ratio,omitempty"` // what it counts for a token of our estimate, where that is fewer; 0: one
	At          time.Time `json:"at,omitzero"`     // when the first of this was learned; zero: nothing was
	swapped     bool      // the other name of the limit has been tried
}

// goodFor is how long what was learned holds. Then everything is tried anew: servers are updated, models reloaded.
const goodFor = 24 * time.Hour

func (a Ability) stale(now time.Time) bool { return !a.At.IsZero() && now.Sub(a.At) >= goodFor }

// valid refuses what no process of ours has learned.
func (a Ability) valid() bool {
	return slices.Contains(formats(), a.Format) && slices.Contains([]string{"", limitOld, limitNew}, a.Limit) &&
		a.Cap >= 0 && a.Room >= 0 && (a.Ratio == 0 || a.Ratio >= minRatio && a.Ratio <= 1) && !a.At.IsZero()
}

// Learned keeps what was learned of models, so that other processes and the next start need not learn it again. A key
// is one token of [a-z0-9], for one server and model.
type Learned interface {
	// Load gives what is kept; false: nothing is.
	Load(ctx context.Context, key string) (Ability, bool, error)
	Save(ctx context.Context, key string, a Ability) error
}

// Keep makes c read and write what it learns there. It is to be called before the first Complete.
func (c *Client) Keep(l Learned) { c.learned = l }

// Key is one token of [a-z0-9] for the server and the model, the same for every client of them.
func (c *Client) Key() string { return c.key }

// learnedKey names a server and a model; neither can be read out of it.
func learnedKey(base, model string) string {
	sum := sha256.Sum256([]byte(base + "\x00" + model))
	return hex.EncodeToString(sum[:12])
}

// keptWithin bounds a look at what is kept, which no question may wait for.
const keptWithin = 2 * time.Second

// ability is what is known now. What is a day old is forgotten first.
func (c *Client) ability(ctx context.Context) Ability {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.stale(time.Now()) {
		c.known, c.most, c.recalled = c.dialect.ability(c.model), 0, false
	}
	if !c.recalled {
		c.recalled = true
		c.recall(ctx)
	}
	return c.known
}

// recall takes over what another process has learned.
func (c *Client) recall(ctx context.Context) {
	if c.learned == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keptWithin)
	defer cancel()
	a, ok, err := c.learned.Load(ctx, c.key)
	switch {
	case err != nil:
		c.log.WarnContext(ctx, "read what was learned of the model: it is learned anew", "host", c.host, "model", c.model, "error", err)
	case ok && a.valid() && !a.stale(time.Now()):
		c.known = a
	}
}

// learn changes what is known, and keeps it if that makes a difference.
func (c *Client) learn(ctx context.Context, change func(*Ability)) {
	c.mu.Lock()
	before := c.known
	change(&c.known)
	now := c.known
	if now != before && now.At.IsZero() {
		now.At = time.Now().UTC()
		c.known = now
	}
	c.mu.Unlock()
	if now == before || c.learned == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keptWithin)
	defer cancel()
	if err := c.learned.Save(ctx, c.key, now); err != nil {
		c.log.WarnContext(ctx, "keep what was learned of the model: it is learned again after the next start", "host", c.host, "model", c.model, "error", err)
	}
}

// take gives a what tried has become different in from was, for two calls may have learned different things meanwhile.
func (a *Ability) take(was, tried Ability) {
	if tried.Format != was.Format {
		a.Format = tried.Format
	}
	if tried.Limit != was.Limit {
		a.Limit, a.swapped = tried.Limit, tried.swapped
	}
	if tried.Cap != was.Cap {
		a.Cap = tried.Cap
	}
	a.Temperature = a.Temperature && tried.Temperature
	a.System = a.System && tried.System
}
