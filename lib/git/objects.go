package git

import (
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
// So thousands of questions cost two processes. It may be used by many
// goroutines, which take turns. A process that died, by a damaged object say, is
// replaced at the next question.
type Objects struct {
	repo *Repo
	ctx  context.Context

	mu    sync.Mutex
	check *batch // cat-file --batch-check
	read  *batch // cat-file --batch
}

// Objects returns a reader of the repository's objects that is good until ctx
// ends. Close it. No process is started before the first question.
func (r *Repo) Objects(ctx context.Context) (*Objects, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &Objects{repo: r, ctx: ctx}, nil
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
		return nil, err
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

// ask puts questions to the process in *slot, which it starts where there is
// none. An answer that there is no such object goes to errs; any other failure
// ends the process and is returned.
func (o *Objects) ask(slot **batch, mode string, specs []string, errs []error,
	each func(i int, in Info, body io.Reader) error) error {
	var lines strings.Builder
	asked := make([]int, 0, len(specs)) // the index of each question that is put
	for i, spec := range specs {
		// One question a line: a line break would make it two, and every later
		// answer would be taken for that of another question.
		if strings.ContainsAny(spec, "\n\x00") || spec == "" {
			errs[i] = missing(spec)
			continue
		}
		lines.WriteString(spec)
		lines.WriteByte('\n')
		asked = append(asked, i)
	}
	if len(asked) == 0 {
		return nil
	}
	if o.ctx.Err() != nil { // the process may not have noticed yet
		return o.ctx.Err()
	}
	if *slot == nil {
		b, err := o.repo.startBatch(o.ctx, mode)
		if err != nil {
			return err
		}
		*slot = b
	}
	b := *slot
	// Written beside the reading: both pipes are finite, and git answers as it is asked.
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(b.in, lines.String())
		written <- err
	}()
	for _, i := range asked {
		in, body, err := b.next(mode == "--batch")
		switch {
		case errors.Is(err, ErrMissing):
			errs[i] = missing(specs[i])
			continue
		case err == nil:
			if err = each(i, in, body); err == nil {
				err = b.skip(body)
			}
		}
		if err != nil {
			*slot = nil
			err = b.fail(o.ctx, err)
			<-written
			return err
		}
	}
	return <-written
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
	for _, end := range []string{" missing", " ambiguous", " submodule"} {
		if strings.HasSuffix(line, end) {
			return Info{}, ErrMissing
		}
	}
	fields := strings.Split(line, " ")
	if len(fields) != 3 {
		return Info{}, fmt.Errorf("unexpected answer %s", quoted(line))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return Info{}, fmt.Errorf("unexpected answer %s", quoted(line))
	}
	return Info{OID: fields[0], Type: fields[1], Size: size}, nil
}
