package diagnose_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestCommandIsRunnableAsItIsOrNotThere(t *testing.T) {
	web := schema.ServiceSummary{Name: "web", Namespace: "shop", Instances: []schema.Instance{
		{Name: "shop-web-1", State: "running"},
		{Name: "shop-web-2", State: "running", Health: schema.HealthUnhealthy},
		{Name: "shop-web-5", State: "exited"},
		{Name: "shop-web-4", State: "exited"},
		{Name: "shop-web-3", State: "restarting"},
		{Name: "shop-web-6", State: "paused"},
	}}
	hostile := schema.ServiceSummary{Name: "hostile", Instances: []schema.Instance{
		{Name: "x; rm -rf /", State: "exited"},
		{Name: "-v", State: "exited"},
		{Name: "$(id)", State: "exited"},
		{Name: "", State: "exited"},
		{Name: "a\nb", State: "exited"},
		{Name: "ünicode", State: "exited"},
		{Name: strings.Repeat("a", 300), State: "exited"},
	}}
	twin, other := schema.ServiceSummary{Name: "b", Namespace: "a", Instances: web.Instances}, schema.ServiceSummary{Name: "a/b", Instances: web.Instances}
	unit := func(name, state string) schema.ServiceSummary {
		return schema.ServiceSummary{Name: name, Namespace: "systemd.service", Runtime: "unit", Instances: []schema.Instance{{Name: name + ".service", State: state}}}
	}
	snap := snapshot(web, hostile, db(), twin, other, unit("nginx", "failed"), unit("ssh", "running"), unit(`a\x2db@c`, "dead"), unit("-H", "dead"), unit("a b", "dead"), unit("*", "dead"))
	tests := []struct {
		name, source, verb, target string
		want                       string // "": an error that says why
	}{
		{"logs-take-one-container-the-worst", "docker", "logs", "shop/web", "docker logs --tail 50 shop-web-3"},
		{"inspect-three", "docker", "inspect", "shop/web", "docker inspect shop-web-3 shop-web-4 shop-web-5"},
		{"start-only-what-has-ended", "docker", "start", "shop/web", "docker start shop-web-4 shop-web-5"},
		{"restart-at-most-three-and-nothing-paused", "docker", "restart", "shop/web", "docker restart shop-web-3 shop-web-4 shop-web-5"},
		{"one-of-several-sources", "host, docker", "start", "shop/db", "docker start shop-db-1"},
		{"bare-name-is-not-the-target", "docker", "start", "db", ""},
		{"no-such-target", "docker", "logs", "shop/nothing", ""},
		{"node", "docker", "restart", "n1", ""},
		{"two-services-print-alike", "docker", "logs", "a/b", ""},
		{"names-that-are-no-names", "docker", "start", "hostile", ""},
		{"file-has-no-tools", "file", "logs", "shop/web", ""},
		{"no-source", "", "logs", "shop/web", ""},
		{"dockerish-is-not-docker", "docker2", "logs", "shop/web", ""},
		{"verb-not-in-the-list", "docker", "rm -f", "shop/web", ""},
		{"exec-is-not-in-the-list", "docker", "exec", "shop/web", ""},
		{"unit-logs", "docker,host", "logs", "systemd.service/nginx", "journalctl -u nginx.service -n 50 --no-pager"},
		{"unit-inspect", "host", "inspect", "systemd.service/nginx", "systemctl status --no-pager nginx.service"},
		{"unit-start", "host", "start", "systemd.service/nginx", "systemctl start nginx.service"},
		{"unit-restart", "host", "restart", "systemd.service/ssh", "systemctl restart ssh.service"},
		{"unit-name-is-quoted", "host", "start", `systemd.service/a\x2db@c`, `systemctl start 'a\x2db@c.service'`},
		{"unit-runs-already", "host", "start", "systemd.service/ssh", ""},
		{"unit-of-another-source", "docker", "logs", "systemd.service/nginx", ""},
		{"container-of-another-source", "host", "logs", "shop/web", ""},
		{"unit-name-that-is-an-option", "host", "start", "systemd.service/-H", ""},
		{"unit-name-of-two-words", "host", "start", "systemd.service/a b", ""},
		{"unit-name-that-is-a-pattern", "host", "restart", "systemd.service/*", ""},
		{"empty-verb", "docker", "", "shop/web", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := diagnose.Command(&snap, tt.source, schema.Action{Verb: tt.verb, Target: tt.target})
			if got != tt.want {
				t.Errorf("command %q, want %q", got, tt.want)
			}
			if (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, diagnose.ErrNoCommand) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestNoneIsNoCommandAndNoError(t *testing.T) {
	if got, err := diagnose.Command(nil, "docker", schema.Action{Verb: diagnose.VerbNone}); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestArgvQuotesWhatAShellWouldRead(t *testing.T) {
	got := diagnose.Argv("docker", "logs", "a b", "it's", "", "$(id)", "x;y", "image:1.4@sha256=0")
	if want := `docker logs 'a b' 'it'\''s' '' '$(id)' 'x;y' image:1.4@sha256=0`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAChangeOfManyContainersSaysThatItIsAPart(t *testing.T) {
	for n, part := range map[int]bool{3: false, 5: true} {
		s := stoppedDB()
		s.Services[1].Instances = nil
		for i := range n {
			s.Services[1].Instances = append(s.Services[1].Instances, schema.Instance{Name: fmt.Sprintf("shop-db-%d", i+1), State: "exited"})
		}
		d := conversation(s, checkout(), crashLoop()).Diagnosis
		if want := "docker start shop-db-1 shop-db-2 shop-db-3"; d.Command != want {
			t.Errorf("command %q, want %q", d.Command, want)
		}
		if strings.HasPrefix(d.Action.Reason, "3 of its 5 containers at first") != part {
			t.Errorf("of %d containers the reason is %q", n, d.Action.Reason)
		}
	}
}
