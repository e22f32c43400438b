package trigger

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/git"
	"quire/lib/pipeline"
	"quire/lib/push"
	"quire/lib/repos"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// A Trigger makes the runs of one push to one repository.
type Trigger struct {
	Root   func() string               // the root; called if there is a run to make
	OnEnd  func(*runstore.Store) error // see runstore.Open
	Repo   *git.Repo
	Pusher string            // for the record; may be empty
	Origin string            // for the record, see push.Facts.Trigger
	Vars   map[string]string // for the record
	Skip   bool              // the push option ci.skip: the runs are not driven
	Wrong  []string          // problems of push options that set variables
	Warn   func(diag.List)   // receives warnings about the configuration and pipelines; may be nil
	Note   func(string)      // receives remarks for the pusher; may be nil

	cfg *config.Config // the configuration of the root, nil before it is read
}

// config reads the configuration, once for a push.
func (t *Trigger) config(ctx context.Context) (*config.Config, error) {
	var err error
	if t.cfg == nil {
		t.cfg, err = config.Load(ctx, t.Root())
	}
	return t.cfg, err
}

// A Run is one run that was recorded for an update.
type Run struct {
	*runstore.Run
	// Executor must drive the run now. It is "" if the run has ended, or if the
	// configuration could not be read.
	Executor string
	// URL is the address of its page, "" for none.
	URL string
	// Problem says why the run must not be driven: a diag.List about its pipeline,
	// ErrMissed, the reason for skipping it, a *TestedError, or a *runstore.PausedError.
	Problem error
}

// ErrMissed is the Problem of a run that Missed made before the hook of its push began.
var ErrMissed = errors.New("made by quire-trigger --missed")

// Push records a pending run for each update whose commit has a pipeline, and ends the runs
// whose pipeline is invalid. All runs are on disk before it examines the first pipeline. The
// returned runs are on disk, even on error. If the configuration cannot be read, that is an
// error and all runs stay pending. An update that Missed has triggered makes no second run:
// Push returns the run of Missed, with ErrMissed.
func (t *Trigger) Push(ctx context.Context, updates []Update) ([]Run, error) {
	if err := checkOwner(t.Root()); err != nil {
		return nil, t.leaveToOwner(ctx, updates, err)
	}
	s, err := openSeen(ctx, t.Repo, updates)
	if err != nil {
		// Losing track is better than losing the push.
		runs, more := t.Make(ctx, updates)
		return runs, errors.Join(err, more)
	}
	defer s.close()
	late, updates := s.late(updates)
	runs, err := t.Make(ctx, updates)
	if errors.As(err, new(*notRecorded)) {
		return runs, err // Missed makes them
	}
	last, failure := s.last(updates, func(refs []string) ([]string, error) { return t.current(ctx, refs) })
	err = errors.Join(err, failure, s.add(last, time.Time{}))
	made, failure := t.madeByMissed(late)
	return append(runs, made...), errors.Join(err, failure)
}

// leaveToOwner returns err, which names the owner of the root, if one of updates would have
// made a run.
func (t *Trigger) leaveToOwner(ctx context.Context, updates []Update, err error) error {
	objects, failure := t.Repo.Objects(ctx)
	if failure != nil {
		return failure
	}
	defer objects.Close()
	wanted, unknown := find(objects, updates)
	t.noteHidden(objects, updates, wanted)
	if len(wanted) == 0 {
		return unknown
	}
	return err
}

// current returns the ids that refs have now, "" for a ref that does not exist.
func (t *Trigger) current(ctx context.Context, refs []string) ([]string, error) {
	objects, err := t.Repo.Objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	infos, errs := objects.InfoAll(refs)
	ids := make([]string, len(refs))
	for i := range refs {
		switch {
		case errs[i] == nil:
			ids[i] = infos[i].OID
		case !errors.Is(errs[i], git.ErrMissing):
			return nil, errs[i]
		}
	}
	return ids, nil
}

