package slacktest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// args is what a method is called with: text as it is, all else as JSON.
type args map[string]string

func (a args) flag(name string) bool { return a[name] == "true" || a[name] == "1" }

// maxRequest is what is read of a request, in bytes.
const maxRequest = 1 << 20

// readArgs reads the arguments of a request from a form or from JSON, and the token from the header or, as Slack does
// it, from a form alone. Slack takes no token from an address.
func readArgs(r *http.Request) (args, string, *refusal) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		return nil, "", refuse("request_timeout")
	}
	header, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.Method == http.MethodGet {
		a := fromForm(r.URL.Query())
		delete(a, "token")
		return a, header, nil
	}
	if r.Method != http.MethodPost {
		return nil, "", refuse("invalid_post_type")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, "", refuse("invalid_post_type")
	}
	switch kind {
	case "application/json":
		a, bad := fromJSON(body)
		return a, header, bad
	case "application/x-www-form-urlencoded", "":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, "", refuse("invalid_form_data")
		}
		a := fromForm(form)
		if header == "" {
			header = a["token"]
		}
		delete(a, "token")
		return a, header, nil
	default:
		return nil, "", refuse("invalid_post_type")
	}
}

func fromForm(form url.Values) args {
	a := args{}
	for name, values := range form {
		a[name] = values[len(values)-1]
	}
	return a
}

func fromJSON(body []byte) (args, *refusal) {
	var raw map[string]json.RawMessage
	if len(bytes.TrimSpace(body)) == 0 {
		return args{}, nil
	}
	if json.Unmarshal(body, &raw) != nil {
		return nil, refuse("invalid_json")
	}
	if raw == nil {
		return nil, refuse("json_not_object")
	}
	a := args{}
	for name, value := range raw {
		var text string
		switch {
		case bytes.Equal(value, []byte("null")):
		case json.Unmarshal(value, &text) == nil:
			a[name] = text
		default:
			a[name] = string(value)
		}
	}
	return a, nil
}

// unknown names the arguments that are not among those known.
func (a args) unknown(known string) []string {
	var all []string
	names := maps.Clone(a)
	for name := range strings.FieldsSeq(known) {
		delete(names, name)
	}
	for name := range names {
		all = append(all, name)
	}
	return all
}
