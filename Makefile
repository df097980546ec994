# `make` alone lists the targets. What continuous integration runs is .ci/run, which uses the same ones.

GO      ?= go
TOOL     = $(GO) tool -modfile=tools/go.mod
BIN      = bin
IMAGE   ?= bellbuoy:dev
CA      ?= /etc/ssl/certs/ca-certificates.crt
DAEMONS  = collector analyzer notifier bellbuoy

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## run everything in one process on this machine's containers
	$(GO) run ./cmd/bellbuoy up

.PHONY: build
build: ## put static binaries into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN)/ $(DAEMONS:%=./cmd/%)

.PHONY: image
image: build ## build the container image from bin/, pulling nothing
	cp $(CA) $(BIN)/ca-certificates.crt
	docker build --quiet --tag $(IMAGE) --file deploy/Dockerfile.prebuilt $(BIN)

.PHONY: test
test: ## run the tests with the race detector
	$(GO) test -race ./...

.PHONY: check
check: format-check vet lint test tidy-check ## all that has to pass before a change is done

.PHONY: fmt
fmt: ## format the source
	$(TOOL) golangci-lint fmt ./...

.PHONY: format-check
format-check: ## show what make fmt would change, and fail if it would
	$(TOOL) golangci-lint fmt --diff ./...

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: lint
lint: ## run the linters of .golangci.yml
	$(TOOL) golangci-lint run ./...

.PHONY: dead
dead: ## list functions that neither a binary nor a test reaches
	$(TOOL) deadcode -test ./...

.PHONY: images
images: ## draw the pictures of the documentation again; needs chromium and pngquant, and Lato and Noto's emoji as fonts
	mkdir -p $(BIN)/images docs/images
	$(GO) test -count=1 ./internal/channel/slack -run Drawn -args -pictures $(CURDIR)/$(BIN)/images
	for page in $(BIN)/images/*.html; do \
		height=$$(chromium --headless --no-sandbox --disable-gpu --dump-dom file://$(CURDIR)/$$page 2>/dev/null | sed -n 's/.*data-height="\([0-9]*\)".*/\1/p'); \
		chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=390,$$height --force-device-scale-factor=1.5 \
			--screenshot=$(CURDIR)/docs/images/$$(basename $$page .html).png file://$(CURDIR)/$$page 2>/dev/null; \
	done
	pngquant --force --ext .png --quality 40-90 docs/images/slack-*.png

.PHONY: tidy
tidy: ## bring go.mod and go.sum in line with the source
	$(GO) mod tidy

.PHONY: tidy-check
tidy-check: ## show what make tidy would change, and fail if it would
	$(GO) mod tidy -diff

.PHONY: vuln
vuln: ## look for known vulnerabilities (asks the Go vulnerability database)
	$(TOOL) govulncheck ./...

.PHONY: bench
bench: ## measure how long an alert takes to a webhook, stage by stage
	$(GO) test -run='^$$' -bench='^BenchmarkAlert$$' -benchtime=1x -count=1 ./internal/e2e/

.PHONY: load
load: ## measure 10,000 services that fail at once, the list of them, and the one card of a storm of 1,000
	$(GO) test -run='^$$' -bench='^Benchmark(Load|Storm)$$' -benchtime=1x -count=1 ./internal/e2e/

.PHONY: alertmanager
alertmanager: ## install Debian's package of Alertmanager, to measure beside it
	command -v prometheus-alertmanager || DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends prometheus-alertmanager

.PHONY: bench-alertmanager
bench-alertmanager: alertmanager ## measure delivery beside Alertmanager: 10,000 alerts at once, 1,000, and one at a time; best of three
	$(GO) test -run='^$$' -bench='^BenchmarkBesideAlertmanager$$' -benchtime=3x -count=1 -timeout=30m ./internal/e2e/

.PHONY: cost
cost: ## measure what the collector and the engine spend on 20 containers, for ten minutes
	$(GO) test -run='^$$' -bench='^BenchmarkCollector$$' -benchtime=1x -count=1 -timeout=20m ./internal/e2e/

.PHONY: engine
engine: ## the long run on a real Docker engine: every failure there is, and no other alert for minutes
	BELLBUOY_LONG=1 $(GO) test -count=1 -timeout=25m -v -run=Engine ./internal/e2e/

.PHONY: race
race: ## the long race: 8 analyzers, 200 clusters, on one NATS server and on three, with kill -9 every second
	BELLBUOY_LONG=1 $(GO) test -count=1 -timeout=25m -v -run=RaceOfProcesses ./internal/e2e/

.PHONY: properties
properties: ## try every property on all of its random courses, where make test tries a third of them
	BELLBUOY_LONG=1 $(GO) test -count=1 ./internal/detect/ ./internal/conversation/ ./internal/scrub/

.PHONY: chaos
chaos: ## 10,000 events through every kind and format of channel, each failing a fifth of the time, with kill -9 every second
	BELLBUOY_LONG=1 $(GO) test -race -count=1 -timeout=10m -v -run='^TestDeliveryInChaos$$' ./internal/notifier/

.PHONY: eval
eval: ## measure all scenarios: precision, recall, sounds, delay, and what the rules blame; make test plays the small ones
	BELLBUOY_LONG=1 $(GO) test -count=1 -v -run='^Test(EveryScenarioIsToldAsItIs|TheRules.*|EveryScenariosPrompt.*)$$' ./internal/eval/

.PHONY: sounds
sounds: ## count what all scenarios make people hear, in Slack, on a pager and through the webhook
	BELLBUOY_LONG=1 $(GO) test -count=1 -v -run='^Test(AnIncidentIsHeardOfTwiceAtMost|TooManySoundsAreNoticed)$$' ./internal/eval/

.PHONY: eval-mutants
eval-mutants: ## change one rule at a time, and fail for each change that no scenario notices
	BELLBUOY_MUTANTS=1 $(GO) test -count=1 -v -run='^TestEveryMutantIsNoticed$$' ./internal/eval/

.PHONY: record-scenarios
record-scenarios: ## record the scenarios recorded-* anew from the Docker engine, in a quarter of an hour
	BELLBUOY_RECORD=all $(GO) test -count=1 -timeout=25m -v -run=RecordScenarios ./internal/e2e/
	find testdata/scenarios -name 'recorded-*.jsonl' -size +195k -exec gzip -9nf {} +
