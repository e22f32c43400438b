package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/git"
)

// mirror runs the built-in job quire/mirror: it tags the commit if the pipeline says so, and
// pushes the refs and the tag. Its output names both.
func (j *job) mirror(ctx context.Context) (value, *failure) {
	m, r := j.spec.Mirror, j.run
	fail := func(err error) (value, *failure) {
		if ctx.Err() != nil {
			return nil, endFailure(context.Cause(ctx))
		}
		return nil, &failure{reason: reasonError, text: j.position().String() + err.Error()}
	}
	credential := ""
	if m.Secret != "" {
		var err error
		if credential, err = r.secret(m.Secret); err != nil {
			return fail(err)
		}
	}
	tag, err := j.mirrorTag(ctx)
	if err != nil {
		if ctx.Err() == nil {
			return nil, luaFailure(ctx, err) // the error names a position
		}
		return fail(err)
	}
	repo, err := git.Open(r.Facts.GitDir)
	if err != nil {
		return fail(err)
	}
	if tag != "" {
		if err := repo.Tag(ctx, tag, r.Facts.SHA); err != nil {
			return fail(err)
		}
	}
	specs, err := j.mirrorRefs(ctx, repo)
	if err != nil {
		return fail(err)
	}
	if tag != "" {
		specs = append(specs, "refs/tags/"+tag+":refs/tags/"+tag)
	}
	out := object{{"refs", toValues(specs)}}
	if tag != "" {
		out = append(out, entry{"tag", tag})
	}
	if len(specs) == 0 {
		return out, nil
	}
	r.console.command(j.spec.ID, r.redact.String("git push "+m.URL+" "+strings.Join(specs, " ")))
	if err := repo.PushMirror(ctx, m.URL, specs, credential); err != nil {
		return fail(err)
	}
	return out, nil
}

// mirrorTag calls the pipeline's function for the name of the tag, and returns "" for none.
// The function gets the same table as (jobs :quire/push) returns.
func (j *job) mirrorTag(ctx context.Context) (string, error) {
	fn := j.spec.Mirror.Tag
	if fn == nil {
		return "", nil
	}
	var tag lua.LValue
	body := j.run.vm().State().NewFunction(func(l *lua.LState) int {
		l.Push(fn)
		l.Push(toLua(pushOutput(j.run.Facts)))
		l.Call(1, 1)
		tag = l.Get(-1)
		return 0
	})
	if _, err := j.run.vm().Call(ctx, body); err != nil {
		return "", err
	}
	switch tag := tag.(type) {
	case *lua.LNilType:
		return "", nil
	case lua.LString:
		return string(tag), nil
	}
	return "", fmt.Errorf("%stag returned a %s, not a string or nil", j.position(), tag.Type())
}

// mirrorRefs returns the refspecs to push. The branch that was pushed is mirrored at the
// commit of this run. If a later push has moved it, it is not mirrored: the run of the later
// push does that. Other refs are mirrored at their current values.
func (j *job) mirrorRefs(ctx context.Context, repo *git.Repo) ([]string, error) {
	f := j.run.Facts
	refs := j.spec.Mirror.Refs
	if len(refs) == 0 {
		refs = []string{f.Ref}
	}
	var specs []string
	for _, ref := range refs {
		switch {
		case strings.Contains(ref, ":"):
			specs = append(specs, ref)
		case f.Branch() == "" || ref != f.Ref && ref != f.Branch():
			specs = append(specs, "+"+ref+":"+ref)
		default:
			now, err := repo.Refs(ctx, f.Ref)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(now, git.Ref{Name: f.Ref, OID: f.SHA}) {
				j.run.console.say(j.spec.ID, fmt.Sprintf("'%s' has moved on and is not mirrored", f.Ref))
				continue
			}
			specs = append(specs, "+"+f.SHA+":"+f.Ref)
		}
	}
	return specs, nil
}

func toValues(list []string) []value {
	out := make([]value, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
