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
// Git takes the length of an object that it copies from its file for what the
// header in there says, and copies what there is. Of a damaged one that can be
// less, and whoever waits for the rest waits for ever. So the questions of each
// call end with one of a name that nothing has and nobody can know, and nothing is
// read beyond the answer to that.
type batch struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *answers
	out     *bufio.Reader // of answers
	body    io.LimitedReader
	stderr  *tail
}

// errDamaged says that an object is longer or shorter than it says.
var errDamaged = errors.New("the object is damaged: its length is not what it says")

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
	// No name has two dots, so that git need not look for it.
	name := fmt.Sprintf("quire..%016x", rand.Uint64())
	b.in, b.answers = in, &answers{in: out, name: name, last: []byte(name + " missing\n")}
	b.out = bufio.NewReaderSize(b.answers, 256<<10)
	return b, nil
}

// answers reads what git prints, up to the answer to the last question.
type answers struct {
	in   io.Reader
	name string // that the last question is about
	last []byte // the answer to it
	end  []byte // of what was read, as long as last
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

// ask writes questions, each a line, and the last one. Then it is for the answers
// to be read, with next, and finish after all.
func (b *batch) ask(questions string) error {
	_, err := io.WriteString(b.in, questions+b.answers.name+"\n")
	return err
}

// finish reads the answer to the last question, when all others have been.
func (b *batch) finish() error {
	line, err := b.out.ReadString('\n')
	if err == nil && line != string(b.answers.last) {
		err = errDamaged
	}
	b.answers.end = nil
	return err
}

// answer reads the next answer, which is to be the one about spec, and calls each
// with i and it, which may read the contents where the batch has any. It tells
// whether there is such an object.
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

// skip reads what is left of the body and the line break after it.
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

// stop ends the process, which ends by itself when it has no more questions.
// Its status tells nothing: there may be answers nobody waited for.
func (b *batch) stop() {
	b.in.Close()
	b.cmd.Process.Kill() //nolint // it may be gone already
	b.cmd.Wait()
}

// fail ends the process after err and returns the better reason of the two: what
// git wrote when it died, or err itself.
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
