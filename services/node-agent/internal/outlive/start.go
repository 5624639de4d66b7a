package outlive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Verb is the first argument that turns our binary into the child. main must
// call Child when it sees it, before anything else.
const Verb = "outlive"

// Program is what to start. It must fork into the background by itself once it
// serves, and print to stderr why it does not.
type Program struct {
	// Args is the program with its arguments. They are readable by everybody
	// on the host: no secrets.
	Args []string `json:"args"`
	// Visible is the directory below which mounts of the program have to
	// appear on the host.
	Visible string `json:"visible"`
	// CgroupRoot is where the host's cgroup hierarchies are mounted.
	CgroupRoot string `json:"cgroupRoot"`
	// Cgroup is the group that the program lives in, in every hierarchy.
	Cgroup string `json:"cgroup"`
}

// Start runs the program and returns when it serves or has failed.
func Start(ctx context.Context, program Program) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	order, err := json.Marshal(program)
	if err != nil {
		return fmt.Errorf("encode program: %w", err)
	}
	// A file takes the output: a pipe would stay open in the background process
	// and keep us waiting.
	output, err := os.CreateTemp("", "outlive-*")
	if err != nil {
		return fmt.Errorf("make output file: %w", err)
	}
	defer output.Close()
	defer os.Remove(output.Name())

	cmd := exec.CommandContext(ctx, self, Verb)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(order)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(output.Name())
		return fmt.Errorf("start %s: %w: %s", program.Args[0], err, strings.Join(strings.Fields(string(said)), " "))
	}
	return nil
}
