package bus

import (
	"context"
	"encoding/json"
	"strings"
)

// callerHeader is where a server says who asks, and importedReply how the inboxes begin that it makes for a request which it
// carries from one account to another one that exports the service.
const (
	callerHeader  = "Nats-Request-Info"
	importedReply = "_R_."
)

// Caller is who asks, as the NATS server attests it. Within one account it attests nothing, and the zero value is what is
// known.
type Caller struct {
	Account string `json:"acc"`
	User    string `json:"user"` // its name, or the public key that it logs in with
}

type callerKey struct{}

// CallerOf is who asks what is being answered.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// attested reads who asks from a request's header and inbox. The header alone proves nothing, as any client may set it.
// But no client may ask with an inbox that begins like those: the server refuses it. It makes them where the asker's
// account imports the service, and there it writes the header itself; with the user's name in it if the import has
// share: true.
func attested(header, inbox string) Caller {
	var c Caller
	if !strings.HasPrefix(inbox, importedReply) || json.Unmarshal([]byte(header), &c) != nil || c.User == "" {
		return Caller{}
	}
	return c
}
