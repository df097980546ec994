package diagnose_test

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestAPromptWithHalfTheEvidenceIsWithinItsBudget(t *testing.T) {
	s := crowded(1000)
	c := conversation(s, checkout(), crashLoop())
	why := schema.Message{Content: "why?"}
	for name, within := range map[string]func(int) diagnose.Prompt{
		"verdict":  func(n int) diagnose.Prompt { return diagnose.VerdictPromptWithin(c, &s, n) },
		"question": func(n int) diagnose.Prompt { return diagnose.QuestionPromptWithin(c, &s, why, n) },
	} {
		t.Run(name, func(t *testing.T) {
			p := within(diagnose.MaxPromptTokens)
			for n := range 4 {
				half := within(p.Halved())
				if half.Estimate > p.Halved() || half.Least > p.Least+20 {
					t.Errorf("halving %d: %d tokens, %d at least, of a budget of %d", n, half.Estimate, half.Least, p.Halved())
				}
				if p.Estimate > p.Least+100 && half.Estimate >= p.Estimate {
					t.Errorf("halving %d: %d tokens are left of %d", n, half.Estimate, p.Estimate)
				}
				if half.System != p.System {
					t.Error("the system text differs")
				}
				p = half
			}
			if !strings.Contains(p.User, "evidence_left_out") {
				t.Error("it does not say that evidence was left out")
			}
			if p.Estimate != diagnose.Tokens(p.System)+diagnose.Tokens(p.User) {
				t.Errorf("%d bytes are estimated as %d tokens", len(p.System)+len(p.User), p.Estimate)
			}
		})
	}
}
