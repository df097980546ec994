package process

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// LogConfig is how a process logs. Its zero value is level info, for people on a terminal and JSON anywhere else.
type LogConfig struct {
	Level  string `env:"LOG_LEVEL" default:"info" allowed:"debug,info,warn,error" desc:"The least level that is logged; bellbuoy up, which prints what happens, logs warnings and errors unless this is set."`
	Format string `env:"LOG_FORMAT" allowed:"text,json" unset:"text on a terminal, else json" desc:"How log lines look; text is coloured on a terminal only, and not if NO_COLOR is set."`
}

// Logger writes to w: text for people where w is a terminal or text is asked for, else JSON.
func Logger(w io.Writer, c LogConfig) *slog.Logger {
	terminal := isTerminal(w)
	if c.Format == "json" || c.Format == "" && !terminal {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: c.level(), ReplaceAttr: redacted}))
	}
	o := &tint.Options{Level: c.level(), TimeFormat: time.RFC3339, NoColor: true, ReplaceAttr: redacted}
	if terminal {
		o.TimeFormat, o.NoColor = time.TimeOnly, os.Getenv("NO_COLOR") != ""
	}
	return slog.New(tint.NewTextHandler(w, o))
}

// redacted takes secrets out of one value, whoever logs it.
func redacted(_ []string, a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindString {
		a.Value = slog.StringValue(withoutSecret(a.Key, v.String()))
		return a
	}
	if v.Kind() != slog.KindAny {
		return a
	}
	var text string
	switch x := v.Any().(type) {
	case *slog.Source, slog.Level, nil:
		return a
	case error:
		text = x.Error()
	default:
		text = fmt.Sprint(x)
	}
	if clean := withoutSecret(a.Key, text); clean != text {
		a.Value = slog.StringValue(clean)
	}
	return a
}

// withoutSecret leaves characters as they are: the handlers escape them.
func withoutSecret(name, text string) string {
	if clean := scrub.Value(name, text); len(scrub.Found(clean)) > 0 {
		return clean
	}
	return text
}

func (c LogConfig) level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Level)); err != nil {
		return slog.LevelInfo
	}
	return l
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && IsTerminal(f)
}

// IsTerminal tells whether somebody may be sitting at the other end of f.
func IsTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
