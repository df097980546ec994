// Package spend is the arithmetic of what the model may cost: how many calls and tokens the whole fleet has used in this
// hour and this day, what is held for calls that are being made, and what a call cost.
//
// It is pure: it reads no clock and keeps nothing. A Ledger is one record for the fleet, and whoever changes it stores
// what came out by compare-and-set. Then what was reserved together never exceeds a limit, whoever reserves and dies in
// whatever order. An hour and a day begin with the clock, in UTC.
package spend
