package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/text"
	"quire/lib/unit"
	"quire/lib/vm"
)

// A Spec describes a run for the program that executes it: `quire-ci launch` writes it to
// the file that `quire-ci run --facts` reads.
type Spec struct {
	Facts   push.Facts                 `json:"facts"`
	PassEnv []string                   `json:"pass-env,omitempty"` // variables that jobs inherit besides the usual ones
	Env     map[string]string          `json:"env,omitempty"`      // further variables of jobs, which replace inherited ones
	Path    string                     `json:"path,omitempty"`     // the PATH of the driver, which jobs do not get, see BaseEnv
	Shell   []string                   `json:"shell,omitempty"`    // see Options
	Timeout Duration                   `json:"timeout,omitempty"`  // of the run; 0: none
	Grace   Duration                   `json:"grace,omitempty"`    // between TERM and KILL; 0: the default
	Done    map[string]json.RawMessage `json:"done,omitempty"`     // see Options

	Again    string            `json:"again,omitempty"`    // see Options
	Withheld map[string]string `json:"withheld,omitempty"` // see Options

	MaxArtifacts uint64 `json:"artifacts-max,omitempty"` // see Options
	MaxLog       uint64 `json:"log-max,omitempty"`       // see Options

	// The limits of Lua, as in vm.Limits; 0: the default.
	EvalTime   Duration `json:"eval-time,omitempty"`
	EvalMemory uint64   `json:"eval-memory,omitempty"`
}

// Limits returns the limits of the evaluation of the pipeline.
func (s Spec) Limits() vm.Limits {
	return vm.Limits{Time: time.Duration(s.EvalTime), Memory: s.EvalMemory}
}

// A Duration is a time.Duration whose JSON form is a string such as "1m30s".
type Duration time.Duration

// MarshalText returns the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText parses text with unit.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := unit.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// jsonSpec is the JSON form of a Spec. Its fields may contain any byte and replace the
// fields of Spec with the same names.
type jsonSpec struct {
	Spec
	PassEnv []push.Text          `json:"pass-env,omitempty"`
	Env     map[string]push.Text `json:"env,omitempty"`
	Path    push.Text            `json:"path,omitempty"`
	Shell   []push.Text          `json:"shell,omitempty"`
}

// WriteSpec writes s to w as one line of JSON.
func WriteSpec(w io.Writer, s Spec) error {
	j := jsonSpec{s, push.Texts[push.Text](s.PassEnv), push.TextMap[push.Text](s.Env), push.Text(s.Path), push.Texts[push.Text](s.Shell)}
	if err := json.NewEncoder(w).Encode(j); err != nil {
		return fmt.Errorf("cannot write facts: %w", err)
	}
	return nil
}

// readSpec reads the output of WriteSpec. An unknown field is an error: the two programs
// have different versions.
func readSpec(r io.Reader) (Spec, error) {
	var j jsonSpec
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return Spec{}, fmt.Errorf("cannot read facts: %w", err)
	}
	s := j.Spec
	s.PassEnv, s.Env, s.Path, s.Shell = push.Texts[string](j.PassEnv), push.TextMap[string](j.Env), string(j.Path), push.Texts[string](j.Shell)
	return s, nil
}

// Options returns the options that s describes. Jobs inherit variables from environ.
func (s Spec) Options(environ []string) Options {
	env := newEnviron(BaseEnv(environ, s.PassEnv, s.Path))
	maps.Copy(env, s.Env)
	return Options{
		Facts: s.Facts, Env: env.list(), Done: s.Done, Again: s.Again, Withheld: s.Withheld,
		Shell: s.Shell, Timeout: time.Duration(s.Timeout), Grace: time.Duration(s.Grace),
		MaxArtifacts: s.MaxArtifacts, MaxLog: s.MaxLog,
	}
}

