package webhook

import (
	"errors"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

// mistakes gathers what is wrong with a Config; values stay out because they are secrets.
type mistakes struct{ all []error }

func (m *mistakes) add(name string, err error) {
	m.all = append(m.all, config.Mistake{Name: name, Problem: err.Error()})
}

func (m *mistakes) err() error { return errors.Join(m.all...) }
