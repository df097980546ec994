// Package host reads the machine that the collector runs on: its load and memory, its file systems, its graphics
// processors, and the services that systemd runs on it.
//
// It needs no library and no privileges: /proc, statfs, and the commands systemctl, journalctl and nvidia-smi. A
// command, or a file system, that hangs costs its own part of a reading and no more, and is not asked again while it
// hangs. What cannot be read is nil, and Reads says why; a machine without systemd or without a graphics processor is
// no error.
//
// Everything that decides is pure and takes times as values: the parsers, worthShowing (which file systems), due (which
// units to look at), judge (what is wanted), memory.compare (what happened). What must outlive the process is in
// memory, which goes out as the reading's State and comes back at Open. A happening has the same Key whenever it is
// reported. A Source belongs to one goroutine.
package host
