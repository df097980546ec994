package e2e_test

import (
	"strings"
	"time"
)

// story is something that happens to a Compose project of the real engine, and is recorded as the scenario
// recorded-NAME. Its lines are run by a shell when their time has come: $C is Compose for the project, $A and $B are
// two images of it, the older and the newer one, $BAD is one that ends at once, and $IMAGE is $A unless a line says so.
type story struct {
	name     string
	services string // of the Compose file
	lines    string // "SECONDS COMMAND", from the first snapshot on
	lasts    time.Duration
}

const (
	plain   = `{image: $IMAGE, network_mode: none, restart: always}`
	checked = `{image: $A, network_mode: none, command: exit 1 flagged, healthcheck: {test: health ok, interval: 2s, retries: 2}}`
	sickly  = `{image: $A, network_mode: none, restart: always, healthcheck: {test: health flag, interval: 2s, retries: 2}}`
)

// needing is a service that needs another one, in the way that Compose itself writes it down.
func needing(other, service string) string {
	return strings.TrimSuffix(service, "}") + `, labels: {com.docker.compose.depends_on: "` + other + `:service_started:false"}}`
}

// stories are all that is recorded, side by side. What a story needs to be over takes as long as the holds do.
func stories() []story {
	return []story{
		{
			name: "killed-and-back", services: "db: " + checked + "\napi: " + needing("db", plain), lasts: 2 * time.Minute,
			lines: "20 kill -9 $(docker inspect --format {{.State.Pid}} $($C ps -q db))\n65 $C start db",
		},
		{
			name: "crash-loop-settles", services: "db: " + plain + `
worker: {image: $A, network_mode: none, restart: always, command: exit 2 flagged}`, lasts: 13 * time.Minute,
			lines: "20 for i in 1 2 3 4 5 6 7 8 9 10; do $C exec -T worker /steady flag set; sleep 5; done",
		},
		{
			name: "deploy-repaired-in-time", services: "db: " + plain + `
worker: {image: $A, network_mode: none, restart: always, command: "${DOES:-run}"}`, lasts: 5 * time.Minute,
			lines: "20 DOES='say panic: config: unknown key retries exit 2 after 3s' $C up -d worker\n110 $C up -d worker",
		},
		{
			name: "out-of-memory-again-and-again", services: "db: " + plain + `
cache: {image: $A, network_mode: none, restart: always, mem_limit: 16m, command: "${DOES:-run}"}`, lasts: 5 * time.Minute,
			lines: "20 DOES=oom $C up -d cache",
		},
		{
			name: "out-of-memory-once", services: "cache: {image: $A, network_mode: none, restart: always, mem_limit: 32m}", lasts: 3 * time.Minute,
			lines: "20 $C exec -T cache /steady oom || true",
		},
		{
			name: "health-check-fails", services: "db: " + plain + "\napi: " + sickly, lasts: 4 * time.Minute,
			lines: "20 $C exec -T api /steady flag set\n130 $C exec -T api /steady flag clear",
		},
		{
			name: "stopped-for-maintenance", services: "db: " + plain + "\napi: " + needing("db", plain), lasts: 3 * time.Minute,
			lines: "20 $C stop -t 2\n110 $C start",
		},
		{
			name: "paused-and-unpaused", services: "db: " + plain + "\napi: " + plain, lasts: 2 * time.Minute,
			lines: "20 $C pause db\n80 $C unpause db",
		},
		{
			name: "removed-while-up", services: "db: " + plain + "\napi: " + plain, lasts: 2 * time.Minute,
			lines: "20 $C rm -sf api",
		},
		{
			name: "removed-while-down", services: "db: " + plain + "\nqueue: " + checked, lasts: 3 * time.Minute,
			lines: "20 $C exec -T queue /steady flag set\n70 $C rm -f queue",
		},
		{
			name: "scaled-to-zero-and-back", services: "db: " + plain + "\nworker: " + plain, lasts: 3 * time.Minute,
			lines: "0 $C up -d --scale worker=3\n30 $C up -d --scale worker=0\n110 $C up -d --scale worker=3",
		},
		{
			name: "good-deploy", services: "db: " + plain + "\nweb: " + plain, lasts: 4 * time.Minute,
			lines: "0 $C up -d --scale web=3\n30 IMAGE=$B $C up -d --scale web=3",
		},
		{
			name: "bad-deploy-and-rollback", services: "db: " + plain + "\nweb: " + plain, lasts: 15 * time.Minute,
			lines: "30 IMAGE=$BAD $C up -d web\n240 $C up -d web",
		},
		{
			name: "job-fails-then-succeeds", services: "db: " + plain + `
migrate: {image: $A, network_mode: none, command: "${DOES:-exit 0}"}`, lasts: 3 * time.Minute,
			lines: "20 DOES='say ERROR: relation orders does not exist exit 1 after 2s' $C up -d migrate\n80 DOES='exit 0 after 2s' $C up -d migrate",
		},
		{
			name: "database-down-under-callers", services: "db: " + checked + "\napi: " + needing("db", sickly) + "\nweb: " + needing("api", sickly), lasts: 5 * time.Minute,
			lines: "20 $C exec -T api /steady flag set; $C exec -T web /steady flag set; $C exec -T db /steady flag set\n140 $C start db; $C exec -T api /steady flag clear; $C exec -T web /steady flag clear",
		},
		{
			name: "start-error", services: "db: " + plain + `
web: {image: $IMAGE, network_mode: none, restart: always, entrypoint: "${STARTS:-/steady}"}`, lasts: 3 * time.Minute,
			lines: "30 IMAGE=$B STARTS=/srv/web $C up -d web || true\n100 IMAGE=$B $C up -d web",
		},
		{
			name: "port-in-use", services: "db: " + plain + `
proxy: {image: $A, restart: always, ports: ["127.0.0.1:18431:8080"]}
other: {image: $A, restart: always, ports: ["127.0.0.1:${PORT:-18432}:8080"]}`, lasts: 3 * time.Minute,
			lines: "20 PORT=18431 $C up -d other || true\n80 $C up -d other",
		},
		{
			name: "flapping", services: "db: " + plain + "\nworker: " + checked, lasts: 8 * time.Minute,
			lines: "20 $C exec -T worker /steady flag set\n40 $C start worker\n90 $C exec -T worker /steady flag set\n110 $C start worker\n160 $C exec -T worker /steady flag set\n180 $C start worker\n230 $C exec -T worker /steady flag set\n250 $C start worker",
		},
		{
			name: "gave-up", services: "db: " + plain + `
importer: {image: $A, network_mode: none, restart: "on-failure:3", command: "${DOES:-run}"}`, lasts: 5 * time.Minute,
			lines: "20 DOES='say FATAL: lookup feed.example: no such host exit 4 after 1s' $C up -d importer\n180 $C up -d importer",
		},
		{
			name: "one-of-three-down", services: "db: " + plain + "\nweb: " + checked, lasts: 4 * time.Minute,
			lines: "0 $C up -d --scale web=3\n40 $C exec -T --index=2 web /steady flag set\n140 $C start web",
		},
	}
}
