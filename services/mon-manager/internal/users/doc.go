// Package users gives every service and every volume driver its own cephx user
// with the least capabilities, and writes its key to a Secret: one named
// rook-ceph-<service>-keyring per service, and rook-csi-* for volume drivers.
//
// It reads the list of users and writes users, Secrets and the condition
// UsersReady. It never removes a user, never changes a key, and never touches
// users that it does not know.
package users
