package notifier_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// What a notifier of the chaos test is told. With it the test's own program is that notifier.
const (
	chaosURL      = "BELLBUOY_CHAOS_URL"
	chaosChannels = "BELLBUOY_CHAOS_CHANNELS"
	chaosBegan    = "BELLBUOY_CHAOS_BEGAN" // in nanoseconds: all clocks agree
)

// The notifiers' time runs faster, so that pauses end within the test. A claim lasts as long as ever, as posts take as long as
// ever: one that ran out while its post is under way would be no notifier's fault.
const (
	faster     = 20
	chaosClaim = 20 * time.Second * faster
)

func TestMain(m *testing.M) {
	if os.Getenv(chaosURL) == "" {
		os.Exit(m.Run())
	}
	if err := chaosNotifier(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// chaosNotifier notifies until it is killed.
func chaosNotifier(ctx context.Context) error {
	began, err := strconv.ParseInt(os.Getenv(chaosBegan), 10, 64)
	if err != nil {
		return err
	}
	b, err := bus.Connect(ctx, bus.Options{URL: os.Getenv(chaosURL), Name: "chaos", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	cfg := notifier.Config{Notify: notifier.NotifyOn, ChannelsFile: os.Getenv(chaosChannels)}
	if err := cfg.Validate(); err != nil {
		return err
	}
	n, err := notifier.New(cfg, b, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), nil)
	if err != nil {
		return err
	}
	start := time.Unix(0, began)
	now := func() time.Time { return start.Add(faster * time.Since(start)) }
	n.SetNow(now)
	n.SetScale(func(d time.Duration) time.Duration { return d / faster })
	n.SetClaim(chaosClaim)
	n.SetRate(chaosSlack, 0, 0) // Slack's own pace would take an hour
	n.SetRecords(func(r notifier.Records) notifier.Records { return landing{r, now} })
	n.SetChannels(func(ch channel.Channel) channel.Channel { return taking{ch, now} })
	return n.Part().Run(ctx)
}

// taking says on the standard output that a post is under way, and takes pauses for those of the faster time.
type taking struct {
	channel.Channel
	now func() time.Time
}

func (c taking) Post(ctx context.Context, p channel.Post) (string, error) {
	if _, err := os.Stdout.WriteString("+"); err != nil {
		return "", err
	}
	ref, err := c.Channel.Post(ctx, p)
	if throttled, ok := errors.AsType[channel.Throttled](err); ok {
		err = channel.Throttled{Until: c.now().Add(time.Until(throttled.Until))}
	}
	return ref, err
}

func (c taking) Find(ctx context.Context, p channel.Post) (ref string, found bool, err error) {
	if f, ok := c.Channel.(channel.Finder); ok {
		return f.Find(ctx, p)
	}
	return "", false, nil
}

func (c taking) Digest(d channel.Digest) (channel.Post, bool) {
	if x, ok := c.Channel.(channel.Digester); ok {
		return x.Digest(d)
	}
	return channel.Post{}, false
}

// landing says that it is recorded what became of a post.
type landing struct {
	notifier.Records
	now func() time.Time
}

func (r landing) Put(ctx context.Context, key string, data []byte, expect uint64) (uint64, error) {
	rev, err := r.Records.Put(ctx, key, data, expect)
	var told channel.Told
	if err == nil && json.Unmarshal(data, &told) == nil && (told.Claim == nil || !told.Claim.Until.After(r.now())) {
		_, err = os.Stdout.WriteString("-")
	}
	return rev, err
}

// victim is a notifier as a process of its own.
type victim struct {
	*exec.Cmd
	began, ended atomic.Int64 // posts
	silent       chan struct{}
}

// Write counts what it says.
func (v *victim) Write(said []byte) (int, error) {
	v.began.Add(int64(bytes.Count(said, []byte("+"))))
	v.ended.Add(int64(bytes.Count(said, []byte("-"))))
	return len(said), nil
}

func newVictim(t *testing.T, url, channels string, began time.Time) *victim {
	t.Helper()
	v := &victim{Cmd: exec.CommandContext(context.Background(), os.Args[0]), silent: make(chan struct{})}
	v.Env = append(os.Environ(), chaosURL+"="+url, chaosChannels+"="+channels, fmt.Sprintf("%s=%d", chaosBegan, began.UnixNano()))
	v.Stderr = os.Stderr
	out, err := v.StdoutPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := v.Start(); err != nil {
		t.Error(err)
		return nil
	}
	go func() {
		defer close(v.silent)
		_, _ = io.Copy(v, out)
	}()
	return v
}

// kill ends it as kill -9 does, and gives how many posts were under way.
func (v *victim) kill() (flying int) {
	_ = v.Process.Kill()
	<-v.silent
	_ = v.Wait() // its error is that it was killed
	return int(v.began.Load() - v.ended.Load())
}
