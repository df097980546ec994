package docker

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestErrorLevelIsReadAsLoggersWriteIt(t *testing.T) {
	tests := []struct {
		name string
		line string
		want bool
	}{
		{"nginx-error", `2026/11/24 16:12:06 [error] 29#29: *1 open() "/usr/share/nginx/html/x" failed (2: No such file or directory), client: 10.0.0.1`, true},
		{"nginx-emerg", `nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)`, true},
		{"nginx-crit", `2026/11/24 16:12:06 [crit] 31#31: *5 SSL_do_handshake() failed`, true},
		{"nginx-notice", `2026/11/24 16:12:06 [notice] 1#1: signal 3 (SIGQUIT) received, error handling disabled`, false},
		{"nginx-warn", `2026/11/24 16:12:06 [warn] 1#1: duplicate MIME type "text/html"`, false},
		{"nginx-access-500", `10.0.0.1 - - [24/Nov/2026:16:12:06 +0000] "GET /error HTTP/1.1" 500 177 "-" "curl/8.5.0"`, false},
		{"apache-error", `[Tue Nov 24 16:12:06.123456 2026] [core:error] [pid 7:tid 139] (13)Permission denied: AH00035: access denied`, true},
		{"apache-notice", `[Tue Nov 24 16:12:06.123456 2026] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache configured -- resuming normal operations`, false},
		{"postgres-error", `2026-11-24 16:12:06.123 UTC [41] ERROR:  relation "users" does not exist at character 15`, true},
		{"postgres-fatal", `2026-11-24 16:12:06.123 UTC [42] FATAL:  password authentication failed for user "app"`, true},
		{"postgres-panic", `2026-11-24 16:12:06.123 UTC [1] PANIC:  could not write to file "pg_wal/xlogtemp.41": No space left on device`, true},
		{"postgres-log", `2026-11-24 16:12:06.123 UTC [1] LOG:  database system is ready to accept connections`, false},
		{"postgres-log-of-error", `2026-11-24 16:12:06.123 UTC [1] LOG:  unexpected ERROR in the stream`, false},
		{"postgres-statement", `2026-11-24 16:12:06.123 UTC [41] STATEMENT:  SELECT 'ERROR' FROM users`, false},
		{"postgres-detail", `2026-11-24 16:12:06.123 UTC [41] DETAIL:  FATAL is not allowed here`, false},
		{"mysql-error", `2026-11-24T16:12:06.123456Z 0 [ERROR] [MY-010119] [Server] Aborting`, true},
		{"mysql-warning", `2026-11-24T16:12:06.123456Z 0 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.`, false},
		{"mariadb-note", `2026-11-24 16:12:06 0 [Note] InnoDB: no ERROR found`, false},
		{"redis-warning", `1:M 24 Nov 2026 16:12:06.123 # Possible SECURITY ATTACK detected.`, false},
		{"redis-notice", `1:M 24 Nov 2026 16:12:06.123 * Ready to accept connections tcp`, false},
		{"mongo-error", `{"t":{"$date":"2026-11-24T16:12:06.123+00:00"},"s":"E","c":"NETWORK","id":23256,"ctx":"conn","msg":"SSL peer certificate validation failed"}`, true},
		{"mongo-info", `{"t":{"$date":"2026-11-24T16:12:06.123+00:00"},"s":"I","c":"NETWORK","id":22943,"ctx":"listener","msg":"Connection accepted, error 0"}`, false},
		{"rabbitmq-error", `2026-11-24 16:12:06.123456+00:00 [error] <0.700.0> closing AMQP connection`, true},
		{"clickhouse-error", `2026.11.24 16:12:06.123456 [ 1 ] {} <Error> Application: DB::Exception: Cannot open file`, true},
		{"clickhouse-trace", `2026.11.24 16:12:06.123456 [ 1 ] {} <Trace> Pipe: Error pipe capacity is 1.00 MiB`, false},
		{"haproxy-alert", `[ALERT]    (1) : config : [/usr/local/etc/haproxy/haproxy.cfg:9] : 'bind' : unable to stat SSL certificate`, true},
		{"log4j-error", `2026-11-24 16:12:06,123 ERROR [main] com.acme.Shop - order failed`, true},
		{"log4j-info", `2026-11-24 16:12:06,123 INFO  [main] com.acme.Shop - no ERROR seen, 0 errors`, false},
		{"logback-spring-error", `2026-11-24T16:12:06.123Z ERROR 1 --- [nio-8080-exec-1] o.a.c.c.C.[.[.[/].[dispatcherServlet]    : Servlet.service() threw exception`, true},
		{"logback-spring-warn", `2026-11-24T16:12:06.123Z  WARN 1 --- [main] o.h.e.j.s.SqlExceptionHelper : SQL Error: 0, SQLState: null`, false},
		{"kafka-error", `[2026-11-24 16:12:06,123] ERROR [KafkaServer id=1] Fatal error during KafkaServer startup. (kafka.server.KafkaServer)`, true},
		{"kafka-info", `[2026-11-24 16:12:06,123] INFO [Log partition=errors-0] ERROR topics are fine (kafka.log.Log)`, false},
		{"elasticsearch-error", `[2026-11-24T16:12:06,123][ERROR][o.e.b.Elasticsearch      ] [node-1] fatal exception while booting Elasticsearch`, true},
		{"elasticsearch-warn", `[2026-11-24T16:12:06,123][WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high disk watermark exceeded`, false},
		{"tomcat-severe", `24-Nov-2026 16:12:06.123 SEVERE [main] org.apache.catalina.core.StandardContext.startInternal One or more listeners failed to start`, true},
		{"java-util-info", `INFO: Server startup in 1234 ms, error page set`, false},
		{"python-root-error", `ERROR:root:could not connect`, true},
		{"python-formatted", `2026-11-24 16:12:06,123 - shop.orders - CRITICAL - cannot go on`, true},
		{"python-info", `INFO:werkzeug:10.0.0.1 - - "GET /ERROR HTTP/1.1" 404 -`, false},
		{"python-json-levelno", `{"levelno": 40, "message": "could not connect"}`, true},
		{"uvicorn-error", `ERROR:    Exception in ASGI application`, true},
		{"uvicorn-info", `INFO:     10.0.0.1:51234 - "GET / HTTP/1.1" 500 Internal Server Error`, false},
		{"gunicorn-error", `[2026-11-24 16:12:06 +0000] [7] [ERROR] Exception in worker process`, true},
		{"celery-error", `[2026-11-24 16:12:06,123: ERROR/ForkPoolWorker-1] Task shop.pay raised unexpected: KeyError('id')`, true},
		{"celery-info", `[2026-11-24 16:12:06,123: INFO/MainProcess] Task shop.error_report received`, false},
		{"pino-error", `{"level":50,"time":1764000000000,"pid":1,"hostname":"a","msg":"upstream refused"}`, true},
		{"pino-fatal", `{"level":60,"time":1764000000000,"msg":"cannot go on"}`, true},
		{"pino-info", `{"level":30,"time":1764000000000,"msg":"retry after error","err":{"type":"Error"}}`, false},
		{"winston-error", `{"level":"error","message":"upstream refused"}`, true},
		{"gelf-error", `{"version":"1.1","short_message":"x","level":3}`, true},
		{"gelf-info", `{"version":"1.1","short_message":"x","level":6}`, false},
		{"node-type-error", `TypeError: Cannot read properties of undefined (reading 'id')`, true},
		{"node-error-code", `Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express'`, true},
		{"node-uncaught", `Uncaught ReferenceError: x is not defined`, true},
		{"zap-json-error", `{"level":"error","ts":1764000000.1,"caller":"api/x.go:12","msg":"refused"}`, true},
		{"zap-json-dpanic", `{"level":"dpanic","ts":1764000000.1,"msg":"impossible"}`, true},
		{"zap-json-info", `{"level":"info","ts":1764000000.1,"msg":"error budget is fine","error":"none"}`, false},
		{"zap-console-error", "2026-11-24T16:12:06.123Z\tERROR\tapi/x.go:12\trefused\t{\"id\": 7}", true},
		{"zap-console-debug", "2026-11-24T16:12:06.123Z\tDEBUG\tapi/x.go:12\tERROR in the name", false},
		{"slog-text-error", `time=2026-11-24T16:12:06.123Z level=ERROR msg=refused err="connection refused"`, true},
		{"slog-text-above-error", `time=2026-11-24T16:12:06.123Z level=ERROR+4 msg=refused`, true},
		{"slog-text-info", `time=2026-11-24T16:12:06.123Z level=INFO msg="ERROR was seen" error=nil`, false},
		{"slog-json-error", `{"time":"2026-11-24T16:12:06Z","level":"ERROR","msg":"refused"}`, true},
		{"logrus-error", `time="2026-11-24T16:12:06Z" level=error msg="refused" component=api`, true},
		{"logrus-fatal", `time="2026-11-24T16:12:06Z" level=fatal msg="cannot listen"`, true},
		{"logrus-warning", `time="2026-11-24T16:12:06Z" level=warning msg="error=timeout, trying again"`, false},
		{"logrus-terminal", `ERRO[0012] refused                                       component=api`, true},
		{"logrus-terminal-coloured", "\x1b[31mFATA\x1b[0m[0012] cannot listen", true},
		{"logrus-terminal-info", `INFO[0012] error count is 0`, false},
		{"log15-eror", `t=2026-11-24T16:12:06+0000 lvl=eror msg="refused" logger=http`, true},
		{"zerolog-console", `4:12PM ERR refused error="connection refused"`, true},
		{"zerolog-console-info", `4:12PM INF started error=null`, false},
		{"go-log-error", `2026/11/24 16:12:06 error: cannot reach db`, true},
		{"go-log-plain", `2026/11/24 16:12:06 http: TLS handshake error from 10.0.0.1:5123: EOF`, false},
		{"go-panic", `panic: runtime error: index out of range [3] with length 3`, true},
		{"go-fatal", `fatal error: all goroutines are asleep - deadlock!`, true},
		{"klog-error", `E1124 16:12:06.123456       1 reflector.go:138] Failed to watch *v1.Pod`, true},
		{"klog-fatal", `F1124 16:12:06.123456       1 main.go:20] cannot start`, true},
		{"klog-info", `I1124 16:12:06.123456       1 main.go:20] "ERROR" err="refused"`, false},
		{"rust-env-logger-error", `[2026-11-24T16:12:06Z ERROR shop::api] refused`, true},
		{"rust-env-logger-info", `[2026-11-24T16:12:06Z INFO  shop::api] error rate 0`, false},
		{"rust-tracing-error", `2026-11-24T16:12:06.123456Z ERROR shop::api: refused`, true},
		{"rust-panic", `thread 'main' panicked at src/main.rs:2:5:`, true},
		{"rails-fatal", `F, [2026-11-24T16:12:06.123456 #1] FATAL -- : [d4f1] ActionController::RoutingError (No route matches [GET] "/x"):`, true},
		{"rails-error", `E, [2026-11-24T16:12:06.123456 #1] ERROR -- : refused`, true},
		{"rails-info", `I, [2026-11-24T16:12:06.123456 #1]  INFO -- : Completed 500 Internal Server Error in 12ms`, false},
		{"php-fatal", `PHP Fatal error:  Uncaught Error: Call to undefined function x() in /app/index.php:3`, true},
		{"php-warning", `PHP Warning:  Undefined variable $error in /app/index.php on line 3`, false},
		{"php-fpm-error", `[24-Nov-2026 16:12:06] ERROR: unable to bind listening socket for address '9000'`, true},
		{"php-fpm-notice", `[24-Nov-2026 16:12:06] NOTICE: fpm is running, pid 1`, false},
		{"dotnet-fail", `fail: Microsoft.AspNetCore.Server.Kestrel[13]`, true},
		{"dotnet-info", `info: Microsoft.Hosting.Lifetime[14]`, false},
		{"serilog-console", `[16:12:06 ERR] refused`, true},
		{"serilog-compact", `{"@t":"2026-11-24T16:12:06.1Z","@mt":"refused","@l":"Error"}`, true},
		{"ecs-nested", `{"@timestamp":"2026-11-24T16:12:06.1Z","log":{"level":"error"},"message":"refused"}`, true},
		{"envoy-critical", `[2026-11-24 16:12:06.123][1][critical][main] [source/server/server.cc:117] error initializing configuration`, true},
		{"envoy-info", `[2026-11-24 16:12:06.123][1][info][main] [source/server/server.cc:390] initializing epoch 0`, false},
		{"vault-error", `2026-11-24T16:12:06.123Z [ERROR] core: failed to unseal`, true},
		{"supervisor-crit", `2026-11-24 16:12:06,123 CRIT could not write pidfile /run/supervisord.pid`, true},
		{"sshd", `sshd[12]: error: kex_exchange_identification: Connection closed by remote host`, true},
		{"git", `fatal: not a git repository (or any of the parent directories): .git`, true},
		{"syslog-err", `<11>Nov 24 16:12:06 host app[7]: refused`, true},
		{"syslog-info", `<14>Nov 24 16:12:06 host app[7]: ERROR counters reset`, false},
		{"bracket-letter", `[E] 16:12:06 refused`, true},
		{"json-cut-short", `{"level":"error","msg":"a very long`, true},
		{"bare-capitals", `worker 7 stopped after a FATAL condition`, true},
		{"none-of-them", `scan finished, 0 errors, 0 ERROR lines`, false},
		{"level-is-named", `logging configured, level ERROR`, false},
		{"constant", `using MAX_ERROR=5 and /var/log/ERROR.log`, false},
		{"error-nil", `done error=nil`, false},
		{"error-colon-none", `error: none`, false},
		{"sentence", `we handle every error and panic with care`, false},
		{"number", `{"level":"none of the known"}`, false},
		{"empty", ``, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g guesser
			if got := g.counts(tt.line); got != tt.want {
				t.Errorf("%q counts: %v", tt.line, got)
			}
		})
	}
}

