package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestQuestionsAreLookedUpByWhatTheyAskFor(t *testing.T) {
	tests := []struct{ question, want string }{
		{"logs of db", "logs shop/db"},
		{"logs", "logs shop/checkout"},
		{"show me the logs", "logs shop/checkout"},
		{"Logs of shop/db, please", "logs shop/db"},
		{"what does cache log?", "logs shop/cache"},
		{"any output from checkout on stderr?", "logs shop/checkout"},
		{"is there a stacktrace?", "logs shop/checkout"},
		{"journal of db", "logs shop/db"},
		{"what did it print?", "logs shop/checkout"},
		{"status", "status shop/checkout"},
		{"status of db and cache", "status shop/db; status shop/cache"},
		{"is cache up?", "status shop/cache"},
		{"is it still running", "status shop/checkout"},
		{"is DB healthy?", "status shop/db"},
		{"how many replicas?", "status shop/checkout"},
		{"events", "events shop/checkout"},
		{"what happened to db?", "events shop/db"},
		{"was cache restarted?", "events shop/cache"},
		{"what happened?", "events shop/checkout"},
		{"logs and events of db", "logs shop/db; events shop/db"},
		{"logs of shop-db-1", "logs shop/db"},
		{"logs of other/db", "logs other/db"},
		{"is db the cause?", "status shop/db; logs shop/db"},
		{"and cache?", "status shop/cache; logs shop/cache"},
		{"db, cache, checkout: status, logs?", "logs shop/db; logs shop/cache; logs shop/checkout; status shop/db"},
		{"why?", ""},
		{"since when?", ""},
		{"what should I do", ""},
		{"catalogs?", ""},
		{"was something updated?", ""},
		{"what about dbase?", ""},
		{"logs of ../../etc/passwd", "logs shop/checkout"},
		{"logs of payments", "logs shop/checkout"},
		{"", ""},
	}
	other := db()
	other.Namespace, other.Instances = "other", nil
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.question, " ", "-"), func(t *testing.T) {
			c, s := incident()
			s.Services = append(s.Services, other)
			var got []string
			for _, i := range diagnose.Lookups(c, &s, tt.question) {
				if err := i.Validate(); err != nil {
					t.Error(err)
				}
				got = append(got, i.Kind+" "+i.Object.String())
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("looked up (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsLookedUpOfWhatNoSnapshotShows(t *testing.T) {
	c, s := incident()
	if got := diagnose.Lookups(c, nil, "logs of db, status, events"); got != nil {
		t.Errorf("without a snapshot: %+v", got)
	}
	s.Services = nil
	if got := diagnose.Lookups(c, &s, "logs of db, status, events"); got != nil {
		t.Errorf("of an empty one: %+v", got)
	}
	c.Object = schema.Object{Kind: schema.KindNode, Name: "n1"}
	s.Services = []schema.ServiceSummary{db()}
	if got := diagnose.Lookups(c, &s, "status, logs, events?"); got != nil {
		t.Errorf("of a node: %+v", got)
	}
	for i := range 20 {
		x := db()
		x.Name = fmt.Sprintf("db%d", i)
		s.Services = append(s.Services, x)
	}
	if got := diagnose.Lookups(c, &s, "db1 db2 db3 db4 db5 db6: logs status events"); len(got) != 4 {
		t.Errorf("%d look-ups for one question", len(got))
	}
}
