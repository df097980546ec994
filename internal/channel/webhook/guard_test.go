package webhook_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

func TestGuardRefusesAddressesThatAreNobodysReceiver(t *testing.T) {
	const always, unlessDenied, never = 2, 1, 0
	tests := []struct {
		address string
		allowed int
	}{
		{"93.184.216.34:443", always},
		{"[2606:2800:220:1::1]:443", always},
		{"[::ffff:93.184.216.34]:443", always},
		{"127.0.0.1:80", unlessDenied},
		{"127.8.9.1:80", unlessDenied},
		{"[::1]:8080", unlessDenied},
		{"[::ffff:127.0.0.1]:80", unlessDenied},
		{"10.1.2.3:443", unlessDenied},
		{"[::ffff:10.1.2.3]:443", unlessDenied},
		{"192.168.1.1:80", unlessDenied},
		{"172.20.0.2:9000", unlessDenied},
		{"100.64.1.1:80", unlessDenied},
		{"[fd12:3456::1]:80", unlessDenied},
		{"169.254.169.254:80", never},
		{"169.254.1.1:80", never},
		{"[::ffff:169.254.169.254]:80", never},
		{"[::169.254.169.254]:80", never},
		{"[fe80::1%eth0]:80", never},
		{"[fd00:ec2::254]:80", never},
		{"[fd20:ce::254]:80", never},
		{"100.100.100.200:80", never},
		{"[::ffff:100.100.100.200]:80", never},
		{"168.63.129.16:80", never},
		{"0.0.0.0:80", never},
		{"[::]:80", never},
		{"224.0.0.1:80", never},
		{"[ff02::1]:80", never},
		{"255.255.255.255:80", never},
		{"[64:ff9b::a9fe:a9fe]:80", never},   // NAT64 of 169.254.169.254
		{"[64:ff9b::7f00:1]:80", never},      // of 127.0.0.1
		{"[64:ff9b:1::a9fe:a9fe]:80", never}, // the prefix for networks of one's own
		{"[2002:a9fe:a9fe::1]:80", never},    // 6to4
		{"nonsense", never},
	}
	for _, tt := range tests {
		for _, deny := range []bool{false, true} {
			want := tt.allowed == always || tt.allowed == unlessDenied && !deny
			if err := webhook.Guard(tt.address, deny); (err == nil) != want {
				t.Errorf("%s, private ones denied %v: %v, want allowed: %v", tt.address, deny, err, want)
			}
		}
	}
}

// rebinding is a name server that gives another address for any name each time it is asked for one.
func rebinding(t *testing.T, addresses ...[4]byte) *net.Resolver {
	t.Helper()
	var asked atomic.Int64
	answer := func(query []byte) []byte {
		end := 12
		for query[end] != 0 {
			end += int(query[end]) + 1
		}
		end += 5
		reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
		if binary.BigEndian.Uint16(query[end-4:]) != 1 { // there is nothing but addresses of version 4
			return reply
		}
		reply[7] = 1
		ip := addresses[min(int(asked.Add(1)), len(addresses))-1]
		return append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ip[0], ip[1], ip[2], ip[3])
	}
	dial := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			for {
				head := make([]byte, 2) // over a stream each message has its length before it
				if _, err := io.ReadFull(ours, head); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(head))
				if _, err := io.ReadFull(ours, query); err != nil {
					return
				}
				reply := answer(query)
				if _, err := ours.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
					return
				}
			}
		}()
		return theirs, nil
	}
	return &net.Resolver{PreferGo: true, Dial: dial}
}

func TestANameThatResolvesToSomethingElseTheSecondTimeIsRefused(t *testing.T) {
	r := newReceiver(t)
	_, port, err := net.SplitHostPort(r.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ch := r.channel(t, webhook.Config{URL: config.Secret("http://rebinding.example.:" + port + "/")})
	ch.Resolve(rebinding(t, [4]byte{127, 0, 0, 1}, [4]byte{169, 254, 169, 254}))
	if _, err := ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")}); err != nil {
		t.Fatalf("the first time: %v", err)
	}
	if err := ch.Close(); err != nil { // or the connection would be used again
		t.Fatal(err)
	}
	if _, err := ch.Post(t.Context(), channel.Post{Key: "k-2", Body: []byte("{}")}); !errors.Is(err, channel.ErrSetup) {
		t.Errorf("the second time: %v, want it refused as a mistake of the set-up", err)
	}
	if n := len(r.got()); n != 1 {
		t.Errorf("%d posts arrived, want the first", n)
	}
}

func TestPrivateReceiversCanBeDenied(t *testing.T) {
	r := newReceiver(t)
	ch := r.channel(t, webhook.Config{DenyPrivate: true})
	if _, err := ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")}); !errors.Is(err, channel.ErrSetup) {
		t.Errorf("error %v, want a mistake of the set-up", err)
	}
	if _, err := webhook.Inspect(t.Context(), webhook.Config{URL: config.Secret(r.url()), DenyPrivate: true}); !errors.Is(err, webhook.ErrForbidden) {
		t.Errorf("inspected: %v, want it forbidden", err)
	}
	if n := len(r.got()); n != 0 {
		t.Errorf("%d posts arrived", n)
	}
}
