package channelfile

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/people"
)

// Key is one that replies by webhook are signed with.
type Key struct {
	Name    string
	Line    int
	Options any // what the New of the kind of keys gave, filled
}

const (
	maxPeople     = 1000
	maxPersonName = 100 // bytes
	maxPersonID   = 200 // bytes
	maxKeys       = 100
	fixPeople     = `write a list: "- name: Anna", and below it role: responder and slack: U0123ABCD`
	fixKeys       = `write a list: "- name: anna", and below it secret_file: and the path of a file that holds the secret`
)

// ReadPeople reads the people of a file and no other part of it, which may have mistakes. Its error is a
// yamlfile.Mistakes.
func ReadPeople(text []byte) (people.Roster, error) {
	d := decoder{Reader: yamlfile.Reader{Secret: true}}
	if top := d.Document(text); top != nil {
		d.Pairs(top, "the file", nil, func(key, value *yaml.Node) {
			switch key.Value {
			case "people":
				d.allPeople(value)
			case "others":
				d.roster.Others = d.role("others", value)
			}
		})
	}
	if err := d.Err(); err != nil {
		return people.Roster{}, err
	}
	return d.everybody(), nil
}

// everybody is the roster as it counts.
func (d *decoder) everybody() people.Roster {
	if len(d.roster.People) > 0 && d.roster.Others == "" {
		d.roster.Others = people.Viewer
	}
	return d.roster
}

func (d *decoder) allPeople(n *yaml.Node) {
	switch {
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		d.Wrong(n.Line, fixPeople+"; without people, others: viewer lets nobody change anything", "people is no list of people")
		return
	case len(n.Content) > maxPeople:
		d.Wrong(n.Line, "list those who may change something, and let the rest be others", "%d people are more than the %d that there may be", len(n.Content), maxPeople)
		return
	}
	d.spoken = map[string]said{}
	for _, one := range n.Content {
		d.person(one)
	}
}

// said is where a name or an id was given, and to whom.
type said struct {
	line int
	who  string
}

func (d *decoder) person(n *yaml.Node) {
	p := people.Person{IDs: map[string][]string{}}
	before, has := len(d.Mistakes), false
	d.Pairs(n, "the person", append([]string{"name", "role"}, people.Kinds()...), func(key, value *yaml.Node) {
		switch key.Value {
		case "name":
			p.Name, has = d.personName(value), true
		case "role":
			p.Role = d.role("role", value)
		}
	})
	if len(d.Mistakes) == before {
		switch {
		case !has:
			d.Wrong(n.Line, "give one, such as name: Anna", "the person has no name")
		case p.Role == "":
			d.Wrong(n.Line, "say which: "+roles(), "%s has no role", p.Name)
		}
	}
	d.personIDs(&p, n)
	if len(d.Mistakes) == before {
		d.roster.People = append(d.roster.People, p)
	}
}

func (d *decoder) personName(n *yaml.Node) string {
	name := strings.Join(strings.Fields(n.Value), " ")
	strange := func(r rune) bool { return !unicode.IsPrint(r) || r == '(' || r == ')' }
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || name == "" || len(name) > maxPersonName || strings.ContainsFunc(name, strange) {
		d.Wrong(n.Line, "write up to 100 bytes of letters, without brackets: they are put behind the names of those who are not listed", "name: that cannot be the name of a person")
		return ""
	}
	d.once("name", strings.ToLower(name), name, n.Line, "there are two people called %q, the first on line %d", "give each a name of its own")
	return name
}

// once takes down that a person has something that nobody else may have. The problem says what and on which line.
func (d *decoder) once(kind, value, who string, line int, problem, fix string) {
	key := kind + " " + value
	if first, twice := d.spoken[key]; twice {
		d.Wrong(line, fix, problem, who, first.line)
		return
	}
	d.spoken[key] = said{line, who}
}

func roles() string {
	var all []string
	for _, r := range people.Roles() {
		all = append(all, string(r))
	}
	return strings.Join(all, " or ")
}

