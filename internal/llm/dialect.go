package llm

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The names that the limit of an answer goes by.
const (
	limitOld = "max_tokens"
	limitNew = "max_completion_tokens"
)

// Tokens of a prompt that a server is taken to read whole before anything is known of it.
const (
	largePrompt = 6000
	smallPrompt = 3000
)

// dialect is one kind of server: how it is recognised, and what it takes before anything is learned of it.
type dialect struct {
	name   string
	hosts  []string // whole names of hosts, or their ends if they begin with a dot
	label  string   // found in a host's name, as where a container is called after what it runs
	port   string   // where it listens unless told otherwise
	limit  string
	format Format
	prompt int
}

// dialects is what is known of each kind. Every server is sent the role system, a temperature unless the model is of
// a reasoning family, and one limit; what one refuses even so is learned. Anthropic's ignores response_format, so that
// the shape is asked for in words. Ollama's knows only the old limit: it takes the new one for none. The last one is
// for whatever nothing else is recognised by.
func dialects() []dialect {
	return []dialect{
		{name: "openai", hosts: []string{"api.openai.com"}, limit: limitNew, format: FormatStrict, prompt: largePrompt},
		{name: "azure", hosts: []string{azureHost}, limit: limitNew, format: FormatStrict, prompt: largePrompt},
		{name: "openrouter", hosts: []string{"openrouter.ai"}, limit: limitOld, format: FormatStrict, prompt: largePrompt},
		{name: "anthropic", hosts: []string{"api.anthropic.com"}, limit: limitOld, format: FormatText, prompt: largePrompt},
		{name: "ollama", label: "ollama", port: "11434", limit: limitOld, format: FormatStrict, prompt: smallPrompt},
		{name: "litellm", label: "litellm", port: "4000", limit: limitOld, format: FormatStrict, prompt: largePrompt},
		{name: "vllm", label: "vllm", limit: limitOld, format: FormatStrict, prompt: largePrompt},
		{name: "llama.cpp", label: "llama", limit: limitOld, format: FormatStrict, prompt: smallPrompt},
		{name: unknownServer, limit: limitOld, format: FormatStrict, prompt: smallPrompt},
	}
}

const (
	azureHost     = ".openai.azure.com"
	unknownServer = "unknown"
)

// dialectOf recognises a server by its address. Ports and names are hints, so that nothing depends on them that could
// not be learned.
func dialectOf(base *url.URL) dialect {
	all := dialects()
	host := strings.ToLower(base.Hostname())
	for _, is := range []func(dialect) bool{
		func(d dialect) bool {
			return slices.ContainsFunc(d.hosts, func(h string) bool { return isHost(host, h) })
		},
		func(d dialect) bool { return d.label != "" && strings.Contains(host, d.label) },
		func(d dialect) bool { return d.port != "" && base.Port() == d.port },
	} {
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i]
		}
	}
	return all[len(all)-1]
}

func isHost(host, known string) bool {
	if strings.HasPrefix(known, ".") {
		return strings.HasSuffix(host, known)
	}
	return host == known
}

// reasoning tells whether a model is of a family that takes no temperature and only the new limit.
func reasoning(model string) bool {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	return regexp.MustCompile(`^(o\d|gpt-[56])`).MatchString(name)
}

// ability is what a model is taken to be able to before it is asked.
func (d dialect) ability(model string) Ability {
	a := Ability{Format: d.format, Limit: d.limit, Temperature: true, System: true}
	if reasoning(model) {
		a.Temperature = false
		if d.name != "ollama" {
			a.Limit = limitNew
		}
	}
	return a
}