// OpenSpec reads the file path with readSpec. If path is "", it returns the localFacts of a
// working copy.
func OpenSpec(ctx context.Context, path, workspace string) (Spec, error) {
	if path == "" {
		facts, err := localFacts(ctx, workspace)
		return Spec{Facts: facts, MaxLog: runlog.DefaultMax}, err
	}
	file, err := openGiven(path)
	if err != nil {
		return Spec{}, fmt.Errorf("cannot read facts '%s': %w", path, text.Cause(err))
	}
	defer file.Close()
	return readSpec(file)
}

// openGiven opens a file for reading. If path is /dev/fd/N and this process inherited that
// descriptor, openGiven returns the descriptor itself, so that closing the file closes it.
// If it were opened a second time, jobs could find the first in /proc.
func openGiven(path string) (*os.File, error) {
	name, inherited := strings.CutPrefix(path, "/dev/fd/")
	if fd, err := strconv.Atoi(name); inherited && err == nil && fd > 2 {
		// Descriptors opened by this process, even by the runtime, are closed on exec.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			file := os.NewFile(uintptr(fd), path)
			_, _ = file.Seek(0, io.SeekStart) // a launcher may have read it; fails for a pipe
			return file, nil
		}
	}
	return os.Open(path)
}

// A secretValue is a string in a file of secrets, or {"base64": "..."} if a string could not
// represent it. A newline at the end of a string is not part of the value.
type secretValue string

func (s secretValue) MarshalJSON() ([]byte, error) {
	if text := string(s); utf8.ValidString(text) && chomp(text) == text {
		return json.Marshal(text)
	}
	return json.Marshal(exactSecret{[]byte(s)})
}

func (s *secretValue) UnmarshalJSON(text []byte) error {
	var line string
	if json.Unmarshal(text, &line) == nil {
		*s = secretValue(chomp(line))
		return nil
	}
	var exact exactSecret
	err := json.Unmarshal(text, &exact)
	if exact.Base64 == nil {
		return errors.New("neither a string nor base64")
	}
	*s = secretValue(exact.Base64)
	return err
}

type exactSecret struct {
	Base64 []byte `json:"base64"`
}

// chomp removes one line end from the end of s.
func chomp(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r") }

// WriteSecrets writes secrets, a map of names to values, as the JSON object that
// ReadSecrets reads.
func WriteSecrets(w io.Writer, secrets map[string]string) error {
	values := make(map[string]secretValue, len(secrets))
	for name, value := range secrets {
		values[name] = secretValue(value)
	}
	if err := json.NewEncoder(w).Encode(values); err != nil {
		return fmt.Errorf("cannot write secrets: %w", err)
	}
	return nil
}

// ReadSecrets reads the file path, a JSON object of names and values. It warns of values
// that are too short to redact, and of a file that is readable by other users. The error
// shows nothing of the contents.
func ReadSecrets(path string) (secrets map[string]string, warnings []string, err error) {
	file, err := openGiven(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read secrets '%s': %w", path, text.Cause(err))
	}
	defer file.Close()
	var values map[string]secretValue
	if err := json.NewDecoder(file).Decode(&values); err != nil {
		return nil, nil, fmt.Errorf("cannot read secrets '%s': not a JSON object of strings", path)
	}
	if info, err := file.Stat(); err == nil && named(info) && info.Mode()&0o044 != 0 {
		warnings = append(warnings, fmt.Sprintf("secrets '%s' are readable by other users", path))
	}
	secrets = make(map[string]string, len(values))
	for name, value := range values {
		secrets[name] = string(value)
	}
	return secrets, append(warnings, shortSecrets(secrets)...), nil
}

// named reports whether other users could find a regular file. Pipes have no path, and
// neither have the files of `quire-ci launch`.
func named(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().IsRegular() && ok && stat.Nlink > 0
}

// shortSecrets returns a warning for each secret that is too short to be redacted.
func shortSecrets(secrets map[string]string) (warnings []string) {
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if len(secrets[name]) < runlog.MinSecret {
			warnings = append(warnings, fmt.Sprintf("secret '%s' is shorter than %d bytes and is not redacted", name, runlog.MinSecret))
		}
	}
	return warnings
}
