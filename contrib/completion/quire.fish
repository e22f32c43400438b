# fish completion of quire's commands; see quire(7)

# Runs quire-runstate on the root that the line names.
function __quire_runstate
	quire-runstate (__quire_option --root) $argv 2>/dev/null
end

# An option and its value, if the line has it.
function __quire_option
	set -l words (commandline -opc)
	set -l at (contains -i -- $argv $words)
	and printf '%s\n' $argv $words[(math $at + 1)]
end

# Runs by id and by REPO@REF, with descriptions: __quire_runs [STATES].
function __quire_runs
	set -l states
	test -n "$argv[1]"; and set states --state $argv[1]
	__quire_runstate list --limit 500 $states | awk -F '\t' '{ sub("^refs/(heads|tags)/", "", $4)
		print $1 "\t" $2 " " $3 " " $4; if (!seen[$3 "@" $4]++) print $3 "@" $4 "\t" $2 }'
end

function __quire_repos; __quire_runstate list --limit 500 | cut -f 3 | sort -u; end
function __quire_refs; git for-each-ref --format='%(refname)' 2>/dev/null; end
function __quire_commits; git for-each-ref --format='%(refname:short)' 2>/dev/null; end
function __quire_jobs; quire-ci validate (__quire_option --workspace) 2>/dev/null | cut -f 1; end

# The jobs of the run that is on the line.
function __quire_run_jobs
	__quire_runstate show (__quire_operands)[2] | sed -En '/[\\]/d; s/^job	(.*) [a-z]+( reason=[a-z-]+)?( allowed=true)?$/\1/p'
end

# The words after the command, without options and the values of the options that usually
# come before operands.
function __quire_operands
	set -l skip
	for word in (commandline -opc)[2..]
		if test -n "$skip"
			set skip
		else if contains -- $word --root --workspace --job --note --reason --code --by --timeout --grace
			set skip yes
		else if not string match -q -- '-*' $word
			echo $word
		end
	end
end

# Whether there is no subcommand yet; whether it is one of the given ones; whether it is one
# of them and has N operands: __quire_at N SUBCOMMAND...
function __quire_none; test (count (__quire_operands)) = 0; end
function __quire_in; contains -- (__quire_operands)[1] $argv; end
function __quire_at
	set -l operands (__quire_operands)
	test (count $operands) = (math $argv[1] + 1); and contains -- $operands[1] $argv[2..]
end

set -l all quire-trigger quire-materialize quire-ci quire-runstate quire-web quire-dispatch
for command in $all
	complete -c $command -f -l help -d usage
	complete -c $command -f -l version -d version
end

complete -c quire-dispatch -f -s w -d 'wait, and show the logs'

complete -c quire-trigger -l root -x -a '(__fish_complete_directories)' -d 'the root'
complete -c quire-trigger -l git-dir -x -a '(__fish_complete_directories)' -d 'the repository'
complete -c quire-trigger -l ref -x -a '(__quire_refs)' -d 'make a run of a ref'
complete -c quire-trigger -l var -x -d 'a variable for jobs'
complete -c quire-trigger -l trigger -x -d 'the trigger of the run'
complete -c quire-trigger -l missed -d 'make the runs that pushes should have made'
complete -c quire-trigger -l run -x -a '(__quire_runs pending)' -d 'drive a pending run'
complete -c quire-trigger -l rerun -x -a '(__quire_runs ended)' -d 'run a commit again'
complete -c quire-trigger -l failed -d 'only jobs that did not succeed'
complete -c quire-trigger -l job -x -d 'only this job, and jobs that need it'
complete -c quire-trigger -l gate -d 'the pre-receive hook'
complete -c quire-trigger -l chained -r -F -d 'run a hook first'
complete -c quire-trigger -l install-hook -d 'put the hook into a repository'
complete -c quire-trigger -l name -x -d 'its name in the root'
complete -c quire-trigger -l uninstall-hook -d 'undo --install-hook'

complete -c quire-web -l root -x -a '(__fish_complete_directories)' -d 'the root'
complete -c quire-web -l listen -x -d 'serve the pages on an address'
complete -c quire-web -l export -x -a '(__fish_complete_directories)' -d 'write the pages as files'
complete -c quire-materialize -l root -x -a '(__fish_complete_directories)' -d 'the root'
complete -c quire-materialize -l git-dir -x -a '(__fish_complete_directories)' -d 'the repository'
complete -c quire-materialize -l reuse -d "change the directory into the commit's tree"
complete -c quire-materialize -l keep-ignored -d 'leave files that git ignores'
complete -c quire-materialize -l lfs -d 'write files instead of their pointers'
complete -c quire-materialize -l with-git -d 'give the workspace a .git'
complete -c quire-materialize -l submodules -d 'write submodules too'
complete -c quire-materialize -l run -x -a '(__quire_runs pending)' -d 'the commit and workspace of a run'
complete -c quire-materialize -f -n __quire_none -a '(__quire_commits)'
complete -c quire-materialize -f -n 'not __quire_none' -a '(__fish_complete_directories)'