// madeByMissed returns the newest runs of the refs of updates, which Missed has triggered.
func (t *Trigger) madeByMissed(updates []Update) ([]Run, error) {
	if len(updates) == 0 {
		return nil, nil
	}
	store, err := runstore.Open(t.Root(), t.OnEnd)
	if err != nil {
		return nil, err
	}
	name, _ := repos.Name(t.Repo, t.Root())
	var runs []Run
	for _, u := range updates {
		r, err := store.Find(name + "@" + u.Ref)
		if errors.Is(err, runstore.ErrNotFound) {
			continue // no pipeline
		} else if err != nil {
			return runs, err
		}
		runs = append(runs, Run{Run: r, Problem: ErrMissed})
	}
	return runs, nil
}

// notRecorded is an error that prevented runs from being recorded.
type notRecorded struct{ error }

func (e *notRecorded) Unwrap() error { return e.error }

// Make is Push for updates that no push made. They may have been triggered before.
func (t *Trigger) Make(ctx context.Context, updates []Update) ([]Run, error) {
	objects, err := t.Repo.Objects(ctx)
	if err != nil {
		return nil, &notRecorded{err}
	}
	defer objects.Close()
	wanted, unknown := find(objects, updates)
	t.noteHidden(objects, updates, wanted)
	if len(wanted) == 0 {
		return nil, unknown
	}
	name, linked := repos.Name(t.Repo, t.Root())
	facts := t.facts(name, wanted)
	store, err := runstore.Open(t.Root(), t.OnEnd)
	if err != nil {
		return nil, errors.Join(&notRecorded{err}, unknown)
	}
	runs, settings, err := t.make(ctx, store, objects, name, wanted, facts)
	if !linked && t.Repo.Dir() == t.Repo.CommonDir() {
		// Its hook was installed by hand, or by quire 0.1. If another repository has the
		// name, doctor reports that.
		if linkErr := repos.Link(t.Repo, t.Root(), name); !errors.As(linkErr, new(*repos.TakenError)) {
			unknown = errors.Join(unknown, linkErr)
		}
	}
	if err == nil && settings.Supersede != "none" {
		err = supersede(store, runs, settings.Supersede == "active")
	}
	startLater(store, runs)
	return runs, errors.Join(err, unknown)
}

// facts returns the facts of runs of wanted in the repository name.
func (t *Trigger) facts(name string, wanted []pipelineUpdate) []runstore.Facts {
	now := time.Now()
	facts := make([]runstore.Facts, len(wanted))
	for i, w := range wanted {
		facts[i].Facts = push.Facts{
			Repo: name, GitDir: t.Repo.Dir(), Ref: w.Ref, SHA: w.commit, PreviousSHA: w.previous,
			Pusher: t.Pusher, PushedAt: now, Trigger: t.Origin, Vars: t.Vars,
		}
	}
	return facts
}

// startLater prevents runs from being driven now if the root is paused.
func startLater(store *runstore.Store, runs []Run) {
	err := store.Paused()
	for i := range runs {
		if err != nil && runs[i].Executor != "" {
			runs[i].Executor, runs[i].Problem = "", err
		}
	}
}

// make completes facts, records a run of wanted in the repository name for each, and checks
// the pipelines.
func (t *Trigger) make(ctx context.Context, store *runstore.Store, objects *git.Objects, name string, wanted []pipelineUpdate, facts []runstore.Facts) ([]Run, config.Settings, error) {
	var settings config.Settings
	cfg, configErr := t.config(ctx)
	if configErr == nil {
		settings = cfg.For(name)
		if t.Warn != nil && len(cfg.Warnings) > 0 {
			t.Warn(cfg.Warnings)
		}
	}
	if len(settings.Gate) > 0 && t.Origin == push.ByPush && !t.Skip {
		if wanted, facts, configErr = t.afterGate(ctx, store, settings, wanted, facts); len(facts) == 0 {
			return nil, settings, configErr
		}
	}
	unread := describe(objects, facts)
	for i := range facts {
		facts[i].Executor = settings.Executor
		if t.Skip {
			facts[i].Skipped, facts[i].Note = true, "skipped by push option ci.skip"
		}
	}
	earlier, unknown := findTested(store, settings, facts)
	runs, err := store.Create(facts...)
	if err != nil {
		return nil, settings, &notRecorded{errors.Join(err, configErr)}
	}
	for _, r := range runs {
		configErr = errors.Join(configErr, copyFiles(store, r))
	}
	done, failure := completeTested(store, runs, earlier)
	checked, err := t.check(ctx, store, objects, wanted, runs, done, settings)
	return checked, settings, errors.Join(err, failure, configErr, unread, unknown)
}

