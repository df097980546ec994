package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// lookUp has looked up what a question asks for, all of it at once, within schema.InspectWithin. Whatever fails is told
// and nothing more: the answer is then from the frozen evidence. Of a cluster whose snapshots no collector makes, nobody is
// missed.
func (a *Analyzer) lookUp(ctx context.Context, c schema.Conversation, s *schema.ClusterContext, question string) []diagnose.Looked {
	asked := diagnose.Lookups(c, s, question)
	looks := make([]diagnose.Looked, len(asked))
	ctx, cancel := context.WithTimeout(ctx, schema.InspectWithin)
	defer cancel()
	var asking sync.WaitGroup
	for n, i := range asked {
		looks[n].Asked = i
		if s.Recorded {
			looks[n].Problem = "this is a recording, in which nothing can be looked up"
			continue
		}
		asking.Go(func() {
			r, err := a.inspect(ctx, i)
			if errors.Is(err, bus.ErrNobody) && s.Collector == "" {
				return
			}
			if err != nil {
				looks[n].Problem = lookProblem(err)
				a.log.Warn("nothing was looked up", "cluster", i.Cluster, "kind", i.Kind, "object", i.Object, "error", err)
				return
			}
			looks[n].Result = &r
		})
	}
	asking.Wait()
	return slices.DeleteFunc(looks, func(l diagnose.Looked) bool { return l.Result == nil && l.Problem == "" })
}

func (a *Analyzer) inspect(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error) {
	body, err := json.Marshal(i)
	if err != nil {
		return schema.InspectionResult{}, fmt.Errorf("look %s of %s up: %w", i.Kind, i.Object, err)
	}
	got, err := a.bus.Request(ctx, a.bus.Subjects().Inspect(i.Cluster, i.Kind), body)
	if err != nil {
		return schema.InspectionResult{}, err
	}
	return schema.DecodeInspectionResult(got, i)
}

// lookProblem says why nothing was looked up, to people.
func lookProblem(err error) string {
	if api, ok := errors.AsType[*bus.APIError](err); ok {
		return "the collector says: " + api.Message
	}
	if errors.Is(err, bus.ErrNobody) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("nobody answered within %d s", int(schema.InspectWithin.Seconds()))
	}
	return err.Error()
}
