package process

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// serverHeader begins the Server header of every page, by which a second process recognises a first.
const serverHeader = "bellbuoy/"

// named says in every answer whose it is.
func named(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", serverHeader+name)
		next.ServeHTTP(w, r)
	})
}

// probeWithin bounds the look at a taken address.
const probeWithin = time.Second

// whoAnswers says what listens on a taken address, as far as it tells.
func whoAnswers(addr string) string {
	ctx, cancel := context.WithTimeout(context.Background(), probeWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", http.NoBody)
	if err != nil {
		return "another program"
	}
	direct := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // and no proxy
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := direct.Do(request)
	if err != nil {
		return "something that does not speak HTTP"
	}
	defer response.Body.Close()
	if name, ok := strings.CutPrefix(response.Header.Get("Server"), serverHeader); ok && len(name) < 32 && !strings.ContainsFunc(name, notLetter) {
		return "a Bellbuoy (" + name + ")"
	}
	return "another web server"
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }
