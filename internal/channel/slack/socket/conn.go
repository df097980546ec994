package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxFrame  = 1 << 20 // bytes
	handshake = 10 * time.Second
	writing   = 5 * time.Second
)

// conn is one connection. It reads until it is over.
type conn struct {
	ws      *websocket.Conn
	silence time.Duration
	over    chan struct{} // closed once nothing is read any more
	leave   chan struct{} // closed when Slack says that it will end
	hello   chan struct{} // closed when Slack says that it is open

	leaving, greeted, ending sync.Once
	writes                   sync.Mutex
	debts                    debts // envelopes that nobody has decided on
	used                     atomic.Bool
}

// dial opens a connection, and waits until Slack says that it is.
func (c Client) dial(ctx context.Context) (*conn, error) {
	address, err := c.Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := Check(address); err != nil {
		return nil, err
	}
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: handshake}
	ws, response, err := d.DialContext(ctx, address, nil)
	if response != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to Slack: %s", reason(err, response))
	}
	k := &conn{ws: ws, silence: c.Silence, over: make(chan struct{}), leave: make(chan struct{}), hello: make(chan struct{})}
	ws.SetReadLimit(maxFrame)
	go k.read(ctx, c)
	go k.ping()
	select {
	case <-k.hello:
		return k, nil
	case <-k.over:
		return nil, errors.New("connect to Slack: the connection ended before it began")
	case <-k.leave:
		k.close()
		<-k.over
		return nil, errors.New("connect to Slack: it wants no more connections")
	case <-ctx.Done():
		k.close()
		<-k.over
		return nil, ctx.Err()
	}
}

// reason is an error of dialling without the address, which is a secret.
func reason(err error, response *http.Response) string {
	if response != nil {
		return "answered " + response.Status
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}

// Check refuses an address that is not encrypted, unless it is on this machine.
func Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return errors.New("connect to Slack: the address that it gave is not one")
	case u.Scheme == "wss":
		return nil
	case u.Scheme == "ws" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("connect to Slack: the address that it gave is not that of an encrypted WebSocket (wss)")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// read takes frames until the connection ends, or nothing came for too long.
func (k *conn) read(ctx context.Context, c Client) {
	defer close(k.over)
	defer k.close()
	stop := context.AfterFunc(ctx, k.close)
	defer stop()
	k.ws.SetPingHandler(func(text string) error {
		k.alive()
		return k.control(websocket.PongMessage, text)
	})
	k.ws.SetPongHandler(func(string) error { k.alive(); return nil })
	for {
		k.alive()
		kind, text, err := k.ws.ReadMessage()
		if err != nil {
			return
		}
		var e Envelope
		if kind != websocket.TextMessage || json.Unmarshal(text, &e) != nil {
			c.odd()
			continue
		}
		k.take(ctx, c, e)
	}
}

func (k *conn) take(ctx context.Context, c Client, e Envelope) {
	switch {
	case e.Type == "hello":
		k.greeted.Do(func() { close(k.hello) })
	case e.Type == "disconnect":
		k.leaving.Do(func() { close(k.leave) })
	case e.ID != "":
		k.debts.more()
		c.Handle(ctx, e, func(ack bool) error {
			defer k.debts.less()
			if !ack {
				return nil
			}
			err := k.ack(e.ID)
			k.used.Store(k.used.Load() || err == nil)
			return err
		})
	default:
		c.odd()
	}
}

// debts counts what is undecided.
type debts struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed once there is none; nil: nobody asked
}

func (d *debts) more() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
}

func (d *debts) less() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n--; d.n == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// none is closed once there is no debt.
func (d *debts) none() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	d.idle = make(chan struct{})
	return d.idle
}

// alive puts off the end of patience.
func (k *conn) alive() { _ = k.ws.SetReadDeadline(time.Now().Add(k.silence)) }

// ping asks for a sign of life, so that a connection that nobody has anything to say on is not taken for a dead one.
func (k *conn) ping() {
	every := time.NewTicker(k.silence / 3)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			_ = k.control(websocket.PingMessage, "")
		case <-k.over:
			return
		}
	}
}

func (k *conn) control(kind int, text string) error {
	return k.ws.WriteControl(kind, []byte(text), time.Now().Add(writing))
}

func (k *conn) ack(id string) error {
	text, err := json.Marshal(map[string]string{"envelope_id": id})
	if err != nil {
		return err
	}
	k.writes.Lock()
	defer k.writes.Unlock()
	_ = k.ws.SetWriteDeadline(time.Now().Add(writing))
	return k.ws.WriteMessage(websocket.TextMessage, text)
}

// close ends the connection at once.
func (k *conn) close() { k.ending.Do(func() { _ = k.ws.Close() }) }

// retire ends a connection that another one has taken the place of, once what came over it is acknowledged.
func (k *conn) retire(ctx context.Context) {
	late := time.NewTimer(goodbye)
	defer late.Stop()
	select {
	case <-k.debts.none():
	case <-k.over:
	case <-late.C:
	case <-ctx.Done():
	}
	_ = k.control(websocket.CloseMessage, string(websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")))
	k.close()
	<-k.over
}
