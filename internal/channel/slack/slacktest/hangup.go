package slacktest

// Connections tells how many connections the app has open that are not on their way out.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.sockets.live {
		if !k.leaving {
			n++
		}
	}
	return n
}

// oldest finds the connection that was opened first and is not on its way out. Called with the lock held.
func (s *Server) oldest() *socket {
	for _, k := range s.sockets.live {
		if !k.leaving && !k.frozen {
			return k
		}
	}
	return nil
}

// Disconnect tells the oldest connection to go, for a reason such as warning or refresh_requested. It gets nothing
// more, and stays open until the client closes it or Drop. It tells whether there was one.
func (s *Server) Disconnect(reason string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.oldest()
	if k == nil {
		return false
	}
	k.push(farewell(reason, k.name))
	k.leaving = true
	s.change()
	return true
}

// Disable takes Socket Mode from the app, as an administrator does: every connection is told and closed, and none can
// be opened.
func (s *Server) Disable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets.disabled = true
	for _, k := range s.sockets.live {
		k.push(farewell("link_disabled", k.name))
		k.leaving = true
		k.closeSoon()
	}
	s.change()
}

// Drop breaks the oldest connection off without a word, those on their way out first. It tells whether there was one.
func (s *Server) Drop() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, leaving := range []bool{true, false} {
		for _, k := range s.sockets.live {
			if k.leaving == leaving && !k.closed {
				k.close()
				return true
			}
		}
	}
	return false
}

// Freeze makes the oldest connection silent without closing it: it gets no payloads, and is not heard, while pings
// stop as well. It tells whether there was one.
func (s *Server) Freeze() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.oldest()
	if k == nil {
		return false
	}
	k.frozen = true
	close(k.silent)
	s.change()
	return true
}

// Send sends a frame to the oldest connection as it stands, whatever it is.
func (s *Server) Send(frame string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.oldest()
	if k != nil {
		k.push([]byte(frame))
	}
	return k != nil
}
