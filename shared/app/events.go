package app

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/reference"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// echo is how long the same words about the same object are not repeated. A pass that
// follows another at once may still read the status from before, and would tell the same
// change again; caches are behind by far less than this.
const echo = 5 * time.Second

// quietManager is a manager whose recorders tell nothing twice in a moment.
type quietManager struct{ manager.Manager }

func (m quietManager) GetEventRecorder(name string) events.EventRecorder {
	return &quietRecorder{EventRecorder: m.Manager.GetEventRecorder(name), scheme: m.GetScheme(), said: cache.NewExpiring()}
}

// words are what an event says of which object.
type words struct {
	about             corev1.ObjectReference
	kind, reason, say string
}

type quietRecorder struct {
	events.EventRecorder
	scheme *runtime.Scheme
	// said holds the words that are not to be repeated yet.
	said *cache.Expiring
}

// Eventf records the event unless it was recorded within echo.
func (r *quietRecorder) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	if about, err := reference.GetReference(r.scheme, regarding); err == nil {
		about.ResourceVersion = "" // it is another one after each write
		said := words{about: *about, kind: kind, reason: reason, say: fmt.Sprintf(note, args...)}
		if _, repeated := r.said.Get(said); repeated {
			return
		}
		r.said.Set(said, nil, echo)
	}
	r.EventRecorder.Eventf(regarding, related, kind, reason, action, note, args...)
}