complete -c quire-ci -f -n __quire_none -a validate -d 'check the pipeline'
complete -c quire-ci -f -n __quire_none -a run -d 'run the pipeline'
complete -c quire-ci -f -n __quire_none -a shell -d 'start a shell or a command as in a job'
complete -c quire-ci -f -n __quire_none -a compile -d 'print the Lua that a file compiles to'
complete -c quire-ci -f -n __quire_none -a graph -d 'print the job graph in DOT'
complete -c quire-ci -f -n __quire_none -a launch -d 'run a recorded run'
complete -c quire-ci -f -n __quire_none -a seccomp -d 'internal: print the system call filter'
complete -c quire-ci -f -n __quire_none -a init -d 'write a pipeline to begin with'
complete -c quire-ci -n '__quire_in init' -l lua -d 'write ci.lua'
complete -c quire-ci -n '__quire_in init validate run shell graph' -l workspace -x -a '(__fish_complete_directories)' -d 'the directory of the pipeline'
complete -c quire-ci -n '__quire_in run' -l out -x -a '(__fish_complete_directories)' -d 'where the records go'
complete -c quire-ci -n '__quire_in run' -l cache -x -a '(__fish_complete_directories)' -d 'the directory that QUIRE_CACHE names'
complete -c quire-ci -n '__quire_in run' -l secrets -r -F -d 'a JSON object of names and values'
complete -c quire-ci -n '__quire_in run shell' -l facts -r -F -d 'the facts of the push'
complete -c quire-ci -n '__quire_in run shell' -l ref -x -a '(__quire_refs)' -d 'the ref, instead of the fact'
complete -c quire-ci -n '__quire_in run shell' -l sha -x -d 'the commit, instead of the fact'
complete -c quire-ci -n '__quire_in run shell' -l trigger -x -d 'the trigger, instead of the fact'
complete -c quire-ci -n '__quire_in run shell' -l job -x -a '(__quire_jobs)' -d 'a job'
complete -c quire-ci -n '__quire_in run shell' -l var -x -d 'a variable for jobs'
complete -c quire-ci -n '__quire_in run shell' -l env -x -a '(set -nx)' -d 'a variable that jobs keep'
complete -c quire-ci -n '__quire_in run' -s j -x -d 'jobs at once'
complete -c quire-ci -n '__quire_in run' -l timeout -x -d 'end the run after this time'
complete -c quire-ci -n '__quire_in run' -l grace -x -d 'between TERM and KILL'
complete -c quire-ci -n '__quire_in run' -l fail-fast -d 'end the run at the first job that fails'
complete -c quire-ci -n '__quire_in run' -s n -l dry-run -d 'print the plan and run nothing'
complete -c quire-ci -n '__quire_in shell' -s c -x -d 'run this'
complete -c quire-ci -n '__quire_in shell launch' -l root -x -a '(__fish_complete_directories)' -d 'the root'
complete -c quire-ci -n '__quire_in compile' -l strict -d 'refuse unknown globals'
complete -c quire-ci -n '__quire_in compile' -l no-strict -d 'accept unknown globals'
complete -c quire-ci -f -n '__quire_at 0 shell' -a '(__quire_runs)'
complete -c quire-ci -f -n '__quire_at 0 launch' -a '(__quire_runs pending)'

