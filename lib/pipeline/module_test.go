package pipeline

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

const oneJob = `(local ci (require :quire.ci)) (ci.job :test [:quire/push] #nil) `

// TestModuleName checks that '...' is the name of a required module, also in the name of
// its macro module.
func TestModuleName(t *testing.T) {
	use := map[string]string{"name.fnl": "a", "init.fnl": "a.b"}
	for file, name := range use {
		dir := Dir + "/" + strings.ReplaceAll(name, ".", "/")
		module := dir + ".fnl"
		if file == "init.fnl" {
			module = dir + "/init.fnl"
		}
		p, err := Load(context.Background(), files(
			Fennel, oneJob+fmt.Sprintf("(let [m (require :%s)] (assert (= (m.f 3) :%s-3)))", name, name),
			module, "(import-macros {: foo} (.. ... :.use)) (local name ...) {:f (fn [x] (foo name x))}",
			dir+"/use.fnl", "{:foo (fn [name x] `(.. ,name :- ,x))}",
		), Options{})
		if err != nil {
			t.Errorf("%s: %v", module, err)
			continue
		}
		p.Close()
	}
}

// TestManyNames checks that one set can rotate many names.
func TestManyNames(t *testing.T) {
	for _, n := range []int{2, 30, 31, 45, 60} {
		var names, declare []string
		for i := range n {
			names = append(names, fmt.Sprintf("v%d", i))
			declare = append(declare, fmt.Sprintf("(var v%d %d)", i, i))
		}
		turned := append(append([]string{}, names[1:]...), names[0])
		text := oneJob + strings.Join(declare, " ") + "(set (" + strings.Join(names, " ") + ") (values " + strings.Join(turned, " ") + "))"
		for i, name := range names {
			text += fmt.Sprintf("(assert (= %s %d))", name, (i+1)%n)
		}
		p, err := Load(context.Background(), files(Fennel, text), Options{})
		if err != nil {
			t.Errorf("%d names: %v", n, err)
			continue
		}
		p.Close()
	}
}

// TestShadowedPrimitives checks that a name bound again is not taken for a primitive or
// for a run-fn.
func TestShadowedPrimitives(t *testing.T) {
	for _, text := range []string{
		"(fn [{: sh}] (let [sh (fn [a b] b)] (sh :x {:foo 1})))",
		"(fn [{: sh}] (fn sh [a b] b) (sh :x {:foo 1}))",
		"(fn [{: sh}] (each [_ sh (ipairs [print])] (sh :x {:foo 1})))",
		"(fn [{: sh}] (case [print] [sh] (sh :x {:foo 1})))",
		"(fn [{: sh}] (case print sh (sh :x {:foo 1})))",
		"(do (fn go [{: shell}] 1) (let [go (fn [{: sh}] 1)] go))",
	} {
		p, err := Load(context.Background(), files(Fennel, "(local ci (require :quire.ci)) (ci.job :test [:quire/push] "+text+")"), Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		p.Close()
	}
}
