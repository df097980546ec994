package channelfile

import (
	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/people"
)

// PeopleFile is the file of channels for whoever needs its people alone.
type PeopleFile struct {
	Path string `env:"CHANNELS_FILE" unset:"everybody may say everything" desc:"The notifier's file of channels, of which people and others are read here: who may say which verbs. Read at the start; every analyzer needs the same as the notifiers."`
}

// peopleVariable is what people know the file by.
const peopleVariable = "CHANNELS_FILE"

// Validate tells every mistake about people. Those about channels are the notifier's to tell.
func (f *PeopleFile) Validate() error {
	_, err := f.Roster()
	return yamlfile.OfVariable(err, peopleVariable, f.Path)
}

// Roster reads the people; nobody is listed where there is no file.
func (f *PeopleFile) Roster() (people.Roster, error) {
	if f.Path == "" {
		return people.Roster{}, nil
	}
	text, err := yamlfile.Load(peopleVariable, f.Path)
	if err != nil {
		return people.Roster{}, err
	}
	return ReadPeople(text)
}
