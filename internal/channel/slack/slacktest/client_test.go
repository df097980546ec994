package slacktest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func start(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	s, err := slacktest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// client is the library that most Go programs use.
func client(s *slacktest.Server, o ...slack.Option) *slack.Client {
	return slack.New(slacktest.BotToken, append(o, slack.OptionAPIURL(s.APIURL()))...)
}

// told is what the API answers, as anyone may read it.
type told struct {
	status int
	header http.Header

	OK       bool     `json:"ok"`
	Error    string   `json:"error"`
	Errors   []string `json:"errors"`
	Needed   string   `json:"needed"`
	Provided string   `json:"provided"`
	Channel  any      `json:"channel"`
	TS       string   `json:"ts"`
	Message  struct {
		TS       string          `json:"ts"`
		ThreadTS string          `json:"thread_ts"`
		Text     string          `json:"text"`
		Blocks   json.RawMessage `json:"blocks"`
	} `json:"message"`
	Messages []struct {
		TS       string          `json:"ts"`
		Text     string          `json:"text"`
		Metadata json.RawMessage `json:"metadata"`
	} `json:"messages"`
	HasMore  bool `json:"has_more"`
	Metadata struct {
		Messages []string `json:"messages"`
		Next     string   `json:"next_cursor"`
	} `json:"response_metadata"`
}

func request(ctx context.Context, t *testing.T, s *slacktest.Server, method, kind, token, body string) (told, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.APIURL()+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return told{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return told{}, err
	}
	got := told{status: res.StatusCode, header: res.Header}
	if res.StatusCode < http.StatusInternalServerError {
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s answers no JSON: %v\n%s", method, err, text)
		}
	}
	return got, nil
}

// call calls a method with a form and the bot's token.
func call(t *testing.T, s *slacktest.Server, method string, pairs ...string) told {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	got, err := request(t.Context(), t, s, method, "application/x-www-form-urlencoded", slacktest.BotToken, form.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// post posts to ops and wants it taken.
func post(t *testing.T, s *slacktest.Server, pairs ...string) told {
	t.Helper()
	got := call(t, s, "chat.postMessage", append([]string{"channel", slacktest.Ops}, pairs...)...)
	if !got.OK {
		t.Fatalf("chat.postMessage: %s %q", got.Error, got.Errors)
	}
	return got
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
