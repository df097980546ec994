package client_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func named(cluster, kind, namespace, name, id string) client.Named {
	return client.Named{Cluster: cluster, Object: schema.Object{Kind: kind, Namespace: namespace, Name: name}, ID: id}
}

func known() []client.Named {
	return []client.Named{
		named("prod", schema.KindService, "shop", "checkout", "9f2c51d07be34a68"),
		named("prod", schema.KindService, "shop", "my-checkout", "9f2c000000000000"),
		named("test", schema.KindService, "shop", "cart", "aaaa000000000000"),
		named("prod", schema.KindService, "shop", "cart", "bbbb000000000000"),
		named("prod", schema.KindService, "", "beef", "cccc000000000000"),
		named("prod", schema.KindService, "x", "dead", "beef000000000000"),
		named("prod", schema.KindNode, "", "n1", "dddd000000000000"),
		named("prod", schema.KindSource, "", "docker", "eeee000000000000"),
		named("prod", schema.KindCluster, "", "prod", "ffff000000000000"),
	}
}

func TestRefIsAnIDPrefixOrTheEndOfAName(t *testing.T) {
	tests := []struct {
		name, ref string
		want      []string
	}{
		{"whole-id", "9f2c51d07be34a68", []string{"9f2c51d07be34a68"}},
		{"id-prefix", "9f2c5", []string{"9f2c51d07be34a68"}},
		{"ambiguous-prefix", "9f2c", []string{"9f2c51d07be34a68", "9f2c000000000000"}},
		{"prefix-too-short", "9f2", nil},
		{"name", "checkout", []string{"9f2c51d07be34a68"}},
		{"no-part-of-a-name", "eckout", nil},
		{"namespace-and-name", "shop/checkout", []string{"9f2c51d07be34a68"}},
		{"same-name-in-two-clusters", "cart", []string{"aaaa000000000000", "bbbb000000000000"}},
		{"cluster-settles-it", "test/shop/cart", []string{"aaaa000000000000"}},
		{"id-before-name", "beef", []string{"beef000000000000"}},
		{"node", "node/n1", []string{"dddd000000000000"}},
		{"source", "source/docker", []string{"eeee000000000000"}},
		{"source-by-its-name-alone", "docker", []string{"eeee000000000000"}},
		{"whole-cluster", "prod", []string{"ffff000000000000"}},
		{"whole-cluster-by-its-kind", "cluster/prod", []string{"ffff000000000000"}},
		{"a-node-is-no-source", "source/n1", nil},
		{"spaces-and-slashes-around", " /shop/checkout/ ", []string{"9f2c51d07be34a68"}},
		{"empty", "", nil},
		{"unknown", "nothing", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, n := range client.Match(tt.ref, known()) {
				got = append(got, n.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAmbiguousRefListsWhatItCouldMean(t *testing.T) {
	_, err := client.One("cart", known())
	if err == nil || !strings.Contains(err.Error(), "aaaa0000 test/shop/cart") || !strings.Contains(err.Error(), "bbbb0000 prod/shop/cart") {
		t.Errorf("error %v does not list both carts", err)
	}
	if _, err := client.One("nothing", known()); err == nil || !strings.Contains(err.Error(), "bellbuoy list") {
		t.Errorf("error %v does not say what to do", err)
	}
}

func TestShortIDsAreAsLongAsTheyMustBe(t *testing.T) {
	got := client.Short([]string{"9f2c51d07be34a68", "9f2c5000000000ff", "1111000000000000", "1111000000000000"})
	want := map[string]string{"9f2c51d07be34a68": "9f2c51", "9f2c5000000000ff": "9f2c50", "1111000000000000": "1111"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("short ids (-want +got):\n%s", diff)
	}
}

// A name that an open conversation bears is that one's, though a folded one bears it too; an id is never passed over.
func TestAnOpenConversationWinsOverAFoldedOne(t *testing.T) {
	all := known()
	all[2].State, all[3].State = schema.StateFolded, schema.StateAcknowledged
	if got, err := client.One("cart", all); err != nil || got.ID != "bbbb000000000000" {
		t.Errorf("cart is %+v, %v; want the open one", got, err)
	}
	if got, err := client.One("aaaa", all); err != nil || got.ID != "aaaa000000000000" {
		t.Errorf("aaaa is %+v, %v; want the folded one", got, err)
	}
	all[3].State = schema.StateCleared
	if got, err := client.One("cart", all); err == nil {
		t.Errorf("cart is %+v though none of the two is open", got)
	}
	all[2].State, all[3].State = schema.StateInvestigating, schema.StateAcknowledged
	if got, err := client.One("cart", all); err == nil {
		t.Errorf("cart is %+v though both are open", got)
	}
}
