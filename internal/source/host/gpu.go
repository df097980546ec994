package host

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	gpuPatience  = 5 * time.Second
	gpuWait      = time.Second      // how long a reading waits for it
	gpuStands    = 45 * time.Second // how long an answer stands while the next one is slow to come
	gpuLookAgain = 5 * time.Minute  // for nvidia-smi where it is not installed
	maxGPUs      = 64
	gpuFields    = "index,name,utilization.gpu,memory.used,memory.total,temperature.gpu"
	gpuErrors    = "ecc.errors.uncorrected.aggregate.total"
)

// errNoGPU is why nothing is read of graphics processors on a machine that has none.
var errNoGPU = errors.New("no GPU here: nvidia-smi is not installed")

// errNotYet is of a first answer that is slow to come.
var errNotYet = errors.New("nvidia-smi has not answered yet")

// gpus asks nvidia-smi, at most once in an interval, beside the readings.
type gpus struct {
	tools    tools
	slot     slot[gpuReading]
	patience time.Duration // how long a reading waits; 0: gpuWait
	noErrors bool          // the driver does not know the field of errors
	absent   time.Time     // when nvidia-smi was last looked for and not found
	last     gpuReading    // the newest outcome
	at       time.Time     // when it came; zero: never
}

// gpuReading is the outcome of asking.
type gpuReading struct {
	list     []schema.GPUSummary
	noErrors bool
	err      error
}

// start begins to ask, unless it is known that there is nothing to ask or it is too early to ask again.
func (g *gpus) start(life context.Context, now time.Time, every time.Duration) {
	if within(g.absent, now, gpuLookAgain) || within(g.at, now, every) {
		return
	}
	file, found := g.tools.find("nvidia-smi")
	if !found {
		g.absent = now
		return
	}
	g.absent = time.Time{}
	noErrors := g.noErrors
	g.slot.start(func() gpuReading {
		ctx, stop := context.WithTimeout(life, gpuPatience)
		defer stop()
		return g.ask(ctx, file, noErrors)
	})
}

// within tells whether at lies less than span before now.
func within(at, now time.Time, span time.Duration) bool {
	return !at.IsZero() && now.Sub(at) < span && now.Sub(at) >= 0
}

// wait gives what there is: the newest answer, and for a while the one before if it is slow to come. Its error is
// errNoGPU where there is no nvidia-smi.
func (g *gpus) wait(ctx context.Context, now time.Time) gpuReading {
	if !g.absent.IsZero() {
		return gpuReading{err: errNoGPU}
	}
	ctx, stop := context.WithTimeout(ctx, cmp.Or(g.patience, gpuWait))
	defer stop()
	got, ok := gpuReading{}, false
	if g.slot.out != nil {
		got, ok = g.slot.wait(ctx)
	}
	switch {
	case ok:
		g.last, g.at, g.noErrors = got, now, got.noErrors
	case g.at.IsZero():
		return gpuReading{err: errNotYet}
	case !within(g.at, now, gpuStands):
		return gpuReading{err: errors.New("run nvidia-smi: no answer in time")}
	}
	return g.last
}

// ask asks for everything at once. A driver that refuses the field of errors is asked for the rest.
func (g *gpus) ask(ctx context.Context, file string, noErrors bool) gpuReading {
	fields := gpuFields
	if !noErrors {
		fields += "," + gpuErrors
	}
	text, err := g.tools.run(ctx, file, "--query-gpu="+fields, "--format=csv,noheader,nounits")
	if err != nil && !noErrors && bytes.Contains(text, []byte("not a valid field")) {
		return g.ask(ctx, file, true)
	}
	if err != nil {
		return gpuReading{noErrors: noErrors, err: err}
	}
	list, err := parseGPUs(text)
	return gpuReading{list: list, noErrors: noErrors, err: err}
}

// parseGPUs reads nvidia-smi's table: index, name, utilization in percent, memory used and total in MiB, temperature
// in degrees Celsius, and perhaps errors. What the card does not tell is nil: [N/A], [Not Supported], [Unknown Error].
func parseGPUs(text []byte) ([]schema.GPUSummary, error) {
	table := csv.NewReader(bytes.NewReader(text))
	table.FieldsPerRecord, table.LazyQuotes, table.TrimLeadingSpace = -1, true, true
	rows, err := table.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the table of nvidia-smi: %w", err)
	}
	list := []schema.GPUSummary{}
	for _, row := range rows {
		if gpu, ok := parseGPU(row); ok && len(list) < maxGPUs {
			list = append(list, gpu)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read the table of nvidia-smi: it lists none: %s", cmp.Or(firstLine(text), "nothing"))
	}
	return list, nil
}

func parseGPU(row []string) (schema.GPUSummary, bool) {
	if len(row) < 6 {
		return schema.GPUSummary{}, false
	}
	index, err := strconv.Atoi(strings.TrimSpace(row[0]))
	if err != nil || index < 0 {
		return schema.GPUSummary{}, false
	}
	gpu := schema.GPUSummary{
		Index: index, Model: scrub.Line(row[1], 100), Utilization: measure(row[2]),
		VRAMUsedMB: measure(row[3]), VRAMTotalMB: measure(row[4]), Temperature: measure(row[5]),
	}
	if strings.HasPrefix(gpu.Model, "[") {
		gpu.Model = ""
	}
	if len(row) > 6 {
		gpu.ErrorsTotal = number(strings.TrimSpace(row[6]))
	}
	return gpu, true
}

// measure reads a number; nil is unknown.
func measure(s string) *float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return nil
	}
	return &f
}
