package embed

import (
	"fmt"
	"log/slog"
	"sync"
)

// logger hands the server's log to slog; what the server notices is detail to us.
type logger struct {
	log *slog.Logger

	mu      sync.Mutex
	trouble string // the last error, for whoever waits in vain
}

const message = "NATS server"

func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug(message, "text", fmt.Sprintf(format, v...))
}

func (l *logger) Debugf(format string, v ...any) {
	l.log.Debug(message, "text", fmt.Sprintf(format, v...))
}
func (l *logger) Tracef(string, ...any) {}
func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn(message, "text", fmt.Sprintf(format, v...))
}
func (l *logger) Errorf(format string, v ...any) { l.fail(fmt.Sprintf(format, v...)) }
func (l *logger) Fatalf(format string, v ...any) { l.fail(fmt.Sprintf(format, v...)) }

func (l *logger) fail(text string) {
	l.mu.Lock()
	l.trouble = text
	l.mu.Unlock()
	l.log.Error(message, "text", text)
}

func (l *logger) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble == "" {
		return "it does not say why"
	}
	return l.trouble
}
