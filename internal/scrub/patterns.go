package scrub

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// schemeStart is where the scheme begins that ends at i.
func schemeStart(line string, i int) int {
	start := i
	for start > 0 && i-start < 31 && (wordByte(line[start-1]) && line[start-1] != '_' || strings.IndexByte("+.-", line[start-1]) >= 0) {
		start--
	}
	for ; start < i; start++ {
		if c := line[start] | 0x20; 'a' <= c && c <= 'z' && boundary(line, start) {
			return start
		}
	}
	return -1
}

// urlSecret is the password, or else a lone user, which is a token for many servers but not for these.
func urlSecret(line string, m places) (from, to int, ok bool) {
	if redacted(line[m[4]:]) {
		return 0, 0, false
	}
	if m[6] >= 0 {
		return m[6], m[7], m[6] < m[7]
	}
	names := []string{"ssh", "git+ssh", "sftp", "rsync", "mailto"}
	return m[4], m[5], m[4] < m[5] && !slices.Contains(names, strings.ToLower(line[m[2]:m[3]]))
}

// authPattern: 1 after a scheme of the Authorization header, 2 a scheme with several fields, 3 a header's value
// without a scheme, 4 a scheme alone.
var authPattern = regexp.MustCompile(`(?i)^(?:authorization\\*["']?\s*[:=]\s*\\*["'\[]*` +
	`(?:(?:basic|bearer|token|apikey|negotiate|ntlm)\s+([^\s"'\\,;\]]+)|((?:digest|aws4-hmac-sha256)\s+[^\r\n]+)|([^\s"'\\,;\]]+))` +
	`|(?:basic|bearer)\s+([A-Za-z0-9._~+/-]{8,}=*))`)

func authSecret(line string, m places) (from, to int, ok bool) {
	switch {
	case m[2] >= 0:
		return m[2], m[3], true
	case m[4] >= 0:
		return m[4], m[5], true
	case m[6] >= 0:
		return m[6], m[7], random(line[m[6]:m[7]])
	}
	return m[8], m[9], random(line[m[8]:m[9]])
}

// cookiePattern: the value of a Cookie or Set-Cookie header; quoted values inside it belong to it.
var cookiePattern = regexp.MustCompile(`(?i)^cookie\\*["']?\s*[:=]\s*\\*["'\[]*([^\s"'=:]+=(?:="[^"\r\n]*"|"[^"\r\n]*"|[^\r\n"'\\])*)`)

func cookieSecret(_ string, m places) (from, to int, ok bool) { return m[2], m[3], true }

