package slack

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

const (
	maxQuoted     = 200              // bytes of an answer in an error
	defaultPause  = 30 * time.Second // if Slack does not say how long
	maxRetryAfter = 15 * time.Minute // Slack may ask for no longer a pause than this
)

var (
	errUnthreaded = errors.New("the reply stands outside the thread, because its card is gone")
	errUnclear    = errors.New("the answer says neither that the message was taken nor why not")
)

// attempt is one call, as far as its verdict depends on it.
type attempt struct {
	method string
	to     string // the Slack channel, as it is configured
	token  string
	now    func() time.Time
	sent   atomic.Bool // once headers may be on their way, only an answer tells what became of the call
}

// verdict is what an error of the library means, in the words of package channel.
func (a *attempt) verdict(err error) error {
	what := "call Slack's " + a.method
	if limited, ok := errors.AsType[*api.RateLimitedError](err); ok {
		return a.throttled(what, limited.RetryAfter)
	}
	if status, ok := errors.AsType[api.StatusCodeError](err); ok {
		return a.status(what, status.Code)
	}
	if said, ok := errors.AsType[api.SlackErrorResponse](err); ok {
		return a.said(what, said)
	}
	if errors.Is(err, errUnthreaded) {
		return fmt.Errorf("%s: %w: %w", what, channel.ErrLostRoot, err)
	}
	return a.unanswered(what, err)
}

func (a *attempt) throttled(what string, wait time.Duration) error {
	if wait <= 0 {
		wait = defaultPause
	}
	return fmt.Errorf("%s: %w", what, channel.Throttled{Until: a.now().Add(min(wait, maxRetryAfter))})
}

// status is the verdict on an answer without a body of Slack's.
func (a *attempt) status(what string, code int) error {
	answered := fmt.Errorf("%s: answered %d %s", what, code, http.StatusText(code))
	switch {
	case code == http.StatusTooManyRequests:
		return a.throttled(answered.Error(), 0)
	case code >= 500:
		return a.unsure(answered)
	case code >= 300 && code < 400, code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound:
		return fmt.Errorf("%w: %w: look at SLACK_API_URL", answered, channel.ErrSetup)
	case code == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w", answered, channel.ErrTooBig)
	}
	return answered
}

// unsure is for a failure after which the call may have been done. Changing a card twice does no harm.
func (a *attempt) unsure(err error) error {
	if a.method == methodUpdate {
		return err
	}
	return fmt.Errorf("%w: %w", err, channel.ErrAmbiguous)
}

// unanswered is the verdict on a call without an answer that can be read.
func (a *attempt) unanswered(what string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	var cert *tls.CertificateVerificationError
	failed := fmt.Errorf("%s: %s", what, a.quote(err.Error()))
	switch {
	case errors.As(err, &cert):
		return fmt.Errorf("%w: %w", failed, channel.ErrSetup)
	case a.sent.Load():
		return a.unsure(failed)
	}
	return failed
}

// said is the verdict on an error that Slack names.
func (a *attempt) said(what string, said api.SlackErrorResponse) error {
	detail := a.quote(strings.Join(said.ResponseMetadata.Messages, "; "))
	answered := fmt.Errorf("%s: Slack says %s", what, a.quote(said.Err))
	if detail != "" {
		answered = fmt.Errorf("%w (%s)", answered, detail)
	}
	switch kindOf(said.Err) {
	case throttled:
		return a.throttled(answered.Error(), 0)
	case lost:
		return fmt.Errorf("%w: %w", answered, channel.ErrLostRoot)
	case form:
		return fmt.Errorf("%w: %w", answered, tooBigOrRefused(said.Err))
	case refused:
		return fmt.Errorf("%w: %w", answered, channel.ErrRefused)
	case unclear:
		return a.unsure(answered)
	case setup:
		return fmt.Errorf("%w: %w: %s", answered, channel.ErrSetup, a.remedy(said))
	case passing:
	}
	return answered
}