func (d *decoder) role(what string, n *yaml.Node) people.Role {
	role := people.Role(n.Value)
	if n.Kind != yaml.ScalarNode || !slices.Contains(people.Roles(), role) {
		d.Wrong(n.Line, "write "+roles(), "%s: that is no role", what)
		return people.Viewer
	}
	return role
}

var slackID = regexp.MustCompile(`^[UW][A-Z0-9]{6,31}$`)

// personIDs reads by what the gateways know the person.
func (d *decoder) personIDs(p *people.Person, n *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		kind, value := n.Content[i].Value, n.Content[i+1]
		if !slices.Contains(people.Kinds(), kind) {
			continue
		}
		all := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode && len(value.Content) > 0 {
			all = value.Content
		}
		for _, one := range all {
			if id := d.personID(kind, one); id != "" {
				p.IDs[kind] = append(p.IDs[kind], id)
				d.once(kind, id, kind, one.Line, "that %s id was given to somebody already, on line %d", "give each person ids of their own")
			}
		}
	}
}

func (d *decoder) personID(kind string, n *yaml.Node) string {
	fix := "write one, or a list of them"
	if kind == people.Slack {
		fix = "write the member ID that Slack shows in a profile under Copy member ID, such as U0123ABCD"
	}
	switch id := strings.TrimSpace(n.Value); {
	case n.Kind != yaml.ScalarNode || yamlfile.Empty(n) || id == "" || len(id) > maxPersonID || strings.ContainsFunc(id, unicode.IsControl):
		d.Wrong(n.Line, fix, "%s: there is no id", kind)
	case kind == people.Slack && !slackID.MatchString(id):
		d.Wrong(n.Line, fix, "slack: that is no member ID")
	case kind == people.Webhook:
		d.keysNamed = append(d.keysNamed, n)
		return id
	default:
		return id
	}
	return ""
}

func (d *decoder) allKeys(n *yaml.Node) {
	switch {
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		d.Wrong(n.Line, fixKeys, "in is no list of keys")
		return
	case len(n.Content) > maxKeys:
		d.Wrong(n.Line, "let several people of one system share a key", "%d keys are more than the %d that there may be", len(n.Content), maxKeys)
		return
	}
	for _, one := range n.Content {
		d.key(one)
	}
}

func (d *decoder) key(n *yaml.Node) {
	c := Channel{Line: n.Line, Kind: d.in.Name}
	before := len(d.Mistakes)
	var options []pair
	d.Pairs(n, "the key", nil, func(key, value *yaml.Node) {
		if key.Value != "name" {
			options = append(options, pair{key, value})
			return
		}
		c.Line = key.Line
		if c.Name = value.Value; value.Kind != yaml.ScalarNode || !name.MatchString(c.Name) {
			d.Wrong(value.Line, "write up to 32 lower-case letters, digits and -", "name: that cannot be the name of a key")
		}
	})
	if len(d.Mistakes) > before {
		return
	}
	if c.Name == "" {
		d.Wrong(n.Line, "give it one, such as name: anna", "the key has no name")
		return
	}
	c.Options = d.in.New()
	d.fill(&c, &d.in, n.Line, options)
	for _, k := range d.keys {
		if k.Name == c.Name {
			d.Wrong(c.Line, "give each a name of its own", "there are two keys called %q, the first on line %d", c.Name, k.Line)
		}
		if len(d.Mistakes) == before && reflect.DeepEqual(k.Options, c.Options) {
			d.Wrong(c.Line, "make one for each, with: echo whsec_$(openssl rand -base64 32)", "keys %s and %s have the same secret, so that nobody can tell whose a reply is", k.Name, c.Name)
		}
	}
	d.keys = append(d.keys, Key{c.Name, c.Line, c.Options})
}

// keysThere refuses people who are known by a key that there is not.
func (d *decoder) keysThere() {
	for _, n := range d.keysNamed {
		id := strings.TrimSpace(n.Value)
		if !slices.ContainsFunc(d.keys, func(k Key) bool { return k.Name == id }) {
			d.Wrong(n.Line, "declare it below in:, with name: and secret_file:", "webhook: there is no key %q", id)
		}
	}
}
