package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Dead prints dead letters as a table, as of now, and how to go on.
func (p *Printer) Dead(r client.DeadResponse, now time.Time) {
	if len(r.Letters) == 0 {
		p.write("nothing was given up\n")
		return
	}
	t := Table{Head: []string{"ID", "AGE", "BY", "WHAT", "WHY", "SIZE"}, Gives: []int{4, 3, 2}}
	for _, l := range r.Letters {
		t.Rows = append(t.Rows, []Cell{
			{Text: number(l.ID)}, {Text: Span(now.Sub(l.At))}, {Text: gaveUp(l)}, {Text: l.About}, {Text: l.Reason}, {Text: size(l.Size)},
		})
	}
	p.Table(t)
	next := "bellbuoy dead ID" + gap + "bellbuoy dead retry|drop ID"
	if r.More {
		next = fmt.Sprintf("%d of %d: bellbuoy dead --all", len(r.Letters), r.Total) + gap + next
	}
	for _, line := range gaps(next, p.width(), wrapped) {
		p.write(p.paint(dim, line) + "\n")
	}
}

// gaveUp is who gave up, by the part of it where that is known.
func gaveUp(l client.Letter) string {
	if l.Consumer != "" {
		return l.Who + " " + l.Consumer
	}
	return dash(l.Who)
}

// Letter prints a whole dead letter. Its body is text that somebody else wrote: it is cleaned, line by line.
func (p *Printer) Letter(l client.Letter, now time.Time) {
	var b strings.Builder
	p.titled(&b, number(l.ID)+"  ", clean(l.About)+" was given up")
	p.row(&b, "when", l.At.In(p.o.Location).Format(time.DateTime)+", "+Span(now.Sub(l.At))+" ago")
	p.row(&b, "by", clean(gaveUp(l)))
	p.row(&b, "why", clean(l.Reason))
	if l.Subject != "" {
		p.whole(&b, "message", clean(fmt.Sprintf("number %d on %s", l.Seq, l.Subject)))
	}
	p.row(&b, "size", size(l.Size))
	if l.SHA256 != "" {
		p.whole(&b, "SHA-256", clean(l.SHA256))
	}
	if l.Kind == client.DeadPost {
		p.whole(&b, "about", "bellbuoy show "+clean(l.Conversation))
	}
	p.whole(&b, "next", "bellbuoy dead retry "+number(l.ID)+"   ·   bellbuoy dead drop "+number(l.ID))
	if l.Body != nil && *l.Body != "" {
		b.WriteString("\n" + strings.TrimRight(scrub.Clean(*l.Body), "\n") + "\n")
		if len(*l.Body) < l.Size {
			b.WriteString(p.paint(dim, fmt.Sprintf("(this is what is kept of %s)", size(l.Size))) + "\n")
		}
	}
	p.write(b.String())
}

// Retried says what came of a letter that was tried again with success.
func (p *Printer) Retried(r client.Retried) {
	said := map[string]string{
		client.RetryPosted:  "posted: " + r.Kinds,
		client.RetryStored:  "stored again; what comes of it shows in bellbuoy watch",
		client.RetryNothing: "nothing is to be told any more: " + r.Reason,
	}[r.Outcome]
	end := "; its letter is dropped"
	if r.Kept != "" {
		end = "; its letter stays: " + r.Kept
	}
	p.Notice(number(r.Letter.ID) + ", the " + r.Letter.About + ": " + said + end)
}

// Shadow says, before anything else, that nothing is sent to those channels.
func (p *Printer) Shadow(channels []string) {
	text := "SHADOW: nothing is sent"
	if len(channels) > 0 {
		text += " to " + clean(strings.Join(channels, ", "))
	}
	p.write(p.paint(shadowColour, text+" (BELLBUOY_NOTIFY=shadow)") + "\n")
}

// shadowColour is that of the line that nobody may overlook: reversed.
const shadowColour = "1;7"

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// size is a number of bytes for people.
func size(bytes int) string {
	const kilo, mega = 1000, 1000 * 1000
	switch {
	case bytes >= mega:
		return fmt.Sprintf("%.1f MB", float64(bytes)/mega)
	case bytes >= kilo:
		return fmt.Sprintf("%.1f KB", float64(bytes)/kilo)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