// quote prepares what somebody else said for an error: one line, nothing invisible, and not the token.
func (a *attempt) quote(text string) string {
	return channel.Line(strings.ReplaceAll(text, a.token, "***"), maxQuoted)
}

// kind is a group of Slack's errors that ask for the same.
type kind int

const (
	passing   kind = iota
	throttled      // a pause
	form           // the message's form is wrong: plain text will do
	lost           // the card is gone, or can no longer be changed
	setup          // a person has to do something
	refused        // it will not be taken, ever
	unclear        // it may have been taken
)

// kinds are the names of the errors there are, by what they ask for. One that is not listed is taken for passing.
var kinds = map[kind]string{
	throttled: "ratelimited rate_limited message_limit_exceeded",
	form: "msg_blocks_too_long msg_too_long invalid_blocks invalid_blocks_format invalid_attachments attachment_payload_limit_exceeded " +
		"too_many_attachments metadata_too_large metadata_must_be_sent_from_app markdown_text_conflict invalid_metadata_format " +
		"invalid_metadata_schema no_text slack_connect_blocked_file_type",
	lost: "message_not_found cant_update_message edit_window_closed is_inactive cannot_reply_to_message restricted_action_thread_locked thread_not_found",
	setup: "channel_not_found not_in_channel is_archived restricted_action restricted_action_read_only_channel restricted_action_non_threadable_channel " +
		"restricted_action_thread_only_channel invalid_auth not_authed account_inactive token_revoked token_expired missing_scope no_permission " +
		"not_allowed_token_type access_denied org_login_required ekm_access_denied team_access_not_granted enterprise_is_restricted " +
		"two_factor_setup_required accesslimited team_not_found missing_post_type method_deprecated unknown_method messages_tab_disabled",
	refused: "invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type invalid_json json_not_object " +
		"duplicate_channel_not_found duplicate_message_not_found as_user_not_supported",
	unclear: "fatal_error internal_error request_timeout",
}

func kindOf(name string) kind {
	for k, names := range kinds {
		for n := range strings.FieldsSeq(names) {
			if n == name {
				return k
			}
		}
	}
	switch {
	case strings.HasPrefix(name, "invalid_blocks"), strings.HasPrefix(name, "invalid_attachments"), strings.HasPrefix(name, "invalid_metadata"):
		return form
	case strings.HasPrefix(name, "restricted_action"):
		return setup
	}
	return passing
}

// formRefused tells whether Slack did not take a message for its form. It did not arrive then.
func formRefused(err error) bool {
	said, ok := errors.AsType[api.SlackErrorResponse](err)
	return ok && kindOf(said.Err) == form
}

func tooBigOrRefused(name string) error {
	if strings.Contains(name, "too_l") || strings.Contains(name, "limit") {
		return channel.ErrTooBig
	}
	return channel.ErrRefused
}

// remedy is what to do about an error that only a person can end.
func (a *attempt) remedy(said api.SlackErrorResponse) string {
	switch said.Err {
	case "not_in_channel":
		return fmt.Sprintf("invite the bot into the channel: type /invite @Bellbuoy in %s", a.to)
	case "channel_not_found":
		return fmt.Sprintf("set SLACK_CHANNEL to a channel that there is; if %s is private, invite the bot into it", a.to)
	case "is_archived":
		return fmt.Sprintf("%s is archived; unarchive it, or set SLACK_CHANNEL to another channel", a.to)
	case "missing_scope":
		return fmt.Sprintf("add the scope %s to the app's bot token scopes and install the app again", cmp.Or(a.quote(said.Needed), "that the method needs"))
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type":
		return "set SLACK_BOT_TOKEN to the bot token of an app that is installed, from its page OAuth & Permissions"
	}
	return fmt.Sprintf("ask who runs the workspace whether the app may post in %s", a.to)
}
