package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An example is a display of a page for its reader to do or to write, or a block of the
// README.
type example struct {
	page string
	text string // as a reader sees it, ending with a newline
}

// name returns the example's name here: its first line.
func (e example) name() string {
	line, _, _ := strings.Cut(e.text, "\n")
	return line
}

// examples returns the examples of all pages and of the README, in order.
func examples(t *testing.T) []example {
	t.Helper()
	pages, err := filepath.Glob("../man/*.[157]")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	var all []example
	for _, page := range pages {
		all = append(all, pageExamples(filepath.Base(page), read(t, page))...)
	}
	return append(all, readmeExamples(read(t, "../README.md"))...)
}

// pageExamples returns the displays of a page (mdoc(7)): literal blocks, and lines with
// .Dl. Before EXAMPLES most of these show a syntax, and only those with a command count.
func pageExamples(page, text string) []example {
	var all []example
	var block *strings.Builder
	section := ""
	for line := range strings.Lines(text) {
		one, isLine := strings.CutPrefix(line, ".Dl ")
		switch {
		case strings.HasPrefix(line, ".Sh "):
			section = strings.TrimSpace(strings.TrimPrefix(line, ".Sh "))
		case strings.HasPrefix(line, ".Bd "):
			block = new(strings.Builder)
		case strings.HasPrefix(line, ".Ed"):
			all = append(all, example{page, plainText(block.String())})
			block = nil
		case block != nil:
			block.WriteString(line)
		case isLine && (section == "EXAMPLES" || strings.HasPrefix(one, "quire-") || strings.HasPrefix(one, "$ ")):
			all = append(all, example{page, plainText(one)})
		}
	}
	return all
}

// plainText replaces the escapes of mdoc by their characters.
var plainText = strings.NewReplacer(`\e`, `\`, `\(dq`, `"`, `\&`, "", `\-`, "-", `\(aq`, "'").Replace

// readmeExamples returns the blocks between lines of three backticks.
func readmeExamples(text string) []example {
	var all []example
	for i, block := range strings.Split(text, "```") {
		if i%2 == 1 {
			_, body, _ := strings.Cut(block, "\n")
			all = append(all, example{"README.md", body})
		}
	}
	return all
}

// notRun are the examples that are not run, each by its first line, with the reason. The
// quire commands and options in them are still checked.
var notRun = map[string]string{
	`environment="QUIRE_PUSHER=ann",restrict ssh-ed25519 AAAA...`:                                         "is a line of authorized_keys; TestAccess logs in by one",
	`command="QUIRE_PUSHER=ann exec git-shell -c \"$SSH_ORIGINAL_COMMAND\"",restrict ssh-ed25519 AAAA...`: "is a line of authorized_keys; TestAccess logs in by one",
	"quire-web --listen 127.0.0.1:8080":                                                                   "would never end; the tests of quire-web serve pages",
	"$ quire-web --listen 127.0.0.1:8080":                                                                 "would never end; the tests of quire-web serve pages",
	"# systemctl edit fcgiwrap.service":                                                                   "is for a service of the system",
	"# cat script":                                                                                        "is run by a web server",
	"location / {":                                                                                        "configures nginx",
	"server.username = \"quire\"":                                                                         "configures lighttpd",
	"<VirtualHost *:80>":                                                                                  "configures Apache",
	"2026-11-23T12:00:00.000Z pending":                                                                    "shows the content of a file",
	"quire-trigger | quire-dispatch":                                                                      "is the hook, which every push here runs",
	"tar xzf quire-VERSION-linux-amd64.tar.gz":                                                            "TestDist unpacks and installs an archive",
}

// TestExamples runs every example. A page's examples run in order, in their own world.
func TestExamples(t *testing.T) {
	t.Parallel()
	pages := map[string][]example{}
	for _, e := range examples(t) {
		pages[e.page] = append(pages[e.page], e)
	}
	for name := range notRun {
		if !slices.ContainsFunc(examples(t), func(e example) bool { return e.name() == name }) {
			t.Errorf("notRun names the example %q, which does not exist", name)
		}
	}
	for page, list := range pages {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			var w *world
			for _, e := range list {
				t.Run(e.name(), func(sub *testing.T) {
					for _, problem := range misused(sub, e.text) {
						sub.Error(problem)
					}
					if notRun[e.name()] != "" || page == "quire-cookbook.7" || page == "quire-tutorial.7" { // see TestCookbook, TestTutorial
						return
					}
					if w == nil {
						w = newWorld(t, page) // it outlives this example
					}
					if !w.walked[e.text] {
						w.example(sub, e)
					}
				})
			}
		})
	}
}

// TestDemo follows the README as a newcomer does; see the script.
func TestDemo(t *testing.T) {
	t.Parallel()
	slow(t)
	cmd := exec.Command("./demo")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "LOGNAME=quire")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"Subject: foo.git main: complete again\n", "\nAll of it took "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
