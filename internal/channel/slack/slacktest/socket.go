package slacktest

import "net/http"

type sockets struct{}

func (s *Server) closeSockets() {}

func (s *Server) serveSocket(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }

func (c call) openConnection() (answer, *refusal) { return nil, refuse("unknown_method") }

func (c call) openView() (answer, *refusal) { return nil, refuse("unknown_method") }
