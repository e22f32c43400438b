package trigger

import (
	"fmt"
	"io/fs"
	"strings"

	"quire/lib/git"
	"quire/lib/pipeline"
)

// maxHidden is how many commits of a push are examined for a hidden pipeline.
const maxHidden = 20

// noteHidden tells the pusher of commits whose pipeline seems to be misnamed or misplaced. It
// ignores errors: Git accepted the commits, and they make no run.
func (t *Trigger) noteHidden(objects *git.Objects, updates []Update, wanted []pipelineUpdate) {
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
		if known[u.New] = true; len(known) > maxHidden+len(wanted) {
			return
		}
		if why := hiddenPipeline(objects.Tree(u.New)); why != "" {
			t.Note(fmt.Sprintf("%s makes no run: %s", u.Ref, why))
		}
	}
}

// hiddenPipeline returns why a tree has no pipeline although it has an entry like .quire; ""
// if it has no such entry.
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
