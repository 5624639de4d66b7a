// Command localkube runs a real Kubernetes cluster on one Linux machine,
// without a registry, a virtual machine or a container engine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rook-ceph/rook-ceph/tools/localkube/internal/machine"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == machine.Argument {
		fail(machine.Init(os.Args[2], time.Now))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := application().RunContext(ctx, os.Args); err != nil {
		fail(err)
	}
}

// fail ends the program with what went wrong.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "localkube:", err)
	os.Exit(1)
}
