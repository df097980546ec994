// Package schema holds Bellbuoy's wire types, its subjects and their validation: the contract between
// the parts, and with whoever taps the bus or publishes snapshots of their own.
//
// It imports the standard library only, does no I/O and reads no clock. Bodies are JSON in snake_case with RFC 3339
// times in UTC, and each names its own version in "schema". A number that a source could not read is nil
// (null on the wire) and means unknown, never zero. Fields of an Alert
// that its decoder does not know are kept in Unknown and written back, so that an older version of a part erases
// nothing that a newer one wrote.
package schema
