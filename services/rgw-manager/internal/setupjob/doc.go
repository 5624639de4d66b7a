// Package setupjob has rgw-setup run in a Job of the Ceph image, and tells what
// became of it. There is one Job for each object and wish, which its object owns;
// it goes some minutes after its end. Jobs about the same realm run one after the
// other.
//
// It reads Jobs from the cache, and pods, past the cache, only when one of a Job
// has failed or the Job has ended. What a pod says is trusted as far as it speaks
// of the wish that the Job was made for.
//
// A Job that fails is repeated by Kubernetes with growing pauses, and made anew
// some minutes after it was given up. One that refuses is not repeated before
// that: somebody has to decide.
//
// It never holds keys: Secrets are mounted as files.
package setupjob
