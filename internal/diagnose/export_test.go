package diagnose

// Argv lets tests quote what no valid name contains.
func Argv(args ...string) string { return argv(args...) }
