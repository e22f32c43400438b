package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"quire/lib/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"quire-runstate": func() { os.Exit(cli.Main("quire-runstate", os.Args[1:], run)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("LC_ALL", "C")
			env.Setenv("TZ", "UTC")
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
			env.Setenv("QUIRE_ROOT", env.WorkDir+"/root")
			return os.Mkdir(env.WorkDir+"/root", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"create": create,
		},
	})
}