complete -c quire-runstate -l root -x -a '(__fish_complete_directories)' -d 'the root'
complete -c quire-runstate -f -n __quire_none -a create -d 'record a pending run'
complete -c quire-runstate -f -n __quire_none -a transition -d 'change the state of a run'
complete -c quire-runstate -f -n __quire_none -a exec -d 'drive a run with a command'
complete -c quire-runstate -f -n __quire_none -a list -d 'list runs, newest first'
complete -c quire-runstate -f -n __quire_none -a show -d 'show all facts of a run'
complete -c quire-runstate -f -n __quire_none -a log -d 'print or follow the log of a run'
complete -c quire-runstate -f -n __quire_none -a artifacts -d 'list the files that jobs left'
complete -c quire-runstate -f -n __quire_none -a wait -d 'wait until runs have ended'
complete -c quire-runstate -f -n __quire_none -a cancel -d 'end runs that have not ended'
complete -c quire-runstate -f -n __quire_none -a pause -d 'keep further runs from beginning'
complete -c quire-runstate -f -n __quire_none -a resume -d 'let runs begin again'
complete -c quire-runstate -f -n __quire_none -a reconcile -d 'repair the state after crashes'
complete -c quire-runstate -f -n __quire_none -a notify -d 'run the programs of on-end.d for ended runs'
complete -c quire-runstate -f -n __quire_none -a prune -d 'remove old runs'
complete -c quire-runstate -f -n __quire_none -a fsck -d 'check the records'
complete -c quire-runstate -f -n __quire_none -a doctor -d 'check the installation'
complete -c quire-runstate -n '__quire_in create list' -l repo -x -a '(__quire_repos)' -d 'the repository'
complete -c quire-runstate -n '__quire_in create list' -l ref -x -a '(__quire_refs)' -d 'the ref'
complete -c quire-runstate -n '__quire_in create' -l git-dir -x -a '(__fish_complete_directories)' -d 'its Git directory'
complete -c quire-runstate -n '__quire_in create' -l sha -x -d 'the commit'
complete -c quire-runstate -n '__quire_in create' -l old-sha -x -d 'the commit before'
complete -c quire-runstate -n '__quire_in create' -l pusher -x -d 'who pushed'
complete -c quire-runstate -n '__quire_in create' -l executor -x -a 'host quire-ci' -d 'its executor'
complete -c quire-runstate -n '__quire_in transition' -l reason -x -d 'why it failed' \
	-a 'exit signal timeout invalid-pipeline materialize launcher orphaned cancelled internal'
complete -c quire-runstate -n '__quire_in transition' -l code -x -d 'the exit status'
complete -c quire-runstate -n '__quire_in transition' -l by -x -a '(__quire_runs)' -d 'the run that superseded it'
complete -c quire-runstate -n '__quire_in transition cancel pause' -l note -x -d 'a remark'
complete -c quire-runstate -n '__quire_in exec' -l timeout -x -d 'end the run after this time'
complete -c quire-runstate -n '__quire_in exec' -l grace -x -d 'between TERM and KILL'
complete -c quire-runstate -f -n '__quire_in dispatch' -s w -d 'wait, and show the logs'
complete -c quire-runstate -n '__quire_in list prune' -l state -x -d 'only runs in one of these states' \
	-a '(__fish_append , pending active complete failed superseded skipped)'
complete -c quire-runstate -n '__quire_in list' -l limit -x -d 'at most this many runs'
complete -c quire-runstate -n '__quire_in list show' -l json -d 'one JSON object a line'
complete -c quire-runstate -n '__quire_in log' -s f -d 'follow it'
complete -c quire-runstate -n '__quire_in log' -l times -d 'begin each line with its time'
complete -c quire-runstate -n '__quire_in notify' -l timeout -x -d 'how long each program may take'
complete -c quire-runstate -n '__quire_in notify' -l start -x -a '(__quire_runs)' -d 'run the programs of on-start.d for a run'
complete -c quire-runstate -n '__quire_in prune' -s n -d 'only print what would be removed'
complete -c quire-runstate -n '__quire_in prune' -l keep -x -d 'how many of each repository stay'
complete -c quire-runstate -n '__quire_in prune' -l older-than -x -d 'only runs that ended longer ago'
complete -c quire-runstate -n '__quire_in fsck' -l repair -d 'repair what can be repaired'
complete -c quire-runstate -n '__quire_in doctor' -s v -d 'also print what is in order'
complete -c quire-runstate -f -n '__quire_at 0 show log artifacts' -a '(__quire_runs)'
complete -c quire-runstate -f -n '__quire_at 0 transition' -a '(__quire_runs live)'
complete -c quire-runstate -f -n '__quire_at 0 exec' -a '(__quire_runs pending)'
complete -c quire-runstate -f -n '__quire_in wait cancel' -a '(__quire_runs live)'
complete -c quire-runstate -f -n '__quire_at 1 transition' -a 'active complete failed superseded'
complete -c quire-runstate -f -n '__quire_at 1 log artifacts' -a '(__quire_run_jobs)'
complete -c quire-runstate -n '__quire_in doctor' -x -a '(__fish_complete_directories)'
