package diagnose

import (
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// runtimeUnit is that of services which systemd runs.
const runtimeUnit = "unit"

// unit renders an action on a unit of systemd; empty: there is nothing that the verb would do for it.
func unit(verb string, s *schema.ServiceSummary) string {
	if len(s.Instances) != 1 || !validUnit(s.Instances[0].Name) {
		return ""
	}
	name, state := s.Instances[0].Name, s.Instances[0].State
	switch {
	case verb == VerbLogs:
		return argv("journalctl", "-u", name, "-n", "50", "--no-pager")
	case verb == VerbInspect:
		return argv("systemctl", "status", "--no-pager", name)
	case verb == VerbRestart, verb == VerbStart && (state == "failed" || state == "dead" || state == ""):
		return argv("systemctl", verb, name)
	}
	return ""
}

// validUnit tells whether name can be a unit's, so that no command takes it for an option or a pattern.
func validUnit(name string) bool {
	return len(name) <= schema.MaxName && !strings.HasPrefix(name, "-") && !strings.HasPrefix(name, ".") &&
		strings.HasSuffix(name, ".service") && strings.Trim(name, nameBytes+`:@\`) == ""
}
