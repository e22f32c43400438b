package trigger

import (
	"fmt"
	"io/fs"
	"strings"

	"quire/lib/git"
	"quire/lib/pipeline"
)

// maxUnseen is how many commits of a push are examined for a misplaced pipeline.
const maxUnseen = 20

// noteUnseen notes commits for the pusher whose pipeline seems to be misnamed or misplaced.
// It ignores errors: Git accepted the commits, and they make no run.
func (t *Trigger) noteUnseen(objects *git.Objects, updates []Update, wanted []want) {
	if t.Note == nil {
		return
	}
	known := map[string]bool{}
	for _, w := range wanted {
		known[w.New] = true
	}
	for _, u := range updates {
		if !u.mayRun() || known[u.New] {
			continue
		}
		if known[u.New] = true; len(known) > maxUnseen+len(wanted) {
			return
		}
		if why := hiddenPipeline(objects.Tree(u.New)); why != "" {
			t.Note(fmt.Sprintf("%s makes no run: %s", u.Ref, why))
		}
	}
}

// hiddenPipeline returns what hides the pipeline of a tree that has none at the right path,
// or "".
func hiddenPipeline(tree fs.ReadDirFS) string {
	entries, err := tree.ReadDir(".")
	if err != nil {
		return ""
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case !strings.EqualFold(name, pipeline.Dir):
		case name != pipeline.Dir:
			return fmt.Sprintf("'%s' must be spelled '%s'", name, pipeline.Dir)
		case e.Type()&fs.ModeSymlink != 0:
			return fmt.Sprintf("'%s' is a symbolic link, and must be a directory", name)
		case !e.IsDir():
			return fmt.Sprintf("'%s' is not a directory", name)
		default:
			return fmt.Sprintf("'%s' has neither ci.fnl nor ci.lua", name)
		}
	}
	return ""
}
