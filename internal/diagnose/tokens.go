package diagnose

import "math"

// Costs of what a text is made of, in hundredths of a token. They were fitted to the vocabularies of OpenAI's models on
// log lines, JSON and prose; see testdata/tokens. Text in other scripts is counted on the safe side: how well a vocabulary
// knows them differs from model to model by more than a factor of two.
const (
	costWord   = 100 // of a word, its first letters and the space before it
	costHump   = 75  // of each capital inside a word: CamelCase
	costMixed  = 55  // of a letter that touches a digit, as in hexadecimal numbers: no vocabulary knows those
	costDigits = 100 // of up to three digits
	costSign   = 92  // of a punctuation character by itself
	costSigns  = 25  // of a further one right behind it
	costBreak  = 60  // of a line's end
	costBlank  = 90  // of a space that no word follows
	costOther  = 33  // of a byte beyond ASCII

	knownWord = 8 // letters that words have at most which are one token
	partWord  = 5 // letters of each further token of a longer word
)

// Tokens is about how many tokens s is for a model: within 10 % on log lines. It needs no vocabulary, and takes the time
// of one pass over s.
func Tokens(s string) int {
	t := tally{s: s}
	for t.at < len(s) {
		t.next()
	}
	return (t.cost + 99) / 100
}

// tally adds up a text from left to right.
type tally struct {
	s    string
	at   int
	cost int
}

func (t *tally) next() {
	switch kind := kindOf(t.s[t.at]); kind {
	case letter, digit:
		t.mixed()
	case blank:
		n := t.run(blank)
		if next := t.kind(); n > 1 || next != letter && next != sign && next != other {
			t.cost += costBlank
		}
	case lineEnd:
		t.run(lineEnd)
		t.cost += costBreak
	case sign:
		t.cost += costSign + (t.run(sign)-1)*costSigns
	default:
		t.cost += t.run(kind) * costOther
	}
}

// mixed counts what letters and digits stand together. Where they alternate it is a number of some kind, and no word.
func (t *tally) mixed() {
	start, runs := t.at, 0
	var letters, digits, words int
	for kind := t.kind(); kind == letter || kind == digit; kind = t.kind() {
		from := t.at
		n := t.run(kind)
		runs++
		if kind == digit {
			digits += (n + 2) / 3 * costDigits
			continue
		}
		letters += n
		words += word(t.s[from : from+n])
	}
	if runs > 2 && t.at-start > knownWord {
		t.cost += digits + letters*costMixed
		return
	}
	t.cost += digits + words
}

// word is what one run of letters costs.
func word(s string) int {
	humps, length, cost := 0, 0, costWord
	for i := range len(s) {
		upper := s[i] < 'a'
		if i > 0 && upper && s[i-1] >= 'a' {
			humps++
			cost += long(length)
			length = 0
		}
		length++
	}
	return cost + long(length) + humps*costHump
}

// long is what a word of that many letters costs beyond its first token.
func long(letters int) int {
	return max(0, letters-knownWord) * costWord / partWord
}

type runeKind int

const (
	none runeKind = iota
	letter
	digit
	blank
	lineEnd
	sign
	other
)

func kindOf(c byte) runeKind {
	switch {
	case c >= 0x80:
		return other
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return letter
	case '0' <= c && c <= '9':
		return digit
	case c == '\n', c == '\r':
		return lineEnd
	case c == ' ', c == '\t':
		return blank
	}
	return sign
}

func (t *tally) kind() runeKind {
	if t.at == len(t.s) {
		return none
	}
	return kindOf(t.s[t.at])
}

// run passes over all of one kind, and gives how many bytes that were.
func (t *tally) run(kind runeKind) int {
	start := t.at
	for t.at < len(t.s) && kindOf(t.s[t.at]) == kind {
		t.at++
	}
	return t.at - start
}

// Bounds of the factor that Calibrated gives.
const (
	minFactor = 0.5
	maxFactor = 2
	newest    = 0.25 // weight of the newest answer
)

// Calibrated is how many tokens a model counts for one of Tokens, after an answer whose prompt was estimated, without a
// factor, as so many tokens and counted as so many by its server. factor is what it was before; 0: nothing was known.
// It stays between 0.5 and 2, and a server that counts nothing changes nothing.
func Calibrated(factor float64, estimated, counted int) float64 {
	if factor == 0 || math.IsNaN(factor) {
		factor = 1
	}
	if estimated <= 0 || counted <= 0 {
		return min(max(factor, minFactor), maxFactor)
	}
	seen := min(max(float64(counted)/float64(estimated), minFactor), maxFactor)
	return min(max(factor+newest*(seen-factor), minFactor), maxFactor)
}
