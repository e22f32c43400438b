package fennel

import (
	"fmt"
	"strings"
	"testing"
)

// pipeline is a pipeline of typical size.
const pipeline = `(local ci (require :quire.ci))
(ci.image "debian:12")

(fn make [sh target]
  "Runs one target of the Makefile."
  (let [{: exit : stdout} (sh [:make target] {:check false :timeout "10m"})]
    (if (= exit 0)
        stdout
        (error (.. "make " target " failed")))))

(ci.job :build [:quire/push]
  (fn [{: sh}] (make sh :all)))

(ci.job :test [:build]
  (fn [{: sh : jobs : log}]
    (let [push (jobs :quire/push)]
      (log (.. "testing " push.sha))
      (each [_ suite (ipairs [:unit :race :fuzz])]
        (make sh suite)))))

(ci.job :deploy [:test]
  (fn [{: sh : jobs : secret}]
    (case (jobs :quire/push)
      (where {: branch} (= branch :main)) (sh "make deploy" {:env {:TOKEN (secret :token)}})
      {: tag} (sh [:make :release tag]))))
`

// long returns a program of about so many lines, with different functions.
func long(lines int) string {
	var b strings.Builder
	b.WriteString("(local ci (require :quire.ci))\n")
	for i := 0; i*13 < lines; i++ {
		fmt.Fprintf(&b, `(fn job-%[1]d [{: sh : jobs} opts]
  "Builds part %[1]d."
  (let [{: out : err} (sh (.. "make part-" %[1]d))
        n (length (or opts.parts []))]
    (when (> n %[1]d)
      (each [k v (pairs opts)]
        (print k v "line %[1]d")))
    (case out
      [a b & rest] (+ a b)
      (where {:x x} (> x %[1]d)) x
      nil (values nil :failed)
      _ (icollect [_ p (ipairs opts.parts)] (if (not= p :x) (.. p "-%[1]d"))))))
(ci.job :part-%[1]d [:quire/push] (lambda [ctx ?o] (job-%[1]d ctx (or ?o {:a %[1]d :b [1 2 3]}))))
`, i)
	}
	return b.String()
}

func BenchmarkCompile(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"pipeline", pipeline},
		{"500 lines", long(500)},
		{"5000 lines", long(5000)},
		{"macros", "(macro twice [x] `(do ,x ,x))\n" + strings.Repeat("(twice (print :x))\n", 500)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.src)))
			for b.Loop() {
				if _, err := Compile([]byte(c.src), Options{File: "ci.fnl", Globals: luaGlobals}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	src := []byte(long(5000))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Read(src, "ci.fnl"); err != nil {
			b.Fatal(err)
		}
	}
}
