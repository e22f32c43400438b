package trigger

import (
	"context"
	"errors"
	"fmt"
	"os"

	"quire/lib/config"
	"quire/lib/push"
	"quire/lib/repos"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A Gated has the runs of a push that git has not accepted yet: it moves the refs only if all
// runs are complete.
type Gated struct {
	Store  *runstore.Store
	Runs   []Run
	Config *config.Config
	places *runstore.Places
}

// Release tells reconcile that this process does not drive the runs any more.
func (g *Gated) Release() {
	if g.places != nil {
		g.places.Close()
	}
}

// All returns the runs as the store knows them.
func (g *Gated) All() []*runstore.Run {
	all := make([]*runstore.Run, len(g.Runs))
	for i, r := range g.Runs {
		all[i] = r.Run
	}
	return all
}

// Gate records a run for each update of a gated ref, before git moves the ref. Without such
// an update it records nothing. An error says why git must refuse the push: the configuration
// cannot be read, or the run of an update cannot be made. Even then, the result has the runs
// that were recorded.
func (t *Trigger) Gate(ctx context.Context, updates []Update) (*Gated, error) {
	g := new(Gated)
	root := t.Root()
	if _, err := os.Stat(root); err != nil {
		return g, fmt.Errorf("cannot open root '%s': %w", root, text.Cause(err))
	}
	var err error
	if g.Config, err = t.config(ctx); err != nil {
		return g, err
	}
	name, _ := repos.Name(t.Repo, root)
	settings := g.Config.For(name)
	gated, err := t.gated(ctx, settings, updates)
	if err != nil || len(gated) == 0 {
		return g, err
	}
	switch {
	case len(t.Wrong) > 0:
		return g, errors.New(t.Wrong[0])
	case t.Skip && !settings.GateSkip:
		return g, fmt.Errorf("'%s' is gated: push option ci.skip needs gate-skip in the configuration", gated[0].Ref)
	case t.Skip:
		return g, nil
	}
	if err := checkOwner(root); err != nil {
		return g, err
	}
	return g, t.createGated(ctx, g, name, settings, gated)
}

// gated returns the updates of gated refs that need a run. It replaces symbolic refs by their
// targets.
func (t *Trigger) gated(ctx context.Context, settings config.Settings, updates []Update) (gated []Update, err error) {
	if len(settings.Gate) == 0 {
		return nil, nil
	}
	for _, u := range updates {
		if u.Ref, err = t.Repo.Target(ctx, u.Ref); err != nil {
			return nil, err
		}
		if settings.Gated(u.Ref) && !u.deleted() {
			gated = append(gated, u)
		}
	}
	return gated, nil
}

// createGated creates the runs of gated updates, and holds their places in the queue. Without
// a place, reconcile would assume that the push of a pending run has ended.
func (t *Trigger) createGated(ctx context.Context, g *Gated, name string, settings config.Settings, gated []Update) error {
	objects, err := t.Repo.Objects(ctx)
	if err != nil {
		return err
	}
	defer objects.Close()
	all, err := find(objects, gated)
	if err != nil {
		return err
	}
	found := map[Update]bool{}
	for _, w := range all {
		found[w.Update] = true
	}
	for _, u := range gated {
		if !found[u] {
			why := hiddenPipeline(objects.Tree(u.New))
			if why != "" {
				why = ": " + why
			}
			return fmt.Errorf("'%s' is gated, and %s has no pipeline%s", u.Ref, u.New, why)
		}
	}
	described := t.facts(name, all)
	for i := range described {
		described[i].Gate = true
	}
	if err := describe(objects, described); err != nil {
		return err
	}
	var wanted []pipelineUpdate
	var facts []runstore.Facts
	for i, f := range described {
		switch {
		case !f.Skipped:
			wanted, facts = append(wanted, all[i]), append(facts, f)
		case !settings.GateSkip:
			return fmt.Errorf("'%s' is gated: a commit message with [skip ci] needs gate-skip in the configuration", f.Ref)
		}
	}
	if len(facts) == 0 {
		return nil
	}
	if g.Store, err = runstore.Open(t.Root(), t.OnEnd); err != nil {
		return err
	}
	if err := g.Store.Paused(); err != nil {
		return err
	}
	ids, err := g.Store.NewIDs(len(facts))
	if err != nil {
		return err
	}
	if g.places, err = g.Store.HoldPlaces(ids...); err != nil {
		return err
	}
	for i := range facts {
		facts[i].ID = ids[i]
	}
	g.Runs, _, err = t.make(ctx, g.Store, objects, name, wanted, facts)
	return err
}

// afterGate leaves out the updates that already have a complete gate run, of the same ref, old
// and new commit. If that gate run skipped jobs that run after the push, the update gets a
// run with the trigger "push" that reuses the complete jobs.
func (t *Trigger) afterGate(ctx context.Context, store *runstore.Store, settings config.Settings, all []pipelineUpdate, described []runstore.Facts) (wanted []pipelineUpdate, facts []runstore.Facts, err error) {
	for i, f := range described {
		target, err := t.Repo.Target(ctx, f.Ref)
		if err != nil {
			return all, described, err
		}
		var gate *runstore.Run
		if settings.Gated(target) {
			if gate, err = gateRun(store, f, target); err != nil {
				return all, described, err
			}
		}
		if gate != nil {
			if !skippedForGate(gate) {
				continue
			}
			f = gate.Facts
			f.ID, f.Gate, f.Trigger = "", false, push.ByPush
			f.RerunOf, f.OnlyFailed = gate.ID, true
		}
		wanted, facts = append(wanted, all[i]), append(facts, f)
	}
	return wanted, facts, nil
}

// maxEarlier is how many of the newest runs of a repository are looked at.
const maxEarlier = 1000

// gateRun returns the complete gate run of the push with the facts f to ref, nil if there
// is none.
func gateRun(store *runstore.Store, f runstore.Facts, ref string) (*runstore.Run, error) {
	for rec, err := range store.List(runstore.Filter{Repo: f.Repo, States: []runstore.State{runstore.Complete}, Limit: maxEarlier}) {
		if err != nil {
			return nil, err
		}
		if !rec.Gate || rec.Ref != ref || rec.SHA != f.SHA {
			continue
		}
		run, err := store.Find(rec.ID)
		if err == nil && run.PreviousSHA == f.PreviousSHA {
			return run, nil
		}
	}
	return nil, nil
}

// skippedForGate reports whether a gate run skipped jobs that run after the push.
func skippedForGate(gate *runstore.Run) bool {
	jobs, _ := runlog.Summarize(gate.Dir)
	for _, j := range jobs {
		if j.State == runlog.Skipped && j.Reason == runlog.AfterGate {
			return true
		}
	}
	return false
}
