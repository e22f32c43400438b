package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"quire/lib/config"
	"quire/lib/executor"
	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/unit"
)

// A Plan is the input of driving a run besides its record: the settings of its repository,
// the secrets that it may have, and the facts of its push. The driver makes it when the
// run's turn has come, and every later step uses it. So an edit of the configuration affects
// a pending run in every step, and an active run in none.
type Plan struct {
	Run      string            // the id of the run
	Settings config.Settings   // without Secrets
	Secrets  map[string]string `json:"-"` // values by name; other secrets were not read
	Withheld map[string]string // see executor.Options
	Warnings []string          // about secrets that are not safe or cannot be read

	Facts   push.Facts
	Tree    string                     // the id of the commit's tree
	Done    map[string]json.RawMessage // see executor.Options
	Earlier string                     // the directory of the run that Done is from
	Again   string                     // see executor.Options
	Cache   string                     // the directory of the cache; "" for none
	NoCache string                     // why there is none; "" if the settings ask for none
	Unread  string                     // why Facts, Tree and Done are incomplete; "" if they are complete
}

// newPlan reads the configuration, the secrets and the facts of run. The error is about the
// configuration, or the cause of ctx. If the commit or its facts cannot be read, the plan
// says so in Unread.
func newPlan(ctx context.Context, store *runstore.Store, run *runstore.Run) (*Plan, error) {
	cfg, err := config.Load(ctx, store.Root())
	if err != nil {
		return nil, err
	}
	p := &Plan{Run: run.ID, Settings: cfg.For(run.Repo)}
	s := p.Settings.ReadSecrets(run.Ref)
	p.Secrets, p.Withheld, p.Warnings = s.Values, s.Withheld, s.Warnings
	p.Settings.Secrets = nil
	if err := p.readFacts(ctx, store, run); err != nil {
		p.Unread = fmt.Sprintf("cannot read the facts of run %s: %v", run.ID, err)
	}
	return p, context.Cause(ctx)
}

// Limits returns how many runs may be active at once.
func Limits(cfg *config.Config) runstore.Limits {
	return runstore.Limits{
		Root: cfg.For("").MaxRuns,
		Repo: func(name string) int { return cfg.For(name).MaxRuns },

		Grace: cfg.For("").Grace,
	}
}

func (p *Plan) readFacts(ctx context.Context, store *runstore.Store, run *runstore.Run) error {
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return err
	}
	if p.Facts, p.Tree, err = facts(ctx, run, repo); err != nil {
		return err
	}
	_ = run.SaveFiles(p.Facts.FilesChanged)    // only a rerun needs it
	_ = run.SaveMessage(p.Facts.CommitMessage) // only people read it
	p.Again = run.OnlyJob
	p.Done, p.Earlier, err = doneJobs(store, run)
	return err
}

// Facts returns the facts of the push of a run: the recorded ones, and those that the
// repository has about the commit. On error some of them are missing.
func Facts(ctx context.Context, run *runstore.Run, repo *git.Repo) (push.Facts, error) {
	f, _, err := facts(ctx, run, repo)
	return f, err
}

// facts returns the result of Facts and the id of the commit's tree.
func facts(ctx context.Context, run *runstore.Run, repo *git.Repo) (f push.Facts, tree string, err error) {
	f = run.Facts.Facts
	read := make(chan error, 1) // in parallel with ChangedFiles: the first job waits for both
	go func() {
		objects, err := repo.Objects(ctx)
		if err == nil {
			_, tree, f.CommitMessage, err = objects.Commit(run.SHA)
			objects.Close()
		}
		read <- err
	}()
	files, err := run.SavedFiles() // from an earlier turn, or from the run that this one repeats
	if files == nil && err == nil {
		files, err = repo.ChangedFiles(ctx, run.PreviousSHA, run.SHA)
	}
	err = errors.Join(<-read, err)
	f.FilesChanged = files
	return f, tree, err
}

// maxDone is the limit on the outputs of all jobs in Done, in bytes.
const maxDone = 256 << 20

// doneJobs returns the outputs of the jobs that need not run again, because they succeeded in the
// run that this one repeats, or in an even earlier run whose outputs that run reused. A job
// whose output or artifacts cannot be read runs again. from is the directory of that run.
func doneJobs(store *runstore.Store, run *runstore.Run) (outputs map[string]json.RawMessage, from string, err error) {
	if !run.OnlyFailed && run.OnlyJob == "" {
		return nil, "", nil
	}
	first, err := store.Find(run.RerunOf)
	if err != nil {
		return nil, "", err
	}
	jobs, _ := runlog.Summarize(first.Dir)
	outputs = map[string]json.RawMessage{}
	left := maxDone
	for _, j := range jobs {
		if j.State != runlog.Complete || runlog.CheckArtifacts(first.Dir, j.ID) != nil {
			continue
		}
		if output, err := j.ReadOutput(first.Dir, left); err == nil {
			outputs[j.ID] = output
			left -= len(output)
		}
	}
	return outputs, first.Dir, nil
}

