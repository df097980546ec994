package main

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const configurationPage = "../../docs/configuration.md"

func configuration() string {
	return config.Reference(process.Prefix,
		config.Section{
			Title: "NATS and the process", Config: daemon.Common{},
			About: "Read by `collector`, `analyzer`, `notifier` and `bellbuoy`.",
		},
		config.Section{
			Title: "bellbuoy up", Config: serverConfig{},
			About: "`bellbuoy up` also reads everything else on this page.",
		},
		config.Section{
			Title: "bellbuoy reply, ack, unack, resolve, dismiss and reopen", Config: personConfig{},
			About: "All commands that ask what runs also read the section about NATS.",
		},
		config.Section{Title: "Collector", Config: collector.Config{}, About: collectorAbout},
		config.Section{
			Title: "Analyzer and model", Config: analyzer.Config{},
			About: "Without a model every diagnosis and every answer is made by rules. `bellbuoy setup` reads `BELLBUOY_LLM_CONCURRENCY` too. " +
				"What a rules file may hold is in [rules.example.yml](rules.example.yml).",
		},
		config.Section{
			Title: "Notifier and channels", Config: notifier.Config{},
			About: "`bellbuoy setup` reads these too, because each channel has a consumer of its own. " +
				"What a file of channels may hold is in [channels.example.yml](channels.example.yml): a channel's options there are its kind's variables in lower case, without the kind.",
		},
	)
}

const collectorAbout = "The Docker engine is found as the docker command finds it: `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context, and then the usual " +
	"sockets of Docker and Podman, in the order of [architecture.md](architecture.md#sources). Where the machine's `/proc` is mounted elsewhere, `HOST_PROC` " +
	"names it; `HOST_ROOT` names where its root is mounted, without which `auto` leaves out host in a container. Labels of containers that Bellbuoy reads are in [architecture.md](architecture.md#what-people-type-and-set)."

func TestConfigurationPageIsCurrent(t *testing.T) {
	want := configuration()
	if *update {
		if err := os.WriteFile(configurationPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./cmd/bellbuoy -update", err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/configuration.md is not current, write it with: go test ./cmd/bellbuoy -update (-want +got):\n%s", diff)
	}
}

// What `up` reads has to be on the page as a whole, whatever is added to it.
func TestConfigurationPageHasAllThatUpReads(t *testing.T) {
	page, all := configuration(), config.Summary(process.Prefix, upConfig{})
	for _, name := range variables(all) {
		if !contains(page, "| `"+name+"` |") {
			t.Errorf("docs/configuration.md lacks %s: give its struct a section", name)
		}
	}
	if n := len(variables(all)); n < 20 {
		t.Errorf("up reads %d variables, which are too few to be all", n)
	}
}
