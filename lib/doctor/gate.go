package doctor

import (
	"context"
	"slices"

	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/repos"
	"quire/lib/runstore"
	"quire/lib/text"
)

// gate checks that a repository has the pre-receive hook if and only if refs of it are gated,
// and that the gated refs point at tested commits.
func (x *exam) gate(ctx context.Context, repo *git.Repo, gate *hook.Hook) {
	if x.cfg == nil {
		return // reported by config
	}
	name, _ := repos.Name(repo, x.Root)
	settings := x.cfg.For(name)
	missing := gate.Installed()
	switch {
	case len(settings.Gate) == 0 && missing == nil:
		x.wrong(gate.Path(), "# set gate in the configuration, or: quire-trigger --git-dir "+text.QuoteLine(repo.Dir())+" --uninstall-hook --gate",
			"refuses nothing: the configuration has no gate for '%s'", name)
		return
	case len(settings.Gate) == 0:
		return
	case missing != nil:
		x.wrong(gate.Path(), gate.Advice(x.Root), "the gate of '%s' is open, quire's hook is not run: %v", name, missing)
		return
	}
	x.ok(gate.Path())
	x.tested(ctx, repo, name, settings)
}

// tested checks that each gated ref points at a commit with a complete run of that ref: the
// owner of the repository can move it without a hook.
func (x *exam) tested(ctx context.Context, repo *git.Repo, name string, settings config.Settings) {
	refs, err := repo.Refs(ctx)
	if err != nil {
		x.wrong(repo.Dir(), "# repair it", "%v", err)
		return
	}
	refs = slices.DeleteFunc(refs, func(r git.Ref) bool { return !settings.Gated(r.Name) })
	if len(refs) == 0 || x.records == nil {
		return
	}
	objects, err := repo.Objects(ctx)
	if err != nil {
		return
	}
	defer objects.Close()
	type commit struct{ ref, id string }
	complete := map[commit]bool{}
	for r, err := range x.records.List(runstore.Filter{Repo: name, States: []runstore.State{runstore.Complete}}) {
		if err == nil {
			complete[commit{r.Ref, r.SHA}] = true
		}
	}
	for _, r := range refs {
		info, err := objects.Info(r.OID + "^{commit}")
		if err == nil && !complete[commit{r.Name, info.OID}] {
			x.wrong(repo.Dir(), "# make a run of it: quire-trigger --git-dir "+text.QuoteLine(repo.Dir())+" --root "+text.QuoteLine(x.Root)+" --ref "+text.QuoteLine(r.Name)+" | quire-dispatch",
				"the gated ref '%s' is at commit %s, which has no complete run", r.Name, info.OID)
		}
	}
}
