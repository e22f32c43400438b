// Package direct reads a repository without starting git: loose objects and simple
// configuration files. It implements no other part of git.
//
// Starting `git cat-file` to ask about one commit takes longer than all other work for a
// push without a pipeline, and the objects of a push are loose (receive.unpackLimit in
// git-config(1)). Unusual cases, such as a packed, large or damaged object, or a quote or an
// include in a configuration file, are left to git: the error is ErrAskGit, or ok is false.
// Package git is the only caller, and then asks git.
package direct
