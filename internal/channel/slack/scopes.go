package slack

// Scope is a right of the bot, and what it is needed for.
type Scope struct{ Name, For string }

// Scopes are the rights that the bot needs. Only the first is needed to tell anybody anything; without the others it
// cannot look whether a message of unknown fate arrived, and hears no replies.
func Scopes() []Scope {
	return []Scope{
		{"chat:write", "post and change cards"},
		{"channels:history", "look for a message in a public channel, and hear replies there"},
		{"groups:history", "the same in a private channel"},
		{"channels:read", "find a public channel by its name"},
		{"groups:read", "find a private channel by its name"},
		{"app_mentions:read", "hear what is said to the bot"},
		{"reactions:read", "hear 👍 and 👎 below a diagnosis"},
		{"reactions:write", "show that a reply was heard"},
		{"users:read", "know who replies"},
		{"users:read.email", "know who replies by their address"},
	}
}
