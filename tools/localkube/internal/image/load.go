package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Node is a containerd that images are imported into.
type Node struct {
	// Name is for messages.
	Name string
	// Client is the path of ctr.
	Client string
	// Socket is the path of containerd's socket.
	Socket string
}

const (
	builtCeph = "localhost/rook-ceph/ceph:"
	knownCeph = "quay.io/ceph/ceph:"
)

// alias returns the name under which an image of Ceph is known to everybody, so that
// manifests made for other clusters run unchanged; "" for other images.
func (i Image) alias() string {
	tag, ceph := strings.CutPrefix(i.Name, builtCeph)
	if !ceph || !strings.HasPrefix(tag, "v") {
		return ""
	}
	return knownCeph + tag
}

// Load imports the archive unless the node has all of its images already. It
// is true when it imported. An image of Ceph gets its known name, too.
func (n Node) Load(ctx context.Context, archive Archive) (bool, error) {
	present, err := n.present(ctx)
	if err != nil {
		return false, err
	}
	missing := false
	for _, image := range archive.Images() {
		alias := Image{Name: image.alias(), Digest: image.Digest}
		missing = missing || !present[image] || alias.Name != "" && !present[alias]
	}
	if !missing {
		return false, nil
	}
	if err := n.transfer(ctx, archive); err != nil {
		return false, err
	}
	return true, n.tag(ctx, archive)
}

func (n Node) tag(ctx context.Context, archive Archive) error {
	for _, image := range archive.Images() {
		alias := image.alias()
		if alias == "" {
			continue
		}
		if said, err := n.command(ctx, "images", "tag", image.Name, alias).CombinedOutput(); err != nil {
			return fmt.Errorf("tag %s as %s in %s: %w: %s", image.Name, alias, n.Name, err, tail(string(said)))
		}
	}
	return nil
}

// Ready is true when containerd answers.
func (n Node) Ready(ctx context.Context) bool {
	return n.command(ctx, "version").Run() == nil
}

func (n Node) transfer(ctx context.Context, archive Archive) error {
	reader, writer := io.Pipe()
	go func() {
		writer.CloseWithError(archive.write(writer, v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	}()
	command := n.command(ctx, "images", "import", "-")
	var said bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = reader, &said, &said
	err := command.Run()
	if closeErr := reader.CloseWithError(io.ErrClosedPipe); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("import %s into %s: %w: %s", archive.path, n.Name, err, tail(said.String()))
	}
	return nil
}

// present returns the images that the node has.
func (n Node) present(ctx context.Context) (map[Image]bool, error) {
	output, err := n.command(ctx, "images", "list").Output()
	if err != nil {
		return nil, fmt.Errorf("list images of %s: %w", n.Name, err)
	}
	return parseList(string(output)), nil
}

// parseList reads the table that ctr prints: REF TYPE DIGEST ....
func parseList(table string) map[Image]bool {
	images := map[Image]bool{}
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 2 && strings.Contains(fields[2], ":") {
			images[Image{Name: fields[0], Digest: fields[2]}] = true
		}
	}
	return images
}

func (n Node) command(ctx context.Context, arguments ...string) *exec.Cmd {
	all := append([]string{"--address", n.Socket, "--namespace", "k8s.io"}, arguments...)
	return exec.CommandContext(ctx, n.Client, all...)
}

func tail(text string) string {
	const most = 400
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}
