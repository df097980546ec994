package slacktest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxSockets = 10 // connections of one app
	queued     = 1 << 10
)

// socket is one connection of Socket Mode. All but out belongs to the server's lock.
type socket struct {
	name    string
	conn    *websocket.Conn
	out     chan []byte
	over    chan struct{} // closed when nothing is written any more
	silent  chan struct{} // closed when it froze
	leaving bool          // was told to go: gets no more payloads
	frozen  bool          // is silent, as one is whose other end vanished
	closed  bool
}

// sockets is what the workspace knows of Socket Mode.
type sockets struct {
	tickets  map[string]bool // of addresses that were not dialled yet
	live     []*socket       // the oldest first
	used     bool            // somebody listened once; nobody is told before that
	disabled bool
	turn     int

	deliveries []*Delivery
	envelopes  map[string]*Delivery
	pending    []*Delivery // for want of a connection
	held       []*Delivery // until another passes them
	problems   []string
	timers     []*time.Timer
	disorder   disorder
}

func (c call) openConnection() (answer, *refusal) {
	if c.sockets.disabled {
		return nil, refuse("link_disabled")
	}
	ticket := fmt.Sprintf("ticket-%d", c.number())
	c.sockets.tickets[ticket] = true
	return answer{"url": "ws://" + c.listen.Addr().String() + "/link/?ticket=" + ticket + "&app_id=" + appID}, nil
}

// serveSocket is one connection from its beginning to its end. An address can be dialled once.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.serves.Done()
	s.mu.Lock()
	ticket := r.URL.Query().Get("ticket")
	known := s.sockets.tickets[ticket]
	delete(s.sockets.tickets, ticket)
	s.mu.Unlock()
	if !known {
		http.Error(w, "invalid ticket", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	k := &socket{conn: conn, out: make(chan []byte, queued), over: make(chan struct{}), silent: make(chan struct{})}
	conn.SetPingHandler(k.pong)
	s.serves.Go(func() { k.write(s.ping) })
	s.welcome(k)
	s.listenTo(k)
	s.leave(k, "connection_failed")
}

// enter counts a goroutine that Close waits for, unless it is closed already.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.over:
		return false
	default:
		s.serves.Add(1)
		return true
	}
}

// welcome says hello, and hands over what waited for a connection. One too many is sent away.
func (s *Server) welcome(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.change()
	k.name = fmt.Sprintf("applink-%d", s.number())
	select {
	case <-s.over:
		k.close()
		return
	default:
	}
	if len(s.sockets.live) >= maxSockets {
		k.push(farewell("too_many_websockets", k.name))
		k.leaving = true
		k.closeSoon()
		return
	}
	s.sockets.live = append(s.sockets.live, k)
	s.sockets.used = true
	k.push(map[string]any{
		"type": "hello", "num_connections": len(s.sockets.live), "connection_info": map[string]string{"app_id": appID},
		"debug_info": map[string]any{"host": k.name, "build_number": 1, "approximate_connection_time": 18060},
	})
	waited := s.sockets.pending
	s.sockets.pending = nil
	for _, d := range waited {
		s.send(d)
	}
}

func farewell(reason, host string) map[string]any {
	return map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]string{"host": host}}
}

// write sends what is pushed, and pings, until the connection is over. Nothing pushed stands for its end.
func (k *socket) write(every time.Duration) {
	defer func() { _ = k.conn.Close() }()
	ping := time.NewTicker(every)
	defer ping.Stop()
	for {
		select {
		case frame := <-k.out:
			if frame == nil {
				_ = k.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
				return
			}
			if k.conn.WriteMessage(websocket.TextMessage, frame) != nil {
				return
			}
		case <-ping.C:
			if k.conn.WriteMessage(websocket.PingMessage, []byte("Ping from applink")) != nil {
				return
			}
		case <-k.silent:
			<-k.over
			return
		case <-k.over:
			return
		}
	}
}

// pong answers a ping of the client's, unless the connection is frozen.
func (k *socket) pong(text string) error {
	select {
	case <-k.silent:
	default:
		_ = k.conn.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(time.Second))
	}
	return nil
}

// push queues a frame. A connection that takes nothing any more is broken off. Called with the lock held.
func (k *socket) push(frame any) {
	text, ok := frame.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(frame); err != nil {
			return
		}
	}
	if k.closed || k.frozen {
		return
	}
	select {
	case k.out <- text:
	default:
		k.close()
	}
}

// close breaks the connection off; closeSoon after what is queued. Called with the lock held.
func (k *socket) close() {
	if !k.closed {
		k.closed = true
		close(k.over)
		if tcp, ok := k.conn.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = k.conn.NetConn().Close()
	}
}

func (k *socket) closeSoon() {
	select {
	case k.out <- nil:
	default:
		k.close()
	}
}

// listenTo reads what the client acknowledges until the connection is over.
func (s *Server) listenTo(k *socket) {
	for {
		kind, text, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		s.mu.Lock()
		if !k.frozen {
			s.heard(kind, text)
			s.change()
		}
		s.mu.Unlock()
	}
}

// leave forgets a connection and sends elsewhere what it did not acknowledge.
func (s *Server) leave(k *socket, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.close()
	s.sockets.live = slices.DeleteFunc(s.sockets.live, func(x *socket) bool { return x == k })
	for _, d := range s.sockets.deliveries {
		if d.on == k && d.open() {
			d.on = nil
			s.again(d, why)
		}
	}
	s.change()
}

func (s *Server) closeSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets.live {
		k.close()
	}
	for _, t := range s.sockets.timers {
		t.Stop()
	}
}
