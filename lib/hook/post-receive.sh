#!/bin/sh
# post-receive: put here by quire-trigger --install-hook, removed by --uninstall-hook.
#
# Runs the hook that was here before, if there was one, and then quire's, each with all
# lines of the push. Exits with the first status that is not 0.

hook=/usr/local/share/quire/hooks/post-receive
chained=${0%/*}/chained/post-receive # links to ../post-receive.chained

set --
[ ! -x "$chained" ] || set -- --chained "$chained"
# shellcheck disable=SC1090 # in this shell, as the start of another is felt in each push
[ ! -x "$hook" ] || { . "$hook"; exit; }

echo "post-receive: quire is not at '$hook' any more: run quire-trigger --install-hook" >&2
[ $# -eq 0 ] || "$2" || exit
exit 127
