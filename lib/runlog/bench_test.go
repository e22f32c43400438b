package runlog

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"testing"
)

// output is what a busy build prints: lines of 75 bytes, in pieces as they come
// from a pipe.
func output() []byte {
	var b bytes.Buffer
	for i := range 64 << 10 / 75 {
		fmt.Fprintf(&b, "%07d cc -O2 -Wall -c -o build/object-file.o source/some-file.c -I include\n", i)
	}
	return b.Bytes()
}

func secrets(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprintf("secret-%d", i)] = fmt.Sprintf("ghp_%dabcdefghijklmnopqrstuvwxyz%d", i*7919, i)
	}
	return m
}

func BenchmarkRedact(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			p := output()
			w := NewRedactor(secrets(n)).Writer(io.Discard)
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				w.Write(p)
			}
		})
	}
}

func BenchmarkLog(b *testing.B) {
	p := output()
	log, err := CreateLog(filepath.Join(b.TempDir(), "sh-1.log"), DefaultMax)
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	w := log.Stream("stdout")
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		w.Write(p)
	}
}
