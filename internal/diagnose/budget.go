package diagnose

import (
	"cmp"
	"strconv"
	"strings"
)

// large lists families of models that are known to read far more than a prompt takes, and to follow it. Whoever runs
// another one that does says so by configuration.
func large() []string {
	return []string{
		"gpt-4o", "gpt-4.1", "gpt-4-turbo", "gpt-5", "gpt-6", "o1", "o3", "o4", "chatgpt-",
		"claude-", "gemini-1.5", "gemini-2", "gemini-3", "mistral-large", "deepseek-chat", "deepseek-reasoner",
	}
}

// small lists words of a name that say that it is a small one of its family.
func small() []string { return []string{"nano", "tiny", "mini", "lite", "small"} }

// minBillions is how many billions of parameters a model that names their number has at least that is not small.
const minBillions = 30

// PromptTokens is the budget of a prompt for a model of that name, as Tokens counts: 6,000 for those of a family that is
// known and not small, 3,000 for all others. configured, if above 0, goes before that. factor is how many tokens the
// model counts for one of Tokens, as Calibrated gives it; 0: that is not known.
func PromptTokens(model string, configured int, factor float64) int {
	limit := SmallPromptTokens
	if known(model) {
		limit = MaxPromptTokens
	}
	limit = cmp.Or(max(configured, 0), limit)
	if factor == 0 {
		factor = 1
	}
	return int(float64(limit) / min(max(factor, minFactor), maxFactor))
}

// known tells whether name is that of a model which is known and not small. What stands before a slash is its maker's.
func known(name string) bool {
	name = strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
	family := false
	for _, f := range large() {
		rest, found := strings.CutPrefix(name, f)
		family = family || found && (rest == "" || strings.HasSuffix(f, "-") || strings.ContainsAny(rest[:1], "-.:@"))
	}
	return family && !isSmall(name)
}

func isSmall(name string) bool {
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_.:@", r) })
	for _, w := range words {
		for _, s := range small() {
			if w == s {
				return true
			}
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(w, "b")); err == nil && strings.HasSuffix(w, "b") && n < minBillions {
			return true
		}
	}
	return false
}
