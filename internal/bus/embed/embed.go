// Package embed runs a NATS server inside this process: with JetStream, every write on the disk before it is
// acknowledged, listening on the loopback interface so that the nats command line can tap it.
//
// It owns its directory while it runs, and it never takes another port or directory than it was told.
package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// DefaultListen is where the server listens unless told otherwise.
const DefaultListen = "127.0.0.1:4222"

// Options of a Server. The zero value with a Dir is enough.
type Options struct {
	Listen   string       // host:port; port 0 takes any that is free; empty: DefaultListen
	NoListen bool         // no port at all: only InProcessConn
	Dir      string       // what is stored
	Log      *slog.Logger // nil: silent
	NoSync   bool         // let the operating system decide when writes reach the disk; loses nothing on kill -9
}

// serverName is how a second Bellbuoy recognises the server of a first.
const serverName = "bellbuoy"

const (
	maxPayload   = 8 << 20
	maxStore     = 64 << 30 // a bound on what streams may reserve; the disk is the real one
	startsWithin = 30 * time.Second
)

// Server is a running NATS server. It is a nats.InProcessConnProvider.
type Server struct {
	server *server.Server
	lock   *os.File
}

// Start starts a server and returns when it takes connections. If something else holds the port, the error says what
// that is and what to do.
func Start(ctx context.Context, o Options) (*Server, error) {
	o.Listen = cmp.Or(o.Listen, DefaultListen)
	opts, err := options(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start the embedded NATS server: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the embedded NATS server: %w", err)
	}
	s := &Server{lock: lock}
	if err := s.run(ctx, opts, o.Log); err != nil {
		s.Close()
		return nil, fmt.Errorf("start the embedded NATS server: %w", err)
	}
	return s, nil
}

func options(ctx context.Context, o Options) (*server.Options, error) {
	if o.Dir == "" {
		return nil, errors.New("it has no directory to store in; set BELLBUOY_DATA_DIR")
	}
	opts := &server.Options{
		ServerName: serverName, DontListen: o.NoListen,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: maxStore, SyncAlways: !o.NoSync,
		MaxPayload: maxPayload, NoSigs: true,
	}
	if o.NoListen {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; BELLBUOY_NATS_LISTEN is host:port", o.Listen, err)
	}
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("listen on %q: the port is not a number", o.Listen)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.Host = host
	return opts, free(ctx, o.Listen)
}

func (s *Server) run(ctx context.Context, opts *server.Options, log *slog.Logger) error {
	var err error
	if s.server, err = server.NewServer(opts); err != nil {
		return err
	}
	trouble := &logger{log: log}
	if log == nil {
		trouble.log = slog.New(slog.DiscardHandler)
	}
	s.server.SetLoggerV2(trouble, false, false, false)
	s.server.Start()
	if !s.server.ReadyForConnections(readyWithin(ctx)) {
		return fmt.Errorf("it does not get ready: %s", trouble.last())
	}
	if !s.server.JetStreamEnabled() {
		return fmt.Errorf("JetStream does not start: %s", trouble.last())
	}
	return nil
}

func readyWithin(ctx context.Context) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return min(time.Until(at), startsWithin)
	}
	return startsWithin
}

// InProcessConn is a connection to the server that needs no port.
func (s *Server) InProcessConn() (net.Conn, error) { return s.server.InProcessConn() }

// Addr is host:port of where the server listens, empty if it does not.
func (s *Server) Addr() string {
	if a := s.server.Addr(); a != nil {
		return a.String()
	}
	return ""
}

// ClientURL is what other processes connect to, empty if the server does not listen.
func (s *Server) ClientURL() string {
	if s.Addr() == "" {
		return ""
	}
	return s.server.ClientURL()
}

// Close stops the server and waits until everything is stored.
func (s *Server) Close() {
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
	_ = s.lock.Close() // which lets go of the directory
}
