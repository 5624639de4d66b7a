// Package disktest builds machines that exist only in a test: a sysfs and a
// procfs tree in a temporary directory, and device contents in memory. A
// machine remembers which of its devices were opened, so a test can prove that
// one was not. It is for tests only and touches no real device.
package disktest
