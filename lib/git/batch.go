package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
)

// batch is one `git cat-file --batch` or `--batch-check`.
//
// For a damaged object, git may announce more bytes than it sends, and a reader would wait
// forever. So each call ends its questions with a random name, and never reads beyond the
// answer that this name is missing.
type batch struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *answers
	out     *bufio.Reader // of answers
	body    io.LimitedReader
	stderr  *tail
}

// errDamaged says that an object's length differs from its header.
var errDamaged = errors.New("the object is damaged: its length differs from its header")

func (r *Repo) startBatch(ctx context.Context, mode string) (*batch, error) {
	cmd := r.command(ctx, "cat-file", mode)
	b := &batch{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = b.stderr
	in, err := cmd.StdinPipe()
	var out io.Reader
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, failure(ctx, "cat-file", err, b.stderr)
	}
	// A name with two dots is invalid, so git does not search for it.
	name := fmt.Sprintf("quire..%016x", rand.Uint64())
	b.in, b.answers = in, &answers{in: out, name: name, last: []byte(name + " missing\n")}
	b.out = bufio.NewReaderSize(b.answers, 256<<10)
	return b, nil
}

// answers reads git's output, up to the answer to the last question.
type answers struct {
	in   io.Reader
	name string // in the last question
	last []byte // the answer to it
	end  []byte // the last bytes read, at most as many as last has
}

func (a *answers) Read(p []byte) (int, error) {
	if bytes.Equal(a.end, a.last) {
		return 0, errDamaged
	}
	n, err := a.in.Read(p)
	a.end = append(a.end, p[max(0, n-len(a.last)):n]...)
	a.end = a.end[max(0, len(a.end)-len(a.last)):]
	return n, err
}

// ask writes questions, one a line, and the last one. The caller then reads the answers
// with answer, and calls finish.
func (b *batch) ask(questions string) error {
	_, err := io.WriteString(b.in, questions+b.answers.name+"\n")
	return err
}

// finish reads the answer to the last question, after all others.
func (b *batch) finish() error {
	line, err := b.out.ReadString('\n')
	if err == nil && line != string(b.answers.last) {
		err = errDamaged
	}
	b.answers.end = nil
	return err
}

// answer reads the next answer, which must be about spec. If the object exists, answer calls
// each with i and the object; with contents, each may read the object's contents. answer
// reports whether the object exists.
func (b *batch) answer(i int, spec string, contents bool, each func(i int, in Info, body io.Reader) error) (there bool, err error) {
	line, err := b.out.ReadString('\n')
	if err != nil {
		return false, err
	}
	in, err := parseInfo(line[:len(line)-1])
	if errors.Is(err, ErrMissing) {
		return false, nil
	}
	if err == nil && IsID(spec) && in.OID != spec {
		err = errDamaged
	}
	if err != nil {
		return false, fmt.Errorf("cannot read object %s: %w", quoted(spec), err)
	}
	if !contents {
		return true, each(i, in, nil)
	}
	b.body = io.LimitedReader{R: b.out, N: in.Size}
	if err := each(i, in, &b.body); err != nil {
		return true, err
	}
	if err := b.skip(); err != nil {
		return true, fmt.Errorf("cannot read object %s: %w", quoted(spec), err)
	}
	return true, nil
}

// skip reads the rest of the body and the line break after it.
func (b *batch) skip() error {
	for b.body.N > 0 {
		n, err := b.out.Discard(int(min(b.body.N, 1<<20)))
		b.body.N -= int64(n)
		if err != nil {
			return err
		}
	}
	end, err := b.out.ReadByte()
	if err == nil && end != '\n' {
		err = errDamaged
	}
	return err
}

// stop ends the process. It ignores the exit status, because answers may be unread.
func (b *batch) stop() {
	b.in.Close()
	_ = b.cmd.Process.Kill() // it may be gone already
	b.cmd.Wait()
}

// fail ends the process after err. If err is the end of the output, it returns git's own
// error message, otherwise err itself.
func (b *batch) fail(ctx context.Context, err error) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if !ended {
		b.stop()
		return err
	}
	b.in.Close()
	status := b.cmd.Wait()
	if status == nil {
		status = io.ErrUnexpectedEOF
	}
	return failure(ctx, "cat-file", status, b.stderr)
}
