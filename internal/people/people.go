// Package people knows who may say what: the people of the file of channels, and their roles. It decides from what a gateway
// says of whoever spoke, and does nothing else. How words become verbs is package conversation's to say.
//
// Without people everybody whom a gateway vouches for may do everything, as nothing has been set. With them, whatever
// changes something is for those alone who are listed as responders; asking is for everybody.
package people

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Role says what somebody may do.
type Role string

// Roles there are.
const (
	Viewer    Role = "viewer"    // asks
	Responder Role = "responder" // also says every verb
)

// Roles lists them, the one that may least first.
func Roles() []Role { return []Role{Viewer, Responder} }

// Kinds of gateway that know people by ids of their own.
const (
	Slack   = "slack"   // user ids
	Webhook = "webhook" // names of inbound keys
	NATS    = "nats"    // users that the server attests
)

// Kinds lists them.
func Kinds() []string { return []string{Slack, Webhook, NATS} }

// Person is one who is listed.
type Person struct {
	Name string
	Role Role
	IDs  map[string][]string // by kind
}

// Roster is who is listed, and what the others may do. Its zero value lists nobody.
type Roster struct {
	People []Person
	Others Role // of whoever is not listed; empty: viewer
}

// Who says how somebody is shown and what role they have. Kind and id are the gateway's, which vouches for them; without an
// id nobody does, and what is shown is a claim. Nobody who is not listed is shown under a listed name: the kind is
// added to it, so that RoleOf may go by the name of a verified author.
func (r Roster) Who(kind, id, shown string) (schema.Author, Role) {
	for _, p := range r.People {
		if id != "" && slices.Contains(p.IDs[kind], id) {
			return schema.Author{Name: p.Name, Channel: kind, Verified: true}, p.Role
		}
	}
	if shown = strings.TrimSpace(shown); shown == "" {
		shown = id
	}
	if id != "" && r.named(shown) != nil {
		shown = fmt.Sprintf("%s (%s %s)", shown, kind, id)
	}
	return schema.Author{Name: shown, Channel: kind, Verified: id != ""}, r.others()
}

// RoleOf is the role of an author that Who gave. A claim is never that of somebody who is listed.
func (r Roster) RoleOf(a schema.Author) Role {
	if p := r.named(a.Name); p != nil && a.Verified && p.Name == a.Name {
		return p.Role
	}
	return r.others()
}

// named gives who is shown under that name, or one that looks the same at a glance.
func (r Roster) named(name string) *Person {
	i := slices.IndexFunc(r.People, func(p Person) bool { return Same(p.Name, name) })
	if i < 0 {
		return nil
	}
	return &r.People[i]
}

// Same tells whether two names differ in nothing but case and spaces.
func Same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

func (r Roster) others() Role {
	switch {
	case len(r.People) == 0 && r.Others == "":
		return Responder
	case r.Others == "":
		return Viewer
	}
	return r.Others
}

// May tells whether that role may say a verb, by its name in package conversation; an empty one is a question. Verbs that
// are not known here are for responders.
func (r Roster) May(role Role, verb string) bool {
	return role == Responder || verb == "" || verb == conversation.VerbHelp
}

// maxNamed is how many are named of those who may.
const maxNamed = 5

// Refusal says to somebody in one sentence that they may not say the verb, and who may. An empty verb is whatever changes
// something.
func (r Roster) Refusal(author, verb string) string {
	if author = strings.TrimSpace(author); author == "" {
		author = "whoever wrote this"
	}
	if verb == "" {
		verb = "change anything"
	}
	return fmt.Sprintf("Sorry, %s may ask here but not %s: %s.", author, verb, r.responders())
}

// responders says who may.
func (r Roster) responders() string {
	var names []string
	for _, p := range r.People {
		if p.Role == Responder {
			names = append(names, p.Name)
		}
	}
	if r.others() == Responder {
		return "whoever is not listed as a viewer may"
	}
	switch n := len(names); {
	case n == 0:
		return "nobody is listed as a responder"
	case n == 1:
		return names[0] + " may"
	case n > maxNamed:
		return fmt.Sprintf("%s and %d more may", strings.Join(names[:maxNamed], ", "), n-maxNamed)
	default:
		return fmt.Sprintf("%s and %s may", strings.Join(names[:n-1], ", "), names[n-1])
	}
}
