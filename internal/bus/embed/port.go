package embed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

const (
	probeWithin = time.Second
	maxInfo     = 64 << 10
)

// free is nil if a server can listen on address, else it says who does and what to do.
func free(ctx context.Context, address string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l.Close()
	case !errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; BELLBUOY_NATS_LISTEN says where", err)
	}
	who := whoAnswers(ctx, address)
	if who.name == serverName {
		return fmt.Errorf("%s is taken: a Bellbuoy already runs there (%s); use it with BELLBUOY_NATS_URL=nats://%s bellbuoy list (or show, watch, …), or stop it, "+
			"or set BELLBUOY_NATS_LISTEN, BELLBUOY_HTTP_ADDR and BELLBUOY_DATA_DIR for a second one", address, who, address)
	}
	if who.name == "" {
		return fmt.Errorf("%s is taken: %s answers there; stop it, or set BELLBUOY_NATS_LISTEN to another address, such as 127.0.0.1:14222", address, who)
	}
	return fmt.Errorf("%s is taken: %s answers there; set BELLBUOY_NATS_URL=nats://%s to use that one, or BELLBUOY_NATS_LISTEN to another address for a server of our own, such as 127.0.0.1:14222",
		address, who, address)
}

// answer is who answers at an address: words for people and, of a NATS server, its name.
type answer struct{ words, name string }

func (a answer) String() string { return a.words }

func whoAnswers(ctx context.Context, address string) answer {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return answer{words: "something that takes no connections"}
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(probeWithin)); err != nil {
		return answer{words: "something that is not NATS"}
	}
	line, err := bufio.NewReader(io.LimitReader(c, maxInfo)).ReadBytes('\n')
	if err != nil {
		return answer{words: "something that is not NATS"}
	}
	return describe(line)
}

// describe reads the line with which a NATS server greets.
func describe(line []byte) answer {
	body, ok := bytes.CutPrefix(line, []byte("INFO "))
	var info struct {
		Name      string `json:"server_name"`
		Version   string `json:"version"`
		JetStream bool   `json:"jetstream"`
	}
	if !ok || json.Unmarshal(body, &info) != nil || info.Version == "" {
		return answer{words: "something that is not NATS"}
	}
	with := "with"
	if !info.JetStream {
		with = "without"
	}
	return answer{words: fmt.Sprintf("a NATS server (%.64q, version %.32q, %s JetStream)", info.Name, info.Version, with), name: info.Name}
}
