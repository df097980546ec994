package detect

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Calm tells whether o alerts, but what is critical of it is not true at the moment: it is being watched before it is
// called well, which may take half an hour where it flaps. What happens rather than lasts is never calm, because nothing
// puts an end to it but time.
func (m *Memory) Calm(o schema.Object) bool {
	r, alerting := m.recall(o), false
	for _, c := range r.Conditions {
		if !c.Firing || c.Graced || c.Severity != schema.SeverityCritical {
			continue
		}
		if c.Well.IsZero() || happens(c.Name) {
			return false
		}
		alerting = true
	}
	return alerting
}

// happens tells whether a condition is something that happens, at a moment.
func happens(condition string) bool {
	return slices.Contains([]string{CrashLoop, OOMKilled, JobFailed, GPUErrors, NodeRebooted}, condition)
}
