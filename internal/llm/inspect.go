package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Models lists the models that the server of cfg says it has, in its order. It asks once and costs nothing; no evidence
// is sent. Its error is that of Config.Validate or an *Error; a server that keeps no such list is one of OutcomeRefused
// with status 404.
func Models(ctx context.Context, cfg Config) ([]string, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("list the models: %w", err)
	}
	base, err := baseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("list the models: LLM_BASE_URL %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/models", nil)
	if err != nil {
		return nil, fmt.Errorf("list the models: %w", err)
	}
	if cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+cfg.APIKey.Reveal())
	}
	d := &doer{http: newHTTP(), key: cfg.APIKey.Reveal()}
	defer d.http.CloseIdleConnections()
	start := time.Now()
	resp, fail := d.once(req) //nolint:bodyclose // once has read and closed it
	if fail != nil {
		return nil, named(fail.Error, cfg.Model, base.Host, time.Since(start))
	}
	names, err := readModels(resp)
	if err != nil {
		broken := &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "its list of models is not readable: " + words(err.Error(), ""), cause: err}
		return nil, named(broken, cfg.Model, base.Host, 0)
	}
	return names, nil
}

func named(e *Error, model, host string, took time.Duration) *Error {
	if e.Outcome == OutcomeTimeout {
		e.Message = fmt.Sprintf("no answer within %s", took.Round(time.Second))
	}
	e.Model, e.Host = model, host
	return e
}

func readModels(resp *http.Response) ([]string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return nil, err
	}
	if list.Data == nil {
		return nil, errors.New("it has no data")
	}
	var names []string
	for _, m := range list.Data {
		names = append(names, m.ID)
	}
	return names, nil
}
