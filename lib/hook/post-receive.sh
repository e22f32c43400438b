#!/bin/sh
# post-receive: put here by quire-trigger --install-hook, removed by --uninstall-hook.
#
# Runs the hook that was here before, if there was one, and then quire's, each with all
# lines of the push. Exits with the first status that is not 0.

hook=/usr/local/share/quire/hooks/post-receive
chained=${0%/*}/chained/post-receive # links to ../post-receive.chained

[ -x "$hook" ] ||
	echo "post-receive: quire is not at '$hook' any more: run quire-trigger --install-hook" >&2
# shellcheck disable=SC1090 # in this shell, as the start of another is felt in each push
[ -x "$chained" ] || { . "$hook"; exit; }

lines=$(cat && echo .) # with all of its line ends
# A hook need not read them. Git may have SIGPIPE ignored, and printf would complain.
printf %s "${lines%.}" 2>/dev/null | "$chained" "$@"
first=$?
printf %s "${lines%.}" | "$hook" "$@"
second=$?
[ "$first" = 0 ] || exit "$first"
exit "$second"
