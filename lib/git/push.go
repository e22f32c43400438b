package git

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// PushMirror pushes refspecs to the repository at remote, a URL or a path. The
// remote's answer to each ref is part of the error, where one is refused.
//
// credential is "user:password" or a token alone, for http and https; "" for
// none. It is in the environment of git only, so that no list of processes shows
// it, and goes to the host of remote and to no other: a redirect is an error
// rather than followed. A remote that itself holds a password is refused, since
// git would show it in its arguments.
//
// No hook and no credential helper runs, nobody is asked for a password, and
// only the transports http, https, ssh, git and file are used: others, such as
// ext, run programs that the remote's name chooses.
func (r *Repo) PushMirror(ctx context.Context, remote string, refspecs []string, credential string) error {
	settings, err := mirrorSettings(remote, credential)
	if err != nil {
		return fmt.Errorf("cannot push to mirror: %w", err)
	}
	args := append([]string{"push", "--quiet", "--no-verify", "--", remote}, refspecs...)
	cmd := r.command(ctx, args...)
	cmd.Env = append(cmd.Env,
		"GIT_ALLOW_PROTOCOL=http:https:ssh:git:file",
		"GIT_ASKPASS=", // empty: not core.askPass or SSH_ASKPASS either
		"GIT_SSH_COMMAND=ssh -o BatchMode=yes",
	)
	cmd.Env = append(cmd.Env, configEnv(settings)...)
	_, err = finish(ctx, cmd, "push")
	if e, ok := errors.AsType[*Error](err); ok && strings.Contains(e.Message, "terminal prompts disabled") {
		// What git says here is about its prompt, which is beside the point.
		e.Message = "the remote wants a credential"
		if credential != "" {
			e.Message = "the remote refused the credential"
		}
	}
	if err != nil {
		return fmt.Errorf("cannot push to mirror %s: %w", quoted(remote), err)
	}
	return nil
}

// tokenUser is the user name for a token that comes without one. Any will do for
// GitHub, GitLab and Gitea; Bitbucket wants this one.
const tokenUser = "x-token-auth"

// mirrorSettings returns the configuration, as pairs of key and value, of a push
// to remote.
func mirrorSettings(remote, credential string) ([][2]string, error) {
	// An empty helper clears the list of those configured before it.
	settings := [][2]string{{"credential.helper", ""}}
	scheme, user, host := splitURL(remote)
	port := host[strings.LastIndexAny(host, ":]")+1:]
	if strings.ContainsFunc(remote, unicode.IsControl) || strings.Contains(host, ":") && strings.Trim(port, "0123456789") != "" {
		return nil, errors.New("the url is not a valid one") // and what looks like a port may be a password
	}
	if strings.Contains(user, ":") {
		return nil, errors.New("the url holds a password: give it as a secret")
	}
	if credential == "" {
		return settings, nil
	}
	if scheme != "http" && scheme != "https" || host == "" {
		return nil, fmt.Errorf("%s takes no secret: only http and https do", quoted(remote))
	}
	credential = strings.TrimRight(credential, "\r\n") // a file ends with a line break
	if !strings.Contains(credential, ":") {
		credential = tokenUser + ":" + credential
	}
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credential))
	section := "http." + scheme + "://" + host + "/."
	return append(settings,
		[2]string{section + "extraHeader", header},
		// Git keeps sending the header after a redirect, to whichever host that names.
		[2]string{section + "followRedirects", "false"},
	), nil
}

// splitURL returns the parts of a URL that a credential depends on, see RFC 3986,
// section 3; all are empty for a path and for ssh's host:path. The user is what stands
// before the last '@' of the authority, so that nothing of a password is ever taken for
// the host. Package net/url would do it, and take a thirtieth of a command's start.
func splitURL(url string) (scheme, user, host string) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return "", "", ""
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	at := strings.LastIndexByte(authority, '@')
	return scheme, authority[:max(at, 0)], authority[at+1:]
}

// configEnv returns variables that give git the settings as `-c` would, see
// GIT_CONFIG_COUNT in git-config(1).
func configEnv(settings [][2]string) []string {
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(settings))}
	for i, s := range settings {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+s[0], "GIT_CONFIG_VALUE_"+n+"="+s[1])
	}
	return env
}
