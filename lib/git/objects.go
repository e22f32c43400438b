package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Errors of an object that was asked for. They come wrapped, with its name.
var (
	ErrMissing  = errors.New("no such object")
	ErrTooLarge = errors.New("too large")
)

// Info is what is known of an object without reading it.
type Info struct {
	OID  string // full, in hexadecimal
	Type string // commit, tree, blob or tag
	Size int64  // in bytes
}

// Objects reads a repository's objects through long-lived processes: one that
// tells what an object is, and one, started when it is first needed, that reads.
// So thousands of questions cost two processes, and the few of a usual push none,
// see looseStore. It may be used by many
// goroutines, which take turns. A process that died, by a damaged object say, is
// replaced at the next question.
type Objects struct {
	repo *Repo
	ctx  context.Context

	mu    sync.Mutex
	loose *looseStore
	check *batch // cat-file --batch-check
	read  *batch // cat-file --batch
}

// Objects returns a reader of the repository's objects that is good until ctx
// ends. Close it. No process is started before the first question.
func (r *Repo) Objects(ctx context.Context) (*Objects, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Objects{repo: r, ctx: ctx, loose: r.newLooseStore()}, nil
}

// Close ends the processes.
func (o *Objects) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
	return nil
}

func (o *Objects) drop() {
	for _, b := range []**batch{&o.check, &o.read} {
		if *b != nil {
			(*b).stop()
			*b = nil
		}
	}
}

// Info tells what spec names, in any way that gitrevisions(7) knows, such as
// "main^{commit}" or "<id>:.quire/ci.fnl". What is not there, or not of the asked
// type, is ErrMissing.
func (o *Objects) Info(spec string) (oid, kind string, size int64, err error) {
	infos, errs := o.InfoAll([]string{spec})
	return infos[0].OID, infos[0].Type, infos[0].Size, errs[0]
}

// InfoAll is Info of many: errs[i] belongs to specs[i]. The questions are all
// under way at once, so that thousands take milliseconds.
func (o *Objects) InfoAll(specs []string) (infos []Info, errs []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	infos, errs = make([]Info, len(specs)), make([]error, len(specs))
	err := o.ask(&o.check, "--batch-check", specs, errs, func(i int, in Info, _ io.Reader) error {
		infos[i] = in
		return nil
	})
	fill(errs, err)
	return infos, errs
}

// Read returns the contents of the object that spec names. More than limit bytes
// is ErrTooLarge, and then nothing is read.
func (o *Objects) Read(spec string, limit int64) ([]byte, error) {
	oid, _, size, err := o.Info(spec)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("cannot read object %s: %w: %d bytes, limit %d", quoted(spec), ErrTooLarge, size, limit)
	}
	var data []byte
	err = o.ReadAll([]string{oid}, func(_ int, in Info, body io.Reader) error {
		data = make([]byte, in.Size)
		_, err := io.ReadFull(body, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read object %s: %w", quoted(spec), err)
	}
	return data, nil
}

// ReadAll reads many objects and hands them to each in order, with the index of the
// spec and a reader of the contents, which need not be read to the end. The questions run ahead of the answers. An object that is not
// there is passed over and is the error in the end; any other error, or one of
// each's, ends it at once. each must not ask o anything.
func (o *Objects) ReadAll(specs []string, each func(i int, in Info, body io.Reader) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	errs := make([]error, len(specs))
	if err := o.ask(&o.read, "--batch", specs, errs, each); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ask puts questions to the process in *slot, which it starts where there is none
// and one is needed. An answer that there is no such object goes to errs; any
// other failure ends the process and is returned.
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
	// Written beside the reading: both pipes are finite, and git answers as it is asked.
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
			err = each(i, object.Info, bytes.NewReader(object.data))
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

// lookUp returns the objects that are found without git, by the index of their
// spec, and the lines to ask git about the others. What is not there goes to errs.
func (o *Objects) lookUp(specs []string, errs []error) (found map[int]looseObject, questions string) {
	found = map[int]looseObject{}
	var lines strings.Builder
	vain, size := 0, int64(0)
	for i, spec := range specs {
		// One question a line: a line break would make it two, and every later
		// answer would be taken for that of another question.
		if strings.ContainsAny(spec, "\n\x00") || spec == "" {
			errs[i] = missing(spec)
			continue
		}
		if vain < strangers && size < maxFound {
			object, err := o.loose.find(spec)
			if err == nil {
				found[i] = object
				size += object.Size
				continue
			}
			if errors.Is(err, ErrMissing) {
				errs[i] = missing(spec)
				continue
			}
			vain++
		}
		lines.WriteString(spec)
		lines.WriteByte('\n')
	}
	return found, lines.String()
}

func missing(spec string) error {
	return fmt.Errorf("cannot find object %s: %w", quoted(spec), ErrMissing)
}

// fill gives err to all that have no error of their own, where err is one.
func fill(errs []error, err error) {
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
}

// parseInfo reads the header of an answer, `<id> <type> <size>`. An answer that
// ends otherwise, `<spec> missing` or `<spec> ambiguous`, is ErrMissing.
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