// jwtPattern: a JSON Web Token, signed or encrypted, even when its end was cut off.
var jwtPattern = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}`)

func wholeSecret(_ string, m places) (from, to int, ok bool) { return m[0], m[1], true }

// vendorPattern: credentials that their issuers marked by a prefix.
var vendorPattern = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`A(?:KIA|SIA)[A-Z0-9]{16}`,
	`gh[pousr]_[A-Za-z0-9]{20,}`, `github_pat_[A-Za-z0-9_]{20,}`,
	`gl(?:pat|dt|rt|cbt|ptt|agent)-[A-Za-z0-9_.-]{16,}`,
	`xox[a-z]-[A-Za-z0-9-]{10,}`, `xapp-[0-9]-[A-Za-z0-9-]{10,}`,
	`sk-[A-Za-z0-9_-]{16,}`, `[rs]k_(?:live|test)_[A-Za-z0-9]{10,}`, `gsk_[A-Za-z0-9]{20,}`,
	`AIza[A-Za-z0-9_-]{30,}`, `ya29\.[A-Za-z0-9_-]{20,}`,
	`whsec_[A-Za-z0-9+/=_-]{16,}`, `hf_[A-Za-z0-9]{30,}`, `npm_[A-Za-z0-9]{30,}`, `pypi-[A-Za-z0-9_-]{30,}`,
	`dckr_pat_[A-Za-z0-9_-]{20,}`, `do[op]_v1_[a-f0-9]{40,}`, `hv[sb]\.[A-Za-z0-9_-]{20,}`,
	`SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`, `AGE-SECRET-KEY-1[A-Z0-9]{40,}`,
	`[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}`,
	`hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}`, `discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{20,}`,
}, "|") + `)`)

var vendorHints = []string{
	"akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-",
	"glptt-", "glagent-", "xox", "xapp-", "sk-", "k_live_", "k_test_", "gsk_", "aiza", "ya29.", "whsec_", "hf_", "npm_",
	"pypi-", "dckr_pat_", "dop_v1_", "doo_v1_", "hvs.", "hvb.", "sg.", "age-secret", ":aa", "hooks.slack", "discord",
}

// vendorStart is where a key begins that has its hint at i: some begin before what is telling of them.
func vendorStart(line string, i int) int {
	switch line[i] {
	case 'k', 'K': // of sk_live_ and rk_live_
		return i - 1
	case ':': // of a bot's number and key
		start := i
		for start > 0 && '0' <= line[start-1] && line[start-1] <= '9' {
			start--
		}
		return start
	}
	return i
}

// vendorSecret keeps the address of a webhook readable, and names that only begin like a key.
func vendorSecret(line string, m places) (from, to int, ok bool) {
	from, to = m[0], m[1]
	if i := strings.LastIndex(line[from:to], "/services/"); i >= 0 {
		from += i + len("/services/")
	}
	return from, to, random(line[from:to])
}

// seedPattern: an NKey seed of NATS, for an operator, account, user, server, cluster or curve key.
var seedPattern = regexp.MustCompile(`^S[UAONCX][A-Z2-7]{56}\b`)

const seedLength = 58

// seedStarts gives where line has a run of base32 characters as long as a seed. It looks at few bytes of ordinary
// text, because such a run covers every place at which it looks.
func seedStarts(line string) iter.Seq[int] {
	if len(line) < seedLength {
		return nil
	}
	return func(yield func(int) bool) {
		for i := seedLength - 1; i < len(line); {
			start := i
			for start > i-seedLength && base32(line[start]) {
				start--
			}
			if start > i-seedLength {
				i = start + seedLength
				continue
			}
			if boundary(line, start+1) && !yield(start+1) {
				return
			}
			i += seedLength
		}
	}
}

func base32(c byte) bool { return 'A' <= c && c <= 'Z' || '2' <= c && c <= '7' }

// emailPattern: 1 the mailbox, 2 the last label of its domain.
var emailPattern = regexp.MustCompile(`^([A-Za-z0-9_%+-][A-Za-z0-9._%+-]*)@(?:[A-Za-z0-9-]+\.)+([A-Za-z]{2,})\b`)

// emailStarts gives where a mailbox begins that ends at an at sign.
func emailStarts(line string) iter.Seq[int] {
	if strings.IndexByte(line, '@') < 0 {
		return nil
	}
	return func(yield func(int) bool) {
		for i, done := 0, 0; ; {
			next := strings.IndexByte(line[i:], '@')
			if next < 0 {
				return
			}
			i += next
			start := i
			for start > done && (wordByte(line[start-1]) || strings.IndexByte(".%+-", line[start-1]) >= 0) {
				start--
			}
			for start < i && line[start] == '.' {
				start++
			}
			if start < i && !yield(start) {
				return
			}
			i++
			done = i
		}
	}
}

// emailSecret leaves instances of systemd units and Git remotes alone.
func emailSecret(line string, m places) (from, to int, ok bool) {
	units := []string{"service", "socket", "timer", "target", "mount", "slice", "scope", "path", "swap", "device", "automount"}
	harmless := line[m[2]:m[3]] == "git" || slices.Contains(units, strings.ToLower(line[m[4]:m[5]]))
	return m[0], m[1], !harmless
}

// random tells whether a value looks like a token rather than a word: it has a digit, or changes between small and
// capital letters after its first.
func random(v string) bool {
	var low, up bool
	for i := range len(v) {
		c := v[i]
		switch {
		case '0' <= c && c <= '9':
			return true
		case 'a' <= c && c <= 'z':
			low = true
		case 'A' <= c && c <= 'Z' && i > 0:
			up = true
		}
	}
	return low && up
}
