package scrub

import (
	"cmp"
	"slices"
	"strings"
)

// hints finds in one pass over a line where which rule may match it.
var hints = newHintTable(rules)

// hintTable looks for two neighbouring bytes of each hint, the rarest two, and compares the whole hint only there.
type hintTable struct {
	fold  [256]byte     // ASCII capitals to small letters
	rare  [pairs]uint16 // which of words have the pair; 0: none
	words [][]hint
	rules []rule
}

// hint is one word of a rule. Its rarest pair of bytes stands at offset.
type hint struct {
	word   string
	offset int
	rule   int
}

// spot is a place in a line at which a rule's pattern may match.
type spot struct{ rule, start int }

// pairs is the number of folded pairs: enough that most do not share a place with one that matters.
const pairs = 1 << 13

func newHintTable(rules []rule) *hintTable {
	t := &hintTable{rules: rules, words: make([][]hint, 1)}
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
			if t.rare[p] == 0 {
				t.rare[p] = uint16(len(t.words))
				t.words = append(t.words, nil)
			}
			t.words[t.rare[p]] = append(t.words[t.rare[p]], hint{word, at, i})
		}
	}
	return t
}

func pair(a, b byte) uint16 { return (uint16(a)<<6 ^ uint16(b)) % pairs }

// in returns the places hinted at, those of each rule together and in their order.
func (t *hintTable) in(line string, room []spot) []spot {
	found := room[:0]
	var before byte
	for i := range len(line) {
		c := t.fold[line[i]]
		if n := t.rare[pair(before, c)]; n != 0 && i > 0 {
			found = t.at(line, i-1, t.words[n], found)
		}
		before = c
	}
	for i, r := range t.rules {
		if r.starts == nil {
			continue
		}
		if all := r.starts(line); all != nil {
			for _, start := range slices.Collect(all) { // a loop over the function itself would move room to the heap
				found = append(found, spot{i, start})
			}
		}
	}
	if len(found) > 1 {
		slices.SortFunc(found, func(a, b spot) int { return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.start, b.start)) })
	}
	return found
}

// at adds the places of those rules that have one of words, whose rarest pair stands at i.
func (t *hintTable) at(line string, i int, words []hint, found []spot) []spot {
	for _, h := range words {
		from, to := i-h.offset, i-h.offset+len(h.word)
		if from < 0 || to > len(line) || !foldPrefix(line[from:to], h.word) || taken(line, from) {
			continue
		}
		if back := t.rules[h.rule].back; back != nil {
			from = back(line, from)
		}
		if from >= 0 && (t.rules[h.rule].inside || boundary(line, from)) {
			found = append(found, spot{h.rule, from})
		}
	}
	return found
}

// taken tells whether what stands at i is the kind in a marker.
func taken(line string, i int) bool { return strings.HasSuffix(line[:i], markerOpen) }

// boundary tells whether a word can begin at i.
func boundary(line string, i int) bool { return i == 0 || !wordByte(line[i-1]) }

func wordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
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
