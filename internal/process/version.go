package process

import "runtime/debug"

// release is the version that the source is on the way to.
const release = "0.1"

// Version is the release, followed by the commit that the binary was built from where Go recorded one.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	return describe(info.Settings)
}

// shortCommit is how many digits of a commit are shown.
const shortCommit = 12

func describe(settings []debug.BuildSetting) string {
	commit, suffix := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = "+" + s.Value[:min(len(s.Value), shortCommit)]
		case s.Key == "vcs.modified" && s.Value == "true":
			suffix = ".modified"
		}
	}
	if commit == "" {
		return release
	}
	return release + commit + suffix
}
