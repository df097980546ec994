package llm

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Config says which model to ask and where. Without a base URL and a model there is none, and the rules stand alone.
type Config struct {
	BaseURL     string        `env:"LLM_BASE_URL" desc:"An OpenAI-compatible server, such as https://api.openai.com/v1 or http://localhost:11434/v1. Evidence is sent there, redacted. Unset: no model; the rules diagnose alone."`
	Model       string        `env:"LLM_MODEL" desc:"The model's name, as that server knows it."`
	APIKey      config.Secret `env:"LLM_API_KEY" desc:"The key for that server; many local ones need none."`
	Timeout     time.Duration `env:"LLM_TIMEOUT" default:"60s" desc:"How long one question to the model may take, retries included."`
	Temperature float64       `env:"LLM_TEMPERATURE" default:"0.1" desc:"How freely the model words its answer, 0 to 2; not sent to reasoning models, which refuse it."`
}

// DefaultTimeout holds where Config.Timeout is zero.
const DefaultTimeout = 60 * time.Second

// Enabled tells whether there is a model to ask.
func (c Config) Enabled() bool { return c.BaseURL != "" && c.Model != "" }

// Validate reports every mistake as a config.Mistake. No model at all is none.
func (c Config) Validate() error {
	var wrong []error
	add := func(name, value, problem string) {
		wrong = append(wrong, config.Mistake{Name: name, Value: value, Problem: problem})
	}
	if c.BaseURL != "" {
		if _, err := baseURL(c.BaseURL); err != nil {
			add("LLM_BASE_URL", "", err.Error()) // the value may hold a password
		}
	} else if c.Model != "" || c.APIKey != "" {
		add("LLM_BASE_URL", "", "is not set, so nobody could be asked: set it, for example to https://api.openai.com/v1 or http://localhost:11434/v1")
	}
	if c.Model == "" && c.BaseURL != "" {
		add("LLM_MODEL", "", "is not set: name the model to ask there")
	}
	if c.Timeout < 0 {
		add("LLM_TIMEOUT", c.Timeout.String(), "is below 0")
	}
	if !(c.Temperature >= 0 && c.Temperature <= 2) {
		add("LLM_TEMPERATURE", fmt.Sprint(c.Temperature), "is not between 0 and 2")
	}
	return errors.Join(wrong...)
}

// baseURL completes what a person gave: /v1 is added unless the path has a version already, and a trailing
// /chat/completions is taken off. Azure has its version below /openai.
func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("does not begin with http:// or https://")
	case u.Host == "":
		return nil, errors.New("names no host")
	case u.User != nil:
		return nil, errors.New("holds a user or password: give the key in LLM_API_KEY instead")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a part after ? or #: give the address of the API alone")
	}
	path := strings.TrimRight(u.Path, "/")
	path = strings.TrimRight(strings.TrimSuffix(path, "/chat/completions"), "/")
	if isHost(u.Hostname(), azureHost) {
		if strings.Contains(path, "/deployments") {
			return nil, errors.New("is an address of Azure's older API: give https://<resource>.openai.azure.com/openai/v1, and the deployment's name in LLM_MODEL")
		}
		if path == "" {
			path = "/openai"
		}
	}
	if !regexp.MustCompile(`/v\d`).MatchString(path) {
		path += "/v1"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}
