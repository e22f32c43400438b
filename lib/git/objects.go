package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"quire/lib/git/direct"
)

// errTooLarge is the error for an object that is larger than the caller's limit.
var errTooLarge = errors.New("too large")

const (
	// After maxMisses misses the rest of a call is left to git: if some objects are in
	// packs, the others usually are, too.
	maxMisses = 4
	// maxFound is how many bytes of loose objects a call may read without git.
	maxFound = 8 << 20
)

// Objects reads a repository's objects through two long-lived processes: one describes
// objects, the other, started when it is first needed, reads them. So thousands of
// questions need two processes. The few questions of a usual push need none, see package
// direct. Objects is safe for concurrent use. If a process dies, for example because of a
// damaged object, the next question starts a new one.
type Objects struct {
	repo *Repo
	ctx  context.Context

	mu    sync.Mutex
	loose *direct.Objects
	check *batch // cat-file --batch-check
	read  *batch // cat-file --batch
}

// Objects returns a reader of the repository's objects. It works until ctx ends, and the
// caller must close it. No process is started before the first question.
func (r *Repo) Objects(ctx context.Context) (*Objects, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Objects{repo: r, ctx: ctx, loose: direct.NewObjects(r.objectDirs()...)}, nil
}

// Close ends the processes.
func (o *Objects) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range []**batch{&o.check, &o.read} {
		if *b != nil {
			(*b).stop()
			*b = nil
		}
	}
}

// Info describes the object that spec names. spec has any form of gitrevisions(7), such as
// "main^{commit}" or "<id>:.quire/ci.fnl". The error is ErrMissing if the object does not
// exist or does not have the requested type.
func (o *Objects) Info(spec string) (Info, error) {
	infos, errs := o.InfoAll([]string{spec})
	return infos[0], errs[0]
}

// InfoAll is like Info for many objects: errs[i] belongs to specs[i]. It asks all questions
// at once, so thousands take milliseconds.
func (o *Objects) InfoAll(specs []string) (infos []Info, errs []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	infos, errs = make([]Info, len(specs)), make([]error, len(specs))
	err := o.ask(&o.check, "--batch-check", specs, errs, func(i int, in Info, _ io.Reader) error {
		infos[i] = in
		return nil
	})
	for i := range errs {
		errs[i] = cmp.Or(errs[i], err)
	}
	return infos, errs
}

// Read returns the contents of the object that spec names. If it has more than limit bytes,
// Read returns an error and reads nothing.
func (o *Objects) Read(spec string, limit int64) ([]byte, error) {
	info, err := o.Info(spec)
	if err != nil {
		return nil, err
	}
	if info.Size > limit {
		return nil, fmt.Errorf("cannot read object %s: %w: %d bytes, limit %d", quoted(spec), errTooLarge, info.Size, limit)
	}
	var data []byte
	err = o.ReadAll([]string{info.OID}, func(_ int, in Info, body io.Reader) error {
		data = make([]byte, in.Size)
		_, err := io.ReadFull(body, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read object %s: %w", quoted(spec), err)
	}
	return data, nil
}

// ReadAll reads many objects and calls each for them in order, with the index of the spec
// and a reader of the contents, which need not be read to the end. Questions run ahead of
// answers. A missing object is skipped and is the error at the end. Any other error, or an
// error of each, ends the reading at once. each must not call o.
func (o *Objects) ReadAll(specs []string, each func(i int, in Info, body io.Reader) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	errs := make([]error, len(specs))
	if err := o.ask(&o.read, "--batch", specs, errs, each); err != nil {
		return err
	}
	return cmp.Or(errs...)
}

// ask asks the process in *slot, which it starts if needed. If an object does not exist,
// the error goes to errs. Any other failure ends the process and is returned.
func (o *Objects) ask(slot **batch, mode string, specs []string, errs []error,
	each func(i int, in Info, body io.Reader) error) (err error) {
	if o.ctx.Err() != nil { // the process may not have noticed yet
		return o.ctx.Err()
	}
	found, questions := o.lookUp(specs, errs)
	if questions != "" && *slot == nil {
		if *slot, err = o.repo.startBatch(o.ctx, mode); err != nil {
			*slot = nil
			return err
		}
	}
	b := *slot
	// Writing and reading are concurrent: both pipes are finite, and git answers each
	// question at once.
	written := make(chan error, 1)
	go func() {
		var err error
		if questions != "" {
			err = b.ask(questions)
		}
		written <- err
	}()
	for i, spec := range specs {
		if errs[i] != nil {
			continue
		}
		if object, ok := found[i]; ok {
			delete(found, i)
			err = each(i, object.Info, bytes.NewReader(object.Data))
		} else {
			var there bool
			there, err = b.answer(i, spec, mode == "--batch", each)
			if err == nil && !there {
				errs[i] = missing(spec)
			}
		}
		if err != nil {
			break
		}
	}
	if err == nil && questions != "" {
		err = b.finish()
	}
	if err != nil {
		*slot = nil
		if b != nil {
			err = b.fail(o.ctx, err)
		}
		<-written
		return err
	}
	return <-written
}

// lookUp returns the objects that it finds without git, by the index of their spec, and
// the lines that ask git about the others. For objects that do not exist it sets errs.
func (o *Objects) lookUp(specs []string, errs []error) (found map[int]direct.Object, questions string) {
	found = map[int]direct.Object{}
	var lines strings.Builder
	misses, size := 0, int64(0)
	for i, spec := range specs {
		// A question is a line: a line break would make it two, and every later answer
		// would be taken for the answer to another question.
		if strings.ContainsAny(spec, "\n\x00") || spec == "" {
			errs[i] = missing(spec)
			continue
		}
		if misses < maxMisses && size < maxFound {
			object, err := o.loose.Find(spec)
			if err == nil {
				found[i] = object
				size += object.Size
				continue
			}
			if errors.Is(err, ErrMissing) {
				errs[i] = missing(spec)
				continue
			}
			misses++
		}
		lines.WriteString(spec)
		lines.WriteByte('\n')
	}
	return found, lines.String()
}

func missing(spec string) error {
	return fmt.Errorf("cannot find object %s: %w", quoted(spec), ErrMissing)
}

// parseInfo parses the header of an answer, `<id> <type> <size>`. For `<spec> missing` and
// `<spec> ambiguous` the error is ErrMissing.
func parseInfo(line string) (Info, error) {
	oid, rest, _ := strings.Cut(line, " ")
	kind, length, _ := strings.Cut(rest, " ")
	if size, err := strconv.ParseInt(length, 10, 64); err == nil && size >= 0 {
		return Info{OID: oid, Type: kind, Size: size}, nil
	}
	for _, end := range []string{" missing", " ambiguous", " submodule"} {
		if strings.HasSuffix(line, end) {
			return Info{}, ErrMissing
		}
	}
	return Info{}, fmt.Errorf("unexpected answer %s", quoted(line))
}
