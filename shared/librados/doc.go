// Package librados is the real ceph.Dialer: one librados connection per
// cluster, made from a mon list and a key alone, without ceph.conf, keyring
// files or log files.
//
// It is compiled in by the build tag "librados" (with "pacific" where librados
// is 16). Without the tag Built is false and Dial refuses, so that everything
// that imports this package builds where there is no C compiler.
//
// librados blocks and knows no context. Every call therefore runs in a
// goroutine of its own, at most Dialer.InFlight at a time, and is abandoned
// when its context ends. An abandoned mon command is taken back from the mons'
// queue by librados after Dialer.MonTimeout; until then it may be executed. An
// abandoned mgr command may be executed by the next active mgr.
//
// The package never retries, never caches replies and never writes a log.
package librados
