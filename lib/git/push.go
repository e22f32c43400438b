package git

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
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
	u, err := url.Parse(remote)
	if err != nil {
		if strings.Contains(remote, "://") { // err has the url, which may hold a password
			return nil, errors.New("the url is not a valid one")
		}
		u = &url.URL{} // a path, or ssh's host:path
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("the url holds a password: give it as a secret")
	}
	if credential == "" {
		return settings, nil
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s takes no secret: only http and https do", quoted(remote))
	}
	credential = strings.TrimRight(credential, "\r\n") // a file ends with a line break
	if !strings.Contains(credential, ":") {
		credential = tokenUser + ":" + credential
	}
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credential))
	host := "http." + u.Scheme + "://" + u.Host + "/."
	return append(settings,
		[2]string{host + "extraHeader", header},
		// Git keeps sending the header after a redirect, to whichever host that names.
		[2]string{host + "followRedirects", "false"},
	), nil
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
