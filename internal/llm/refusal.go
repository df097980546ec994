package llm

import (
	"errors"
	"net/http"
	"strings"
)

// minCap is the shortest limit that is tried, in tokens: no verdict fits into less.
const minCap = 1000

// without is a without the one thing that err refuses, and what that is. It is "" where err is no such refusal or
// nothing is left to do without. asked is the limit of the answer that was asked for; structured tells whether a shape
// was. Every step leaves less to refuse, so that there is an end to them.
func (a Ability) without(err error, asked int, structured bool) (Ability, string) {
	e, ok := errors.AsType[*Error](err)
	if ok && e.Status >= 500 && structured && has(e.said, "response_format", "json_schema", "grammar") {
		return a.looser() // what a proxy makes of a refusal behind it, and what a grammar's compiler dies of
	}
	if !ok || !refusal(e.Status) {
		return a, ""
	}
	said := e.said
	switch {
	case has(said, "max_tokens", "max_completion_tokens", "in the completion", "output tokens") && has(said, "too large", "at most", "less than or equal", "maximum context length", "exceed"):
		return a.shorter(asked)
	case e.Outcome == OutcomeTooLong:
		return a, ""
	case a.Limit != "" && has(said, a.Limit):
		return a.otherLimit()
	case a.Temperature && has(said, "temperature"):
		a.Temperature = false
		return a, "temperature"
	case a.System && has(said, "role") && has(said, "system", "only user and assistant"):
		a.System = false
		return a, "role system"
	case structured && has(said, "response_format", "json_schema", "json_object", "schema", "structured output", "grammar", "strict"):
		return a.looser()
	case has(said, "unsupported", "unrecognized", "extra", "not permitted", "requested parameters"):
		return a.plainer(structured)
	}
	return a, ""
}

// plainer is for refusals that do not say of what: nothing of ours is as unusual as the format, and then a temperature.
func (a Ability) plainer(structured bool) (Ability, string) {
	if structured {
		if next, refused := a.looser(); refused != "" {
			return next, refused
		}
	}
	if !a.Temperature {
		return a, ""
	}
	a.Temperature = false
	return a, "temperature"
}

// refusal tells whether a status is one by which servers say that they do not take a parameter.
func refusal(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusNotFound || status == http.StatusUnprocessableEntity
}

func has(said string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(said, w) {
			return true
		}
	}
	return false
}

func (a Ability) shorter(asked int) (Ability, string) {
	limit := asked
	if a.Cap > 0 {
		limit = min(limit, a.Cap)
	}
	if a.Limit == "" || limit <= minCap {
		return a, ""
	}
	a.Cap = max(limit/2, minCap)
	return a, "so long an answer"
}

// otherLimit swaps the limit's name, or leaves it out where both are refused: first the one that the dialect is known
// for, so a change from the new name to the old one may come only once.
func (a Ability) otherLimit() (Ability, string) {
	was := a.Limit
	switch {
	case a.swapped:
		a.Limit = ""
	case was == limitNew:
		a.Limit = limitOld
	default:
		a.Limit = limitNew
	}
	a.swapped = true
	return a, was
}

func (a Ability) looser() (Ability, string) {
	next, ok := a.Format.next()
	if !ok {
		return a, ""
	}
	was := a.Format
	a.Format = next
	return a, "format " + string(was)
}
