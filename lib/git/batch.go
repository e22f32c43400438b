package git

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// batch is one `git cat-file --batch` or `--batch-check`.
type batch struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
}

func (r *Repo) startBatch(ctx context.Context, args ...string) (*batch, error) {
	cmd := r.command(ctx, append([]string{"cat-file"}, args...)...)
	b := &batch{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = b.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, failure(ctx, "cat-file", err, b.stderr)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, failure(ctx, "cat-file", err, b.stderr)
	}
	if err := cmd.Start(); err != nil {
		return nil, failure(ctx, "cat-file", err, b.stderr)
	}
	widen(out)
	b.in, b.out = in, bufio.NewReaderSize(out, 256<<10)
	return b, nil
}

// pipeSize is that of the pipe from git, in bytes: what Linux allows without
// privileges, see pipe(7). With the usual 64 KiB the two processes wait for each other at
// nearly every object, which takes a fifth more time in all.
const pipeSize = 1 << 20

// widen makes the pipe larger. Where that fails, it is slower and no less right.
func widen(pipe io.ReadCloser) {
	f, ok := pipe.(*os.File)
	if !ok {
		return
	}
	if conn, err := f.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}

// next reads the header of the next answer. With contents, body reads the bytes
// that follow it; skip must be called before the next one.
func (b *batch) next(contents bool) (in Info, body *io.LimitedReader, err error) {
	line, err := b.out.ReadString('\n')
	if err != nil {
		return Info{}, nil, err
	}
	in, err = parseInfo(strings.TrimSuffix(line, "\n"))
	if err == nil && contents {
		body = &io.LimitedReader{R: b.out, N: in.Size}
	}
	return in, body, err
}

// skip reads what is left of body and the line break after it.
func (b *batch) skip(body *io.LimitedReader) error {
	if body == nil {
		return nil
	}
	left := body.N + 1
	for left > 0 {
		n, err := b.out.Discard(int(min(left, 1<<20)))
		left -= int64(n)
		if err != nil {
			return err
		}
	}
	return nil
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