func TestStackTraceIsOneErrorWithTheLineBeforeIt(t *testing.T) {
	tests := []struct {
		name string
		log  string
		want int
	}{
		{"python", "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    raise ValueError(\"x\")\nValueError: x", 1},
		{"python-twice", "Traceback (most recent call last):\n  File \"a.py\"\nValueError: x\nTraceback (most recent call last):\n  File \"b.py\"\nKeyError: 'y'", 2},
		{"python-chained", "Traceback (most recent call last):\n  File \"a.py\"\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\"\nValueError: y", 1},
		{"python-logged", "ERROR:root:it failed\nTraceback (most recent call last):\n  File \"a.py\"\nZeroDivisionError: division by zero", 1},
		{"java-logged", "2026-11-24 16:12:06,123 ERROR [main] a.B - failed\njava.lang.IllegalStateException: boom\n\tat a.B.c(B.java:7)\nCaused by: java.io.IOException: ERROR-free\n\tat a.B.d(B.java:9)\n\t... 12 more", 1},
		{"java-uncaught", "Exception in thread \"main\" java.lang.NullPointerException\n\tat a.B.main(B.java:3)\nready", 1},
		{"node-two", "TypeError: a\n    at f (/app/x.js:1:1)\n    at g (/app/x.js:2:1)\nTypeError: b\n    at f (/app/x.js:1:1)", 2},
		{"go", "panic: boom [recovered]\n\tpanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x1d\nexit status 2", 1},
		{"two-logged", "level=error msg=a\nlevel=error msg=b", 2},
		{"fine-between", "ERROR a\nINFO b\nTypeError: c", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g guesser
			got := 0
			for line := range strings.SplitSeq(tt.log, "\n") {
				if g.counts(line) {
					got++
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever a container writes, judging it ends, does not fail, and does not depend on what a terminal shows besides.
func FuzzLevelOfAnything(f *testing.F) {
	for _, line := range []string{"", "[", "<", "ERROR", "[core:error]", `{"level":`, `{"level":1e999}`, "E1124 16:12:06", "error:", "<999>", "a [: ]", "\x1b[31mERROR", "ÄERROR", "FATAL error: 0"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var plain, coloured guesser
		got := plain.counts(line)
		if utf8.ValidString(line) && !strings.ContainsAny(line, "\x1b\r\n") && coloured.counts("\x1b[0m"+line) != got {
			t.Errorf("%q is judged otherwise in colour", line)
		}
		plain.counts(line) // in whatever state the first has left
	})
}
