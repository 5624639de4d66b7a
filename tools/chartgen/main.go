// Command chartgen writes the generated parts of the charts: the rights of each
// service, from the markers beside its code, and values.schema.json, from the
// values. It never touches a template.
package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
)

func main() {
	app := &cli.App{
		Name: "chartgen", Usage: "write the generated parts of the charts", HideHelpCommand: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "root", Value: ".", Usage: "top of the repository"},
			&cli.StringFlag{Name: "controller-gen", Value: "bin/controller-gen", Usage: "the controller-gen program"},
		},
		Action: func(c *cli.Context) error {
			root := c.String("root")
			if err := writeSchemas(root); err != nil {
				return err
			}
			return writeRights(c.Context, root, c.String("controller-gen"))
		},
	}
	if err := app.Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "chartgen:", err)
		os.Exit(1)
	}
}