// copyArtifacts copies the artifacts of the jobs in Done to out, the directory with the
// records of the jobs.
func (p *Plan) copyArtifacts(ctx context.Context, out string) error {
	most := int64(p.Settings.MaxArtifacts)
	for job := range p.Done {
		size, err := runlog.CopyArtifacts(ctx, p.Earlier, job, out, most)
		if errors.Is(err, file.ErrLarge) {
			return fmt.Errorf("the artifacts of the earlier run exceed artifacts-max, which is %s", unit.FormatSize(p.Settings.MaxArtifacts))
		}
		if err != nil {
			return fmt.Errorf("cannot copy artifacts of job '%s' of the earlier run: %w", job, text.Cause(err))
		}
		if most > 0 {
			most = max(1, most-size)
		}
	}
	return nil
}

// spec returns the description of the run for the program that runs the jobs. It has no
// timeout: the driver ends the run.
func (p *Plan) spec() executor.Spec {
	limits := p.Settings.Limits()
	return executor.Spec{
		Facts: p.Facts, Done: p.Done, Again: p.Again, Withheld: p.Withheld,
		PassEnv: p.Settings.PassEnv, Env: p.Settings.Env, Path: os.Getenv("PATH"),
		Shell: p.Settings.Shell, Grace: executor.Duration(p.Settings.Grace),
		MaxArtifacts: p.Settings.MaxArtifacts, MaxLog: p.Settings.MaxLog,
		EvalTime: executor.Duration(limits.Time), EvalMemory: limits.Memory,
	}
}

// addFacts adds the tree and the subject of the commit to the record of the run, if it lacks
// them.
func (p *Plan) addFacts(run *runstore.Run) error {
	if p.Unread != "" || run.Tree != "" {
		return nil
	}
	return run.AddFacts(runstore.Facts{Tree: p.Tree, Subject: push.Subject(p.Facts.CommitMessage)})
}

// planVariable is the environment variable that names the file with the plan, as /dev/fd/N.
// A driver sets it for the command that it starts, so that every quire command below uses
// the driver's plan. N is above 9, because scripts redirect descriptors with one digit.
const (
	planVariable = "QUIRE_PLAN"
	planFD       = 10
)

// planJSON is the form of the plan in its file. Its fields may contain any byte and replace
// the fields of the plan with the same names.
type planJSON struct {
	*Plan
	Secrets  map[string]push.Text
	Earlier  push.Text
	Settings settingsJSON
}

type settingsJSON struct {
	config.Settings
	Launcher, Shell, PassEnv []push.Text
	Env                      map[string]push.Text
}

// file returns the plan as a nameless file in memory. The file contains secrets: close it as
// soon as the command is started.
func (p *Plan) file() (*os.File, error) {
	data, err := json.Marshal(planJSON{
		p, push.TextMap[push.Text](p.Secrets), push.Text(p.Earlier), settingsJSON{
			p.Settings, push.Texts[push.Text](p.Settings.Launcher), push.Texts[push.Text](p.Settings.Shell),
			push.Texts[push.Text](p.Settings.PassEnv), push.TextMap[push.Text](p.Settings.Env),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot write plan of run %s: %w", p.Run, err)
	}
	return file.Nameless("quire-plan", data)
}

// PlanOf returns the plan of run from the driver above this process. It closes the
// descriptor, so that neither this process nor a program that it starts can read the plan
// again. Other processes can still read theirs.
//
// Without a plan, because no driver of run is above this process, PlanOf makes one from the
// current configuration. If a driver should have passed one, it also returns a warning: the
// driver is of quire 0.1, or a program in between cleared the environment.
func PlanOf(ctx context.Context, store *runstore.Store, run *runstore.Run, getenv func(string) string) (p *Plan, warning string, err error) {
	if p, err = inheritedPlan(getenv(planVariable), run); p != nil || err != nil {
		return p, "", err
	}
	if getenv("QUIRE_RUN") == run.ID {
		warning = fmt.Sprintf("run %s: the driver passed on no plan, so the configuration is read again", run.ID)
	}
	p, err = newPlan(ctx, store, run)
	return p, warning, err
}

// inheritedPlan returns the plan in the file path, nil if there is none or it is the plan
// of another run.
func inheritedPlan(path string, run *runstore.Run) (*Plan, error) {
	if path == "" {
		return nil, nil
	}
	p, err := readPlan(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read plan of run %s, %s=%s: %w", run.ID, planVariable, path, err)
	}
	if p.Run != run.ID {
		return nil, nil
	}
	return p, nil
}

func readPlan(path string) (*Plan, error) {
	number, ok := strings.CutPrefix(path, "/dev/fd/")
	fd, err := strconv.Atoi(number)
	if !ok || err != nil || fd < 3 {
		return nil, errors.New("not of the form /dev/fd/N")
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("a program in between closed the descriptor: %w", err)
	}
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	// The offset is shared with other processes that read the plan.
	data, err := io.ReadAll(io.NewSectionReader(f, 0, stat.Size))
	if err != nil {
		return nil, err
	}
	p := planJSON{Plan: new(Plan)}
	if err := json.Unmarshal(data, &p); err != nil || p.Run == "" {
		return nil, errors.New("the descriptor is another file")
	}
	set := &p.Settings
	set.Settings.Launcher, set.Settings.Shell = push.Texts[string](set.Launcher), push.Texts[string](set.Shell)
	set.Settings.PassEnv, set.Settings.Env = push.Texts[string](set.PassEnv), push.TextMap[string](set.Env)
	p.Plan.Secrets, p.Plan.Earlier, p.Plan.Settings = push.TextMap[string](p.Secrets), string(p.Earlier), set.Settings
	return p.Plan, nil
}
