package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rook-ceph/rook-ceph/services/rgw-manager/internal/rgwadmin"
	"github.com/rook-ceph/rook-ceph/shared/cephlet"
)

// exitRefused tells the Job that trying again is of no use.
const exitRefused = 3

func installCommand() *cli.Command {
	return &cli.Command{
		Name: "install", Usage: "copy this program into a directory", ArgsUsage: "DIR",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return fmt.Errorf("install: want one directory, got %d arguments", c.NArg())
			}
			return cephlet.InstallAs(c.Args().First(), "rgw-setup")
		},
	}
}

func applyCommand() *cli.Command {
	return &cli.Command{
		Name: "apply", Usage: "make what is wanted so", ArgsUsage: "[-- CEPH-ARG...]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "wanted", Required: true, EnvVars: []string{"RGW_WANTED"}, Usage: "what shall be, as JSON, without keys"},
			&cli.StringFlag{Name: "keys", Usage: "directory with a directory for each Secret"},
			&cli.StringFlag{Name: "radosgw-admin", Value: "radosgw-admin", Usage: "program"},
			&cli.StringFlag{Name: "rados", Value: "rados", Usage: "program"},
			&cli.DurationFlag{Name: "timeout", Value: 2 * time.Minute, Usage: "of one call of a program"},
			&cli.StringFlag{Name: "result", Value: "/dev/termination-log", Usage: "file that gets the result"},
		},
		Action: apply,
	}
}

func apply(c *cli.Context) error {
	var wanted rgwadmin.Wanted
	if err := json.Unmarshal([]byte(c.String("wanted")), &wanted); err != nil {
		return fmt.Errorf("decode what is wanted: %w", err)
	}
	args := c.Args().Slice()
	begun := time.Now()
	runner := rgwadmin.Program{
		Argv: append([]string{c.String("radosgw-admin")}, args...), Rados: append([]string{c.String("rados")}, args...),
		Timeout: c.Duration("timeout"),
		Log: func(line string) {
			fmt.Fprintf(os.Stderr, "%6.2fs %s\n", time.Since(begun).Seconds(), line)
		},
	}
	result := rgwadmin.Concluded(rgwadmin.Apply(c.Context, runner, keyFiles(c.String("keys")), wanted))
	body, err := rgwadmin.Encode(result)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.String("result"), body, 0o600); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	switch result.Outcome {
	case rgwadmin.Applied:
		fmt.Fprintf(os.Stderr, "%6.2fs all is as wanted\n", time.Since(begun).Seconds())
		return nil
	case rgwadmin.Refused:
		return cli.Exit("refused: "+result.Message, exitRefused)
	default:
		return fmt.Errorf("%s: %s", result.Reason, result.Message)
	}
}

// keyFiles reads keys from dir/<secret>/<entry>.
func keyFiles(dir string) rgwadmin.Keys {
	return func(ref rgwadmin.KeyRef) (accessKey, secretKey string, err error) {
		read := func(entry string) string {
			body, readErr := os.ReadFile(filepath.Join(dir, filepath.Base(ref.Secret), filepath.Base(entry)))
			if readErr != nil && err == nil {
				err = fmt.Errorf("read key: %w", readErr)
			}
			return strings.TrimSpace(string(body))
		}
		return read(ref.AccessKey), read(ref.SecretKey), err
	}
}
