package main

const usage = `usage: quire-trigger [OPTION...] [COMMAND [ARG...]]
Records pending runs and prints their run lines. With a COMMAND it becomes
COMMAND, which reads the run lines; without run lines COMMAND is not started.

After a push it reads lines "OLD NEW REF", as a post-receive hook gets them.
  --git-dir DIR          the repository; default $GIT_DIR
  --root DIR             the root; default $QUIRE_ROOT, else quire(7) says
  --chained HOOK         run HOOK first, with the same lines
By hand:
  --ref REF              make a run of what REF points at
  --var NAME=VALUE       with --ref, a variable for all jobs; may be repeated
  --trigger WORD         with --ref, the trigger of the run; default hand
Missed pushes:
  --missed               make the runs that pushes should have made and did not
Reruns:
  --rerun ID             make a new run of the commit of the ended run ID
  --failed               with --rerun, run only jobs that did not succeed
  --job JOB              with --rerun, run only JOB and the jobs that need it
Drive a run with the executor host:
  --run ID               drive the pending run ID to its end in this process
The hook of a repository:
  --install-hook         make quire its post-receive hook, link it in the root
  --name NAME            with --install-hook, its name, such as team/app.git
  --uninstall-hook       undo --install-hook
  --gate                 with these, also or only the pre-receive hook; alone,
                         read the lines of a push as a pre-receive hook gets
                         them, and exit 0 if Git may accept the push
`