// describe adds the tree and the subject of its commit to each of facts, and skips the run if
// the commit's message asks for that. It reads each commit once. If it cannot read one, the
// record lacks these facts, and the driver of the run reads them.
func describe(objects *git.Objects, facts []runstore.Facts) error {
	var commits []string
	of := map[string][]int{} // indices of facts
	for i, f := range facts {
		if f.Tree != "" { // of a rerun
			continue
		}
		if of[f.SHA] == nil {
			commits = append(commits, f.SHA)
		}
		of[f.SHA] = append(of[f.SHA], i)
	}
	return objects.Commits(commits, func(i int, _, tree, message string) {
		subject := push.Subject(message)
		for _, at := range of[commits[i]] {
			f := &facts[at]
			f.Tree, f.Subject = tree, subject
			// A tag, or a request by hand, is about just this commit.
			if (f.Trigger == push.ByPush || f.Gate) && f.RerunOf == "" && f.Branch() != "" && push.WantsSkip(message) {
				f.Skipped, f.Note = true, "skipped by the commit message"
			}
		}
	})
}

// A pipelineUpdate is an update whose commit has a pipeline.
type pipelineUpdate struct {
	Update
	commit   string // the id of the commit; a tag is peeled
	previous string // the commit of Old; a tag is peeled; zeros if there is none
	quire    string // the id of the commit's .quire tree
}

// find returns the updates whose commit has a pipeline, except updates of Git notes, which
// are about other commits. It asks git once for all updates, and once for each id, even if
// several refs have it. The error names ids without an object.
func find(objects *git.Objects, updates []Update) ([]pipelineUpdate, error) {
	const asked = 5 // questions about a new id
	var specs []string
	at := map[string]int{}  // index of the questions about a new id
	old := map[string]int{} // index of the question about an old id
	for _, u := range updates {
		if _, known := at[u.New]; !known && !u.deleted() {
			at[u.New] = len(specs)
			commit := u.New + "^{commit}"
			specs = append(specs, u.New, commit, commit+":"+pipeline.Dir,
				commit+":"+pipeline.Fennel, commit+":"+pipeline.Lua)
		}
		if _, known := old[u.Old]; !known && !u.deleted() && u.mayMoveTag() {
			old[u.Old] = len(specs)
			specs = append(specs, u.Old+"^{commit}")
		}
	}
	infos, errs := objects.InfoAll(specs)
	var wanted []pipelineUpdate
	var unknown []error
	for _, u := range updates {
		if !u.mayRun() {
			continue
		}
		info, err := infos[at[u.New]:][:asked], errs[at[u.New]:][:asked]
		switch {
		case err[0] != nil:
			unknown = append(unknown, fmt.Errorf("cannot trigger '%s': %w", u.Ref, err[0]))
		case err[1] == nil && err[2] == nil && (err[3] == nil || err[4] == nil):
			previous := u.Old
			if i, peeled := old[u.Old]; peeled {
				previous = infos[i].OID
				if errs[i] != nil { // a tag of a tree, or a missing tag
					previous = strings.Repeat("0", len(u.Old))
				}
			}
			wanted = append(wanted, pipelineUpdate{u, info[1].OID, previous, info[2].OID})
		}
	}
	return wanted, errors.Join(unknown...)
}

