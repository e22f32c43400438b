// Package direct reads a repository without starting git: loose objects and plain
// configuration. Nothing else of git is implemented again.
//
// Starting `git cat-file` to ask about one commit takes longer than everything else that
// a push without a pipeline costs, and the objects of a push are loose
// (receive.unpackLimit in git-config(1)). Whatever is unusual, such as a packed, large or
// damaged object, or a quote or an include in a configuration file, is left to git: the
// error is ErrAskGit, or ok is false. Package git is the only caller, and falls back.
package direct
