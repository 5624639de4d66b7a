package attach

import (
	"fmt"
	"strings"
)

// The backends, as the mounter parameter of a StorageClass names them.
const (
	Kernel = "rbd"
	NBD    = "rbd-nbd"
	FUSE   = "fuse"
)

// Choice is what a StorageClass says about how to attach.
type Choice struct {
	// Mounter names a backend, or is empty: the best that the node has.
	Mounter string
	// Others allows other backends where the named one is not available.
	Others Others
}

// Others says whether other backends than the named one may be used.
type Others int

const (
	// Refuse other backends.
	Refuse Others = iota
	// TryOthers in order of preference.
	TryOthers
)

// choose returns the first backend that is allowed and available. Its error
// says why each of the others is not.
func choose(backends []Backend, choice Choice) (Backend, error) {
	var reasons []string
	ordered := backends
	if choice.Mounter != "" {
		ordered = nil
		for _, backend := range backends {
			if backend.Name() == choice.Mounter {
				ordered = append(ordered, backend)
			}
		}
		if len(ordered) == 0 {
			reasons = append(reasons, fmt.Sprintf("mounter %q is unknown", choice.Mounter))
		}
		if choice.Others == TryOthers {
			ordered = append(ordered, backends...)
		}
	}
	for _, backend := range ordered {
		err := backend.Available()
		if err == nil {
			return backend, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %v", backend.Name(), err))
	}
	return nil, fmt.Errorf("%w: %s", ErrNoBackend, strings.Join(reasons, "; "))
}
