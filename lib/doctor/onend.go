package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
	"quire/lib/text"
)

const (
	newestRuns = 20        // how many runs are searched for results of on-end.d programs
	endOfLog   = 128 << 10 // how much of the end of their logs is read, in bytes
)

// resultOf splits a line that package notify writes after the output of a program,
// "quire: TIME on-end.d/NAME: RESULT". name is "" for any other line.
func resultOf(line string) (name, result string) {
	rest, ours := strings.CutPrefix(line, "quire: ")
	_, rest, _ = strings.Cut(rest, " ")
	rest, program := strings.CutPrefix(rest, runstore.OnEndDir+"/")
	name, result, ended := strings.Cut(rest, ": ")
	if !ours || !program || !ended || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", ""
	}
	return name, result
}

// onEndResults reports each program of on-end.d whose last run failed. A failure from before
// the program was last changed is not reported, because the change may have repaired it.
func (x *exam) onEndResults() {
	seen := map[string]bool{}
	for rec, err := range x.records.List(runstore.Filter{Limit: newestRuns}) {
		if err != nil {
			continue // Check has reported it
		}
		run, err := x.records.Find(rec.ID)
		if err != nil {
			continue
		}
		log := filepath.Join(run.Dir, notify.LogFile)
		text, written := endOf(log)
		for _, line := range slices.Backward(strings.Split(text, "\n")) {
			if name, result := resultOf(line); name != "" && !seen[name] {
				seen[name] = true
				x.onEndResult(name, result, log, written)
			}
		}
	}
}

// onEndResult checks the result of the program name, from a log written at the time written.
func (x *exam) onEndResult(name, result, log string, written time.Time) {
	path := filepath.Join(x.Root, runstore.OnEndDir, name)
	program, err := os.Stat(path)
	if result != "exit 0" && err == nil && written.After(program.ModTime()) {
		x.wrong(path, "# see its output in "+text.QuoteLine(log)+", and repair it",
			"failed when it was last run: %s", text.Line(result))
	}
}

// endOf returns the end of a file and when it was written; "" if it cannot be read.
func endOf(path string) (end string, written time.Time) {
	f, err := os.Open(path)
	if err != nil {
		return "", written
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", written
	}
	text, _, err := file.ReadEnd(f, endOfLog)
	if err != nil {
		return "", written
	}
	return string(text), info.ModTime()
}

// mail checks the requirements of the recipe mail, if it is one of the programs of on-end.d.
func (x *exam) mail(repos []*git.Repo) {
	path := filepath.Join(x.Root, runstore.OnEndDir, "mail")
	if executable(path) != nil {
		return
	}
	program, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(program), "quire.mailTo") {
		return // another program with that name
	}
	sendmail := false
	for _, dir := range append(filepath.SplitList(x.Path), "/usr/sbin", "/usr/lib") {
		sendmail = sendmail || executable(filepath.Join(dir, "sendmail")) == nil
	}
	if !sendmail {
		x.wrong(path, "# install a program that sends mail, such as msmtp-mta", "cannot send mail: sendmail does not exist")
	}
	for _, repo := range repos {
		if to, _, err := repo.Config("quire.mailTo"); err != nil || to != "" {
			return
		}
	}
	if len(repos) > 0 {
		x.wrong(path, "# git config --global quire.mailTo ADDRESS", "writes no mail: no repository has the Git setting quire.mailTo")
	}
}
