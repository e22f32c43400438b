// Quire-web shows run records as pages: by CGI, on a port, or as files.
package main

import (
	"context"
	"flag"
	"net/http/cgi"
	"net/url"
	"os"
	"strings"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/web"
)

const usage = `usage: quire-web [--root DIR] [--listen ADDRESS | --export DIR]
Shows run records as pages. A web server starts it without options, by CGI.
  --listen ADDRESS       serve the pages on ADDRESS, such as 127.0.0.1:8080
  --export DIR           write the pages to DIR as files
  --root DIR             the root; default $QUIRE_ROOT, else git config
                         quire.root, else /var/quire
`

func main() { os.Exit(cli.Main("quire-web", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	isCGI := e.Getenv("GATEWAY_INTERFACE") != ""
	query := e.Getenv("QUERY_STRING")
	if isCGI && query != "" && !strings.Contains(query, "=") {
		// A web server passes the words of such a query as arguments (RFC 3875, 4.4). They
		// must not be taken for options, so nothing is read from the arguments.
		_, err := e.Stdout.Write([]byte("Status: 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nA query needs a '='.\n"))
		return err
	}
	fs := new(flag.FlagSet)
	root := fs.String("root", "", "")
	listen := fs.String("listen", "", "")
	export := fs.String("export", "", "")
	if err := e.Parse(fs, usage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	gitConfig := git.ConfigHere
	if isCGI { // a request starts no git
		gitConfig = func(string) (string, bool, error) { return "", false, nil }
	}
	h := &web.Handler{Root: config.Root(*root, e.Getenv, gitConfig), Log: func(err error) { e.Report(err) }}
	switch {
	case *listen != "" && *export != "":
		return cli.Usagef("options '--listen' and '--export' exclude each other")
	case *export != "":
		return h.Export(e.CatchSignals(ctx), *export)
	case *listen != "":
		return h.Listen(e.CatchSignals(ctx), *listen, e.Stdout)
	case !isCGI:
		return cli.Usagef("no web server started this; '--listen' or '--export' is needed")
	}
	path := e.Getenv("PATH_INFO")
	h.PathInfo = &path
	if e.Getenv("REQUEST_URI") == "" { // net/http/cgi does not escape the path that it makes one of
		u := url.URL{Path: e.Getenv("SCRIPT_NAME") + path, RawQuery: query}
		if err := os.Setenv("REQUEST_URI", u.String()); err != nil {
			return err
		}
	}
	return cgi.Serve(h)
}
