// Package finding is how a part of Bellbuoy says what it notices of itself: when it begins or gets worse, every minute
// while it lasts, and when it ends. What is not said again is over after five of those minutes, so a part that dies leaves
// nothing behind. Whether people are told, and how bad it is, the analyzers decide.
package finding
