package main

import (
	"context"
	"fmt"
	"strings"

	"quire/lib/cli"
	"quire/lib/pipeline"
)

const graphUsage = `usage: quire-ci graph [--workspace DIR]
Prints the job graph in the DOT language of Graphviz.
` + workspaceUsage

// graph prints the job graph of a workspace in the DOT language of Graphviz.
func graph(ctx context.Context, e *cli.Env) error {
	p, err := loadWorkspace(ctx, e, graphUsage)
	if err != nil {
		return err
	}
	defer p.Close()
	var out strings.Builder
	fmt.Fprintf(&out, "digraph pipeline {\n\t%s [shape=box];\n", dotID(pipeline.Push))
	for _, j := range p.Jobs {
		fmt.Fprintf(&out, "\t%s;\n", dotID(j.ID))
		for _, input := range j.Inputs {
			fmt.Fprintf(&out, "\t%s -> %s;\n", dotID(input), dotID(j.ID))
		}
	}
	out.WriteString("}\n")
	return write(e, out.String())
}

// dotID quotes a name. In DOT a backslash is an escape only in labels, which
// default to the name, so it is doubled there and nowhere else.
func dotID(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