// check compiles each .quire tree once, and ends the runs whose pipeline is invalid. It
// does not compile for runs that have ended: those skipped, and those in done.
func (t *Trigger) check(ctx context.Context, store *runstore.Store, objects *git.Objects, wanted []pipelineUpdate, runs []*runstore.Run, done []*TestedError, settings config.Settings) ([]Run, error) {
	pipelines := map[string]compiled{}
	checked := make([]Run, len(runs))
	var failures []error
	var changes []runstore.RunChange
	for i, r := range runs {
		checked[i] = Run{Run: r, URL: settings.RunURL(r.Repo, r.ID)}
		if r.Skipped {
			checked[i].Problem = errors.New(r.Note)
			continue
		}
		if done[i] != nil {
			checked[i].Problem = done[i]
			continue
		}
		p, known := pipelines[wanted[i].quire]
		if !known {
			p = compile(ctx, objects.Tree(wanted[i].commit), settings)
			pipelines[wanted[i].quire] = p
			if t.Warn != nil && len(p.warnings) > 0 {
				t.Warn(p.warnings)
			}
		}
		problem := p.problem
		var list diag.List
		switch {
		case problem == nil:
			checked[i].Executor = settings.Executor
			if r.Image == nil {
				failures = append(failures, r.AddFacts(runstore.Facts{Image: &p.image}))
			}
			continue
		case errors.As(problem, &list):
			if err := runlog.AppendRunLog(filepath.Join(r.Dir, runstore.LogFile), "%s", strings.TrimSuffix(list.Text(), "\n")); err != nil {
				failures = append(failures, err)
			}
		default:
			// The pipeline may be valid: the run stays pending for reconcile.
			failures = append(failures, fmt.Errorf("cannot check pipeline of '%s': %w", r.Ref, problem))
			continue
		}
		checked[i].Problem = problem
		changes = append(changes, runstore.RunChange{Run: r, Change: runstore.Change{State: runstore.Failed, Reason: "invalid-pipeline", Note: list.Summary()}})
	}
	failures = append(failures, store.TransitionAll(changes)...)
	return checked, errors.Join(failures...)
}

// A compiled is the result of compiling a pipeline.
type compiled struct {
	image   string
	problem error // a diag.List about the pipeline, or why it could not be compiled

	warnings diag.List
}

// compile evaluates the pipeline of a commit's tree.
func compile(ctx context.Context, tree pipeline.Files, settings config.Settings) compiled {
	p, err := pipeline.Load(ctx, tree, pipeline.Options{Limits: settings.Limits()})
	if err != nil {
		return compiled{problem: err}
	}
	defer p.Close()
	c := compiled{image: p.Image}
	for _, s := range p.Secrets {
		if _, ok := settings.Secrets[s.Name]; !ok {
			d := s.At
			d.Message = fmt.Sprintf("warning: the repository has no secret '%s': a job that asks for it will fail", s.Name)
			c.warnings = append(c.warnings, d)
		}
	}
	return c
}

// supersede ends older runs of the same repository and ref, for each of runs that will be
// driven or is already complete. It ends pending runs, and with active also the active ones,
// whose drivers then end their processes. It ignores runs that have changed since, and gate
// runs, because their pushes wait for them.
func supersede(store *runstore.Store, runs []Run, active bool) error {
	type key struct{ repo, ref string }
	newest := map[key]string{}
	for _, r := range runs {
		if r.Executor != "" || errors.As(r.Problem, new(*TestedError)) {
			newest[key{r.Repo, r.Ref}] = r.ID
		}
	}
	if len(newest) == 0 {
		return nil
	}
	var changes []runstore.RunChange
	for old, err := range store.Live() {
		if err != nil {
			return err
		}
		by := newest[key{old.Repo, old.Ref}]
		if by == "" || old.ID >= by || old.Gate {
			continue
		}
		change := runstore.Change{State: runstore.Superseded, By: by, From: runstore.Pending}
		if active {
			change.From = ""
		}
		changes = append(changes, runstore.RunChange{Run: old, Change: change})
	}
	var failures []error
	for _, err := range store.TransitionAll(changes) {
		if !errors.As(err, new(*runstore.StateError)) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
