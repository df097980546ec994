package conversation_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestLinksAreBoundedAndShownWholeOrNotAtAll(t *testing.T) {
	f := finding(noon, 1, false, "service_down", schema.SeverityCritical)
	add := func(title, url string) { f.Links = append(f.Links, schema.Link{Title: title, URL: url}) }
	add("Logs\n\u202eboard", "https://x/1")
	add("", "https://x/without-a-title")
	add("without an address", "")
	add("secret", "https://x/?t=ghp_0123456789abcdefghijABCDEFGHIJ012345")
	add("hidden", "https://x/\u202e")
	add("long", "https://x/?"+strings.Repeat("&", schema.MaxLinkBytes/6)) // each & takes six bytes
	for range 20 {
		add("more", "https://x/2")
	}
	got := after(f).Links
	want := []schema.Link{{Title: "Logs board", URL: "https://x/1"}}
	for range schema.MaxLinks - 1 {
		want = append(want, schema.Link{Title: "more", URL: "https://x/2"})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}
