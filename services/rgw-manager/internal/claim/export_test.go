package claim

// Occupy makes workers busy with emptying buckets until they are released.
func (r *Reconciler) Occupy(count int) (release func()) {
	for range count {
		r.busy.take()
	}
	return func() {
		for range count {
			r.busy.release()
		}
	}
}
