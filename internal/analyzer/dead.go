package analyzer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// maxListed bounds what a list says of the reason, in bytes.
const maxListed = 500

// dead lists what was given up, or gives one letter of it whole.
func (a *Analyzer) dead(ctx context.Context, r client.DeadRequest) (client.DeadResponse, error) {
	if r.Ref != "" {
		l, err := a.letter(ctx, r.Ref)
		if err != nil {
			return client.DeadResponse{}, err
		}
		told, body := a.told(l), string(l.Body)
		told.Body = &body
		return client.DeadResponse{Letters: []client.Letter{told}, Total: 1}, nil
	}
	if r.Limit < 0 {
		return client.DeadResponse{}, badRequest(fmt.Errorf("dead: limit is a count, not %d", r.Limit))
	}
	if r.Limit == 0 {
		r.Limit = bus.MaxLetters
	}
	page, total, more, err := a.bus.Letters(ctx, r.Before, r.Limit)
	if err != nil {
		return client.DeadResponse{}, err
	}
	response := client.DeadResponse{Letters: []client.Letter{}, Total: total, More: more}
	for _, l := range page {
		told := a.told(l)
		told.Reason = scrub.Line(brief(told), maxListed)
		response.Letters = append(response.Letters, told)
	}
	return response, nil
}

// brief is the reason without what the rest of its line in a list says.
func brief(l client.Letter) string {
	if _, why, is := strings.Cut(l.Reason, " to channel "+l.Channel+": "); is && l.Channel != "" {
		return why
	}
	return l.Reason
}

// letter is the one that a person names by its id.
func (a *Analyzer) letter(ctx context.Context, ref string) (bus.Letter, error) {
	id, err := strconv.ParseUint(strings.TrimSpace(ref), 10, 64)
	if err != nil || id == 0 {
		return bus.Letter{}, badRequest(fmt.Errorf("dead: %q is no id of a dead letter, which is a number: bellbuoy dead lists them", scrub.Line(ref, 100)))
	}
	l, err := a.bus.Letter(ctx, id)
	if errors.Is(err, bus.ErrNotFound) {
		return l, notFound(fmt.Errorf("there is no dead letter %d, or it was dropped: bellbuoy dead lists those there are", id))
	}
	return l, err
}

// told is a letter as people are told of it, without its body.
func (a *Analyzer) told(l bus.Letter) client.Letter {
	t := client.Letter{
		ID: l.ID, Who: l.Who, At: l.At, Reason: l.Reason, Consumer: l.Consumer, Subject: l.Subject, Seq: l.Seq, Size: l.Size, SHA256: l.SHA256,
	}
	subjects := a.bus.Subjects()
	alertOf, _, alert, errAlert := subjects.ParseAlert(l.Subject)
	_, reply, errReply := subjects.ParseReply(l.Subject)
	cluster, errContext := subjects.ParseContext(l.Subject)
	of, errFinding := subjects.ParseFinding(l.Subject)
	switch {
	case errAlert == nil && l.Consumer == "":
		t.Kind, t.Conversation, t.Channel, t.About = client.DeadPost, alert, l.Who, "post to "+l.Who+" about "+a.aboutWhat(alert, alertOf)
	case errAlert == nil:
		t.Kind, t.Conversation, t.About = client.DeadAlert, alert, l.Consumer+" of "+a.aboutWhat(alert, alertOf)
	case errReply == nil:
		t.Kind, t.Conversation, t.About = client.DeadReply, reply, "reply to "+a.aboutWhat(reply, "")
	case errContext == nil:
		t.Kind, t.About = client.DeadSnapshot, "snapshot of "+cluster
	case errFinding == nil:
		t.Kind, t.About = client.DeadFinding, "finding about "+of
	case l.Subject == "" && l.Consumer == "" && l.Who != "":
		t.Kind, t.Channel, t.About = client.DeadDigest, l.Who, "digest for "+l.Who
	case l.Subject == "":
		t.Kind, t.About = client.DeadOther, "nobody can read what"
	default:
		t.Kind, t.About = client.DeadOther, "message on "+scrub.Line(l.Subject, maxListed)
	}
	return t
}

// aboutWhat is what a conversation is about, as far as it is known: with its cluster.
func (a *Analyzer) aboutWhat(id, cluster string) string {
	if c, known := a.index.Last(id); known {
		return c.Cluster + "/" + c.Object.String()
	}
	if cluster != "" {
		return cluster + ", " + id
	}
	return id
}

// again stores the message of a dead letter once more, as it was. What the analyzer may not write, it hands to who asks.
func (a *Analyzer) again(ctx context.Context, r client.AgainRequest) (client.AgainResponse, error) {
	if _, err := a.allow(ctx, "", client.VerbRetry); err != nil {
		return client.AgainResponse{}, err
	}
	l, err := a.letter(ctx, r.Ref)
	if err != nil {
		return client.AgainResponse{}, err
	}
	kind := a.told(l).Kind
	if why := unrepeatable(l, kind); why != "" {
		return client.AgainResponse{}, refused(l, why)
	}
	response := client.AgainResponse{Subject: l.Subject}
	if kind == client.DeadSnapshot {
		newest, err := a.newestOf(ctx, l.Subject)
		if err != nil {
			return response, err
		}
		if superseded(l, newest) {
			return response, refused(l, "a newer snapshot of that cluster has come since, and this one would take its place")
		}
		response.Over = newest.Seq
	}
	if !a.bus.MayWrite(bus.PartAnalyzer, l.Subject) {
		response.Body = string(l.Body)
		return response, nil
	}
	response.Seq, err = a.bus.Publish(ctx, l.Subject, l.Body, "")
	return response, err
}

func refused(l bus.Letter, why string) error {
	return &bus.APIError{Code: bus.CodeConflict, Message: fmt.Sprintf("dead letter %d cannot be tried again: %s", l.ID, why)}
}

// unrepeatable says why the message of a letter cannot be stored again; empty: it can.
func unrepeatable(l bus.Letter, kind string) string {
	switch kind {
	case client.DeadSnapshot, client.DeadReply, client.DeadFinding:
	case client.DeadPost:
		return "a notifier tries posts again, not an analyzer"
	case client.DeadDigest:
		return "what a digest told of is told by itself with its next event; bellbuoy list --all has it"
	case client.DeadAlert:
		return "an event is not stored twice: its conversation goes on with the next one, and bellbuoy show has it"
	default:
		return "nobody knows what it was"
	}
	sum := sha256.Sum256(l.Body)
	switch {
	case l.Size != len(l.Body) && l.Size > bus.MaxDeadBody:
		return fmt.Sprintf("only the beginning of its %d bytes is kept; whoever sent it has to send it again", l.Size)
	case l.Size != len(l.Body) || l.SHA256 != hex.EncodeToString(sum[:]):
		return "what is kept is not what it was, as secrets were taken out of it; whoever sent it has to send it again"
	}
	return ""
}

func (a *Analyzer) newestOf(ctx context.Context, subject string) (bus.Message, error) {
	cluster, err := a.bus.Subjects().ParseContext(subject)
	if err != nil {
		return bus.Message{}, err
	}
	m, err := a.bus.LastContext(ctx, cluster)
	if errors.Is(err, bus.ErrNotFound) {
		return bus.Message{}, nil
	}
	return m, err
}

// superseded tells whether the newest snapshot of the cluster came after the one that the letter is about, which is there
// itself as long as no other has come.
func superseded(l bus.Letter, newest bus.Message) bool {
	return newest.Seq != 0 && newest.Seq != l.Seq && (newest.Seq > l.Seq || newest.At.After(l.At))
}
