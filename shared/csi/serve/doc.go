// Package serve offers CSI services on Unix sockets: the identity service, a
// gRPC server with deadlines, and logs that never hold a Secret. It knows
// nothing about storage.
package serve
