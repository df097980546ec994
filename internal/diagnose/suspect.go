package diagnose

import (
	"regexp"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// instruction matches text that speaks to a model, or to whoever does as it reads, rather than of what happened. It is
// a label and a count, no defence: what a model says is checked whether a line was recognised or not.
var instruction = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules?|prompts?|above|everything|previous|prior)\b`,
	`\b(?:new|updated|real|your) (?:instructions?|system prompt|rules|task)\b`,
	`\bsystem prompt\b`, `\byou are (?:now |really )?(?:an? |the )?(?:ai|assistant|model|llm|diagnosis|root|admin)`, `\bas an ai\b`,
	`^\s*(?:system|assistant|developer|user)\s*:`, `\b(?:end|data) [0-9a-f]{16}\b`,
	`<\|?/?(?:im_start|im_end|system|assistant|user|think|inst|s)\b`, `\[/?(?:inst|sys)\]`, "```",
	`\b(?:please |must |should |now |then )(?:run|execute|type|paste|restart|delete|approve)\b`, `\b(?:run|execute)\b.{0,30}\b(?:rm|curl|wget|docker|kubectl|sudo|bash|sh)\b`,
	`\brm -rf\b`, `\$\((?:curl|wget|sh|bash|reboot|id)\b`, `\b(?:curl|wget)\b[^|]{0,200}\|\s*(?:ba|z)?sh\b`, `\bapproved by\b`,
	`\b(?:do not|don't|never) (?:tell|mention|report|alert|escalate|page)\b`, `\b(?:mark|call|report) (?:this|it|everything) (?:as )?(?:resolved|healthy|well|fixed)\b`,
	`<!(?:channel|here|everyone)>`, `(?:^|\s)@(?:everyone|here|channel)\b`, `"(?:action|root_cause|verb)"\s*:`,
}, "|"))

func suspicious(e schema.Evidence) bool { return instruction.MatchString(e.Text) }

// Suspicious counts the pieces of evidence that read like an instruction.
func Suspicious(evidence []schema.Evidence) int {
	n := 0
	for _, e := range evidence {
		if suspicious(e) {
			n++
		}
	}
	return n
}

// shown is a piece of evidence as a prompt has it: one that reads like an instruction is labelled.
func shown(e schema.Evidence) string {
	text := compact(e)
	if suspicious(e) {
		text = strings.TrimSuffix(text, "}") + `,"suspicious":true}`
	}
	return text
}

// parted separates what an operator says from what the operator quotes: lines behind ">", and blocks between "```".
func parted(text string) (own, quoted string) {
	var mine, others []string
	block := false
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			block = !block
		case block:
			others = append(others, line)
		case strings.HasPrefix(trimmed, ">"):
			others = append(others, strings.TrimSpace(trimmed[1:]))
		default:
			mine = append(mine, line)
		}
	}
	own, quoted = strings.TrimSpace(strings.Join(mine, "\n")), strings.Join(others, "\n")
	if own == "" && quoted != "" {
		own = "What does what I quote mean?"
	}
	return own, quoted
}
