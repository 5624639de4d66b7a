// Package hotplug tells which block devices may have changed: the kernel's own
// uevents say what was plugged in, removed or resized, and inotify says which
// device nodes appeared and which were written to by somebody else.
//
// It needs no udevd and polls nothing. It only names devices: it never reads
// sysfs, never opens a device, and when events were lost it says so, so that
// the listener looks at everything again.
package hotplug
