package scrub

import "strings"

// hints finds in one pass over a line which rules can match it.
var hints = newHintTable(rules)

// hintTable looks for two neighbouring bytes of each hint, the rarest two, and compares the whole hint only there.
type hintTable struct {
	fold   [256]byte // ASCII capitals to small letters
	rare   [pairs]bool
	byPair map[uint16][]hint
	rules  []rule
}

// hint is one word of a rule. Its rarest pair of bytes stands at offset.
type hint struct {
	word   string
	offset int
	rule   int
}

// pairs is the number of folded pairs: enough that most do not share a place with one that matters.
const pairs = 1 << 13

func newHintTable(rules []rule) *hintTable {
	t := &hintTable{rules: rules, byPair: map[uint16][]hint{}}
	for i := range t.fold {
		t.fold[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t.fold[i] |= 0x20
		}
	}
	for i, r := range rules {
		for _, word := range r.hints {
			at := rarest(word)
			p := pair(word[at], word[at+1])
			t.rare[p] = true
			t.byPair[p] = append(t.byPair[p], hint{word, at, i})
		}
	}
	return t
}

func pair(a, b byte) uint16 { return (uint16(a)<<6 ^ uint16(b)) % pairs }

// in returns the rules hinted at, one bit for each.
func (t *hintTable) in(line string) (found uint) {
	for i := 1; i < len(line); i++ {
		p := pair(t.fold[line[i-1]], t.fold[line[i]])
		if t.rare[p] {
			found |= t.at(line, i-1, p)
		}
	}
	for i, r := range t.rules {
		if r.hinted != nil && r.hinted(line) {
			found |= 1 << i
		}
	}
	return found
}

// at returns the rules with a hint whose rarest pair stands at i.
func (t *hintTable) at(line string, i int, p uint16) (found uint) {
	for _, h := range t.byPair[p] {
		from, to := i-h.offset, i-h.offset+len(h.word)
		if from >= 0 && to <= len(line) && strings.EqualFold(line[from:to], h.word) {
			found |= 1 << h.rule
		}
	}
	return found
}

// rarest finds the pair of neighbours in word that ordinary text has least.
func rarest(word string) int {
	const byFrequency = "etaoinsrhdlcum/.-0123wfg:ypbvkxjqz_"
	best, score := 0, -1
	for i := range len(word) - 1 {
		s := rank(byFrequency, word[i]) * rank(byFrequency, word[i+1])
		if s > score {
			best, score = i, s
		}
	}
	return best
}

func rank(byFrequency string, c byte) int {
	if i := strings.IndexByte(byFrequency, c); i >= 0 {
		return i + 1
	}
	return len(byFrequency) + 1
}
