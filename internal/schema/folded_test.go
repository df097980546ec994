package schema_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestVictimsAreThoseThatSufferNow(t *testing.T) {
	tests := []struct {
		name                      string
		victims, dependents, said int
		count                     int
	}{
		{"nobody", 0, 0, 0, 0},
		{"only-dependents", 0, 3, 30, 0},
		{"both", 2, 3, 40, 2},
		{"all-named", 4, 0, 4, 4},
		{"more-than-are-named", schema.MaxAffected, 0, 998, 998},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := schema.Conversation{AffectedCount: tt.said}
			for i := range tt.victims + tt.dependents {
				a := schema.Affected{Object: schema.Object{Kind: schema.KindService, Name: fmt.Sprint(i)}}
				if i < tt.victims {
					a.Since = time.Date(2026, 11, 24, 3, 2, 0, 0, time.UTC)
				}
				c.Affected = append(c.Affected, a)
			}
			if list, count := c.Victims(); len(list) != tt.victims || count != tt.count {
				t.Errorf("%d named of %d, want %d of %d", len(list), count, tt.victims, tt.count)
			}
		})
	}
}
