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

// PushMirror pushes refspecs to the repository at remote, a URL or a path. If the remote
// refuses a ref, the error contains the remote's answers.
//
// credential is "user:password" or just a token, for http and https; "" for none. It is
// only in git's environment, so no list of processes shows it. It is sent only to the host
// of remote: a redirect is an error and is not followed. A remote that contains a password
// is refused, because it would be visible in git's arguments.
//
// No hook and no credential helper runs, git never asks for a password, and only the
// transports http, https, ssh, git and file are allowed: others, such as ext, run programs
// that the remote's name chooses.
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
	_, err = runGit(ctx, cmd, "push")
	if e, ok := errors.AsType[*Error](err); ok && strings.Contains(e.Message, "terminal prompts disabled") {
		// Git's own message is only about its prompt.
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

// tokenUser is the user name for a token without one. GitHub, GitLab and Gitea accept any;
// Bitbucket requires this one.
const tokenUser = "x-token-auth"

// mirrorSettings returns the configuration, as pairs of key and value, of a push
// to remote.
func mirrorSettings(remote, credential string) ([][2]string, error) {
	// An empty helper clears the list of configured helpers.
	settings := [][2]string{{"credential.helper", ""}}
	scheme, user, host := splitURL(remote)
	port := host[strings.LastIndexAny(host, ":]")+1:]
	if strings.ContainsFunc(remote, unicode.IsControl) || strings.Contains(host, ":") && strings.Trim(port, "0123456789") != "" {
		return nil, errors.New("the url is not valid") // it is not shown: the port may be a password
	}
	if strings.Contains(user, ":") {
		return nil, errors.New("the url contains a password: use a secret")
	}
	if credential == "" {
		return settings, nil
	}
	if scheme != "http" && scheme != "https" || host == "" {
		return nil, fmt.Errorf("%s takes no secret: only http and https do", quoted(remote))
	}
	credential = strings.TrimRight(credential, "\r\n") // files end with a line break
	if !strings.Contains(credential, ":") {
		credential = tokenUser + ":" + credential
	}
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credential))
	section := "http." + scheme + "://" + host + "/."
	return append(settings,
		[2]string{section + "extraHeader", header},
		// After a redirect git would send the header to the other host, too.
		[2]string{section + "followRedirects", "false"},
	), nil
}

// splitURL returns the parts of a URL on which a credential depends, see RFC 3986, section
// 3. For a path and for ssh's host:path all are empty. The user ends at the last '@' of the
// authority, so that no part of a password is taken for the host. Package net/url could do
// this, but would take a thirtieth of a command's start.
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

// configEnv returns variables that have the same effect as git's option -c for each setting,
// see GIT_CONFIG_COUNT in git-config(1).
func configEnv(settings [][2]string) []string {
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(settings))}
	for i, s := range settings {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+s[0], "GIT_CONFIG_VALUE_"+n+"="+s[1])
	}
	return env
}
