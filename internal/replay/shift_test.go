package replay_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var at = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// fill gives every field of v a value that is not zero; a time is the one given.
func fill(v reflect.Value, moment time.Time) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(moment))
	case v.Kind() == reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() {
				fill(f, moment)
			}
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), moment)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), moment)
		}
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.CanInt():
		v.SetInt(1)
	case v.CanFloat():
		v.SetFloat(1)
	}
}

func TestShiftMovesEveryTimeThereIsAndNothingElse(t *testing.T) {
	var before, want schema.ClusterContext
	fill(reflect.ValueOf(&before).Elem(), at)
	fill(reflect.ValueOf(&want).Elem(), at.Add(time.Hour))
	want.StoredAt = time.Time{} // it is stored anew
	untouched, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, replay.Shifted(before, time.Hour)); diff != "" {
		t.Errorf("moved by an hour (-want +got):\n%s", diff)
	}
	after, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(untouched), string(after)); diff != "" {
		t.Errorf("the recorded snapshot was changed (-before +after):\n%s", diff)
	}
}

func TestShiftLeavesUnknownTimesUnknown(t *testing.T) {
	s := schema.ClusterContext{ClusterName: "prod", Services: []schema.ServiceSummary{{Name: "db"}}, Nodes: []schema.NodeSummary{{ID: "n1"}}}
	if diff := cmp.Diff(s, replay.Shifted(s, time.Hour)); diff != "" {
		t.Errorf("without a time in it (-want +got):\n%s", diff)
	}
}
