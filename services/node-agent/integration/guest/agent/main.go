// Command agent is what an emulated machine runs: it calls the test that started the
// machine and does what that asks of a node.
package main

import (
	"fmt"
	"net"
	"net/rpc"
	"os"

	"github.com/rook-ceph/rook-ceph/services/node-agent/integration/guest"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

// serve answers the calls of the test at an address until it hangs up.
func serve(test string) error {
	node, err := guest.New()
	if err != nil {
		return err
	}
	server := rpc.NewServer()
	if err := server.Register(node); err != nil {
		return err
	}
	conn, err := net.Dial("tcp", test)
	if err != nil {
		return fmt.Errorf("call test: %w", err)
	}
	server.ServeConn(conn)
	return nil
}
