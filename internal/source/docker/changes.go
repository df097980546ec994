package docker

import (
	"slices"
	"strconv"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// deploy notices that a service was rolled out: another image, another configuration, or all its containers new.
// The first sight of a service is none.
func (s *service) deploy(members []member) (source.Happening, bool) {
	if len(members) == 0 {
		return source.Happening{}, false
	}
	newest := slices.MaxFunc(members, byCreation)
	image, hash := newest.imageName(), newest.Labels[labelHash]
	first, before := s.ImageID == "", s.Image
	changed := s.ImageID != newest.ImageID
	rolled := changed || s.Hash != hash || newest.lasting() && !slices.ContainsFunc(members, func(c member) bool { return slices.Contains(s.IDs, c.ID) })
	if changed && !first {
		s.Previous = previousName(before, image, s.ImageID)
	}
	s.Image, s.ImageID, s.Hash, s.IDs = image, newest.ImageID, hash, s.IDs[:0]
	for _, c := range members {
		s.IDs = append(s.IDs, c.ID)
	}
	if first || !rolled {
		return source.Happening{}, false
	}
	s.DeployAt = newest.Created
	h, told := noted("rolled out again with " + image)
	if changed {
		h.Text = "image changed " + s.Previous + " → " + image
	}
	h.Key, h.At, h.Object, h.Event = short(newest.ID)+"/deploy", newest.Created, s.Object, "deploy"
	return h, told
}

// lasting tells whether a container is meant to stay, so that replacing it is a rollout and not the next run of a job.
func (c member) lasting() bool {
	return c.Detail != nil && (c.Detail.Serves || c.Detail.Policy != "" && c.Detail.Policy != policyNo)
}

func (c member) imageName() string {
	if c.Detail != nil && c.Detail.Image != "" {
		return c.Detail.Image
	}
	return c.Image
}

// previousName tells two images of one name apart by the older one's id.
func previousName(before, now, id string) string {
	if before != now {
		return before
	}
	return before + "@" + id[:min(len(id), 19)]
}

// changes says what a service's containers tell beyond their events: that it was rolled out, or given up.
func (m *memory) changes(s *service, members []member) []source.Happening {
	var happened []source.Happening
	if h, told := s.deploy(members); told {
		happened = append(happened, h)
	}
	for _, c := range members {
		if h, told := m.gaveUp(c); told {
			happened = append(happened, h)
		}
	}
	return happened
}

// gaveUp tells once that the engine no longer tries to restart a container.
func (m *memory) gaveUp(c member) (source.Happening, bool) {
	kept, f := m.Containers[c.ID], c.Failure
	if f == nil || f.Reason != schema.FailureGaveUp || kept.GaveUpAt.Equal(f.At) {
		return source.Happening{}, false
	}
	kept.GaveUpAt = f.At
	h, told := noted(f.Text)
	h.Key, h.At, h.Object, h.Event = short(c.ID)+"/gave-up/"+strconv.FormatInt(f.At.UnixNano(), 36), f.At, c.Object, "gave_up"
	return h, told
}
