// Package channelfile reads the file that configures channels: any number of them, of any kind, and the routes that say
// which of them is told of what. It knows YAML and how a file is laid out. What kinds of channel there are and what may be
// set of each is given by whoever opens them; who is told of what is decided by package route.
//
//	channels:
//	  - name: ops                      # as `bellbuoy preview --channel`, routes and conversations call it
//	    kind: webhook
//	    url_file: /run/secrets/ops     # a secret, in a file; or url: with the value itself
//	routes:                            # tried in their order: the first one that matches has the conversation
//	  - name: shop-by-day
//	    match: {severity: [warning, critical], namespace: shop, days: mon-fri, hours: "09:00-17:00", zone: Europe/Berlin}
//	    to: [ops]
//	    escalate: {after: 15m, to: [pager]}
//	    continue: true
//	default: [ops]                     # of what no route has; without it every channel
//	people:                            # who may say verbs; without it everybody whom a channel vouches for
//	  - {name: Anna, role: responder, slack: U0123ABCD, webhook: anna, nats: anna}
//	others: viewer                     # whoever is not listed
//	in:                                # keys that replies to POST /in/webhook are signed with
//	  - {name: anna, secret_file: /run/secrets/in-anna}
//
// An option of a channel is its kind's variable of the environment in lower case, without the kind: WEBHOOK_URL is url
// there. All mistakes are reported at once, each with its line and how to put it right, and none shows a value of an
// option.
package channelfile

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/route"
)

// Kind is one kind of channel.
type Kind struct {
	Name     string                   // such as webhook
	Begin    string                   // what its variables begin with, such as WEBHOOK_
	New      func() any               // a pointer to a struct of its options, which are read by their env tags
	Missing  func(options any) string // an option that it cannot be without and that is not set; empty: none
	Mentions func(options any) bool   // whether its posts can call somebody by name
}

// Channel is one that the file declares.
type Channel struct {
	Name, Kind string
	Line       int
	Options    any // what the kind's New gave, filled
}

// Contents is what a file says.
type Contents struct {
	Channels []Channel
	Routes   route.Routes
	People   people.Roster
	Keys     []Key
}

// maxChannels and maxRoutes bound what is compared with each conversation.
const (
	maxChannels = 50
	maxRoutes   = 200
)

// Read reads a file's text. The options of a key are those of the kind in. Its error is a yamlfile.Mistakes, and then there
// are no contents.
func Read(text []byte, kinds []Kind, in Kind) (Contents, error) {
	d := decoder{Reader: yamlfile.Reader{Secret: true}, kinds: kinds, in: in}
	d.file(text)
	if err := d.Err(); err != nil {
		return Contents{}, err
	}
	return Contents{d.channels, d.routes, d.everybody(), d.keys}, nil
}

// decoder walks the nodes of one file.
type decoder struct {
	yamlfile.Reader
	kinds    []Kind
	channels []Channel
	broken   []string // names of channels that could not be read
	routes   route.Routes

	roster    people.Roster
	spoken    map[string]said // names and ids of people
	in        Kind
	keys      []Key
	keysNamed []*yaml.Node // by people
}

func (d *decoder) file(text []byte) {
	top := d.Document(text)
	if top == nil {
		if len(d.Mistakes) == 0 {
			d.Wrong(0, `declare one: "channels:" and below it "- name: ops", kind and its options`, "the file declares no channel")
		}
		return
	}
	parts := map[string]*yaml.Node{}
	before := len(d.Mistakes)
	d.Pairs(top, "the file", []string{"channels", "routes", "default", "people", "others", "in"}, func(key, value *yaml.Node) { parts[key.Value] = value })
	if n := parts["channels"]; n != nil {
		d.allChannels(n)
	} else if len(d.Mistakes) == before {
		d.Wrong(0, `declare one: "channels:" and below it "- name: ops", kind and its options`, "the file declares no channel")
	}
	if n := parts["routes"]; n != nil && !yamlfile.Empty(n) {
		d.allRoutes(n)
	}
	if n := parts["default"]; n != nil {
		d.routes.Default = d.named("default", n, true)
	}
	d.replies(parts)
}

// replies reads who may say what.
func (d *decoder) replies(parts map[string]*yaml.Node) {
	if n := parts["in"]; n != nil {
		d.allKeys(n)
	}
	if n := parts["people"]; n != nil {
		d.allPeople(n)
	}
	if n := parts["others"]; n != nil {
		d.roster.Others = d.role("others", n)
	}
	d.keysThere()
}

const fixChannels = `write a list: "- name: ops", and below it kind and its options`

// name is how a channel may be called: it is part of subjects, of keys and of what people type.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// taken are names that Bellbuoy uses for something else where a channel's name stands.
var taken = []string{"api", "cli", "nats", "analyzer", "notifier", "collector"}

func (d *decoder) allChannels(n *yaml.Node) {
	switch {
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		d.Wrong(n.Line, fixChannels, "channels is no list")
		return
	case len(n.Content) > maxChannels:
		d.Wrong(n.Line, "let several routes share a channel", "%d channels are more than the %d that there may be", len(n.Content), maxChannels)
		return
	}
	for _, one := range n.Content {
		d.channel(one)
	}
	for _, c := range d.channels {
		d.routes.Channels = append(d.routes.Channels, c.Name)
	}
}

// channel reads one. Whatever is wrong with it, its name is known, so that routes that name it are not wrong as well.
func (d *decoder) channel(n *yaml.Node) {
	c := Channel{Line: n.Line}
	before := len(d.Mistakes)
	var options []pair
	var kind *yaml.Node
	d.Pairs(n, "the channel", nil, func(key, value *yaml.Node) {
		switch key.Value {
		case "name":
			c.Line = key.Line
			c.Name = d.channelName(value)
		case "kind":
			kind = value
		default:
			options = append(options, pair{key, value})
		}
	})
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		if c.Name == "" && len(d.Mistakes) == before {
			d.Wrong(n.Line, "give it one, such as name: ops", "the channel has no name")
		}
		d.ofKind(&c, n.Line, kind, options)
	}
	if len(d.Mistakes) > before {
		d.broken = append(d.broken, c.Name)
		return
	}
	d.channels = append(d.channels, c)
}

func (d *decoder) channelName(n *yaml.Node) string {
	switch i := slices.IndexFunc(d.channels, func(c Channel) bool { return c.Name == n.Value }); {
	case n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || !name.MatchString(n.Value):
		d.Wrong(n.Line, "write up to 32 lower-case letters, digits and -", "name: that cannot be the name of a channel")
		return ""
	case slices.Contains(taken, n.Value):
		d.Wrong(n.Line, "take another one, such as "+n.Value+"-1", "name: %q is what Bellbuoy calls something else", n.Value)
	case i >= 0:
		d.Wrong(n.Line, "give each a name of its own", "there are two channels called %q, the first on line %d", n.Value, d.channels[i].Line)
	case slices.Contains(d.broken, n.Value):
		d.Wrong(n.Line, "give each a name of its own", "there are two channels called %q", n.Value)
	}
	return n.Value
}
