# bash completion of quire's commands; see quire(7)

# What --help says of a command, or of a subcommand.
_quire_options() {
	case $1 in
	quire-trigger) echo --root --git-dir --ref --missed --run --rerun --failed --install-hook --uninstall-hook ;;
	quire-materialize) echo --git-dir --reuse --keep-ignored --lfs --with-git --submodules --run --root ;;
	quire-dispatch) echo -w ;;
	quire-runstate) echo --root ;;
	'quire-ci validate' | 'quire-ci graph') echo --workspace ;;
	'quire-ci run') echo --workspace --out --secrets --facts --ref --sha -j --job --var --env --timeout \
		--grace --fail-fast -n --dry-run ;;
	'quire-ci shell') echo -c --workspace --root --facts --ref --sha --job --var --env ;;
	'quire-ci compile') echo --strict --no-strict ;;
	'quire-ci launch') echo --root ;;
	'quire-runstate create') echo --repo --git-dir --ref --sha --old-sha --pusher --executor ;;
	'quire-runstate transition') echo --reason --code --by --note ;;
	'quire-runstate exec') echo --timeout --grace ;;
	'quire-runstate list') echo --repo --ref --state --limit --json --count ;;
	'quire-runstate show') echo --json ;;
	'quire-runstate log') echo -f ;;
	'quire-runstate cancel') echo --note ;;
	'quire-runstate notify') echo --timeout ;;
	'quire-runstate prune') echo --keep --older-than --state -n ;;
	'quire-runstate fsck') echo --repair ;;
	'quire-runstate doctor') echo -v ;;
	esac
}

_quire_subcommands() {
	case $1 in
	quire-ci) echo validate run shell compile graph launch seccomp ;;
	quire-runstate) echo create transition exec list show log wait cancel reconcile notify prune fsck doctor ;;
	esac
}

# Whether an option has a value behind it.
_quire_valued() {
	case $1 in
	--missed | --failed | --install-hook | --uninstall-hook | --reuse | --keep-ignored | --lfs | --with-git | \
		--submodules | --fail-fast | --dry-run | --strict | --no-strict | --json | --count | --repair | \
		--help | --version | -w | -f | -v) return 1 ;;
	-n) return 1 ;;
	-*) return 0 ;;
	esac
	return 1
}

# quire-runstate on the root that the line names.
_quire_runstate() { quire-runstate ${root:+--root "$root"} "$@" 2>/dev/null; }

# The runs in the given states, or all: their ids, and REPO@REF.
_quire_runs() {
	_quire_runstate list --limit 500 ${1:+--state "$1"} | awk -F '\t' '{ print $1
		sub("^refs/(heads|tags)/", "", $4); if (!seen[$3 "@" $4]++) print $3 "@" $4 }'
}

# The values that an option may have, or what an operand may be. What they are
# compared with is cur.
_quire_value() {
	case $1 in
	--root | --git-dir | --workspace | --out) compgen -d -- "$cur" ;;
	--secrets | --facts) compgen -f -- "$cur" ;;
	--repo) _quire_runstate list --limit 500 | cut -f 3 | sort -u ;;
	--ref) git for-each-ref --format='%(refname)' 2>/dev/null ;;
	--executor) printf '%s\n' host quire-ci ;;
	--state)
		local before=
		case $cur in *,*) before=${cur%,*}, ;; esac
		printf "$before%s\n" pending active complete failed superseded
		;;
	--reason) printf '%s\n' exit signal timeout invalid-pipeline materialize launcher orphaned cancelled internal ;;
	--job) quire-ci validate ${workspace:+--workspace "$workspace"} 2>/dev/null | cut -f 1 ;;
	--run) _quire_runs pending ;;
	--rerun) _quire_runs complete,failed,superseded ;;
	--by) _quire_runs ;;
	'quire-runstate wait 1' | 'quire-runstate cancel 1') _quire_runs pending,active ;;
	'quire-runstate exec 1' | 'quire-ci launch 1') _quire_runs pending ;;
	'quire-runstate '*' 1' | 'quire-ci shell 1') _quire_runs ;;
	'quire-runstate transition 2') printf '%s\n' active complete failed superseded ;;
	'quire-runstate log 2') _quire_runstate show "$operand" | sed -n 's/^job	\([^ ]*\).*/\1/p' ;;
	'quire-ci compile 1' | 'quire-materialize 2') compgen -f -- "$cur" ;;
	'quire-materialize 1') git for-each-ref --format='%(refname:short)' 2>/dev/null ;;
	esac
}

_quire() {
	local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} call=$1 words cur word previous='' found
	local root='' workspace='' operand='' operands=0
	# bash would part words at @ and = as well, which names of runs hold.
	read -ra words <<<"${line##*[;|&(\`]}"
	case $line in *[[:space:]]) words+=('') ;; esac
	cur=${words[-1]}
	for word in "${words[@]:1:${#words[@]}-2}"; do
		if [[ $previous == --root || $previous == --workspace ]]; then
			printf -v "${previous#--}" %s "$word"
			previous=''
		elif _quire_valued "$previous"; then
			previous=''
		elif [[ $word == -- ]]; then
			return # a command of its own
		elif [[ $word == -* ]]; then
			previous=$word
			[[ $word != --*=* ]] || previous=''
		elif [[ $call == "$1" && " $(_quire_subcommands "$1") " == *" $word "* ]]; then
			call+=" $word" previous=''
		else
			operand=$word previous=''
			operands=$((operands + 1))
		fi
	done
	if _quire_valued "$previous"; then
		found=$(_quire_value "$previous")
	elif [[ $cur == -* ]]; then
		found=$(_quire_options "$call" | tr ' ' '\n')$'\n'--help$'\n'--version
	elif [[ $call == "$1" && -n $(_quire_subcommands "$1") ]]; then
		found=$(_quire_subcommands "$1" | tr ' ' '\n')
	elif [[ $call == 'quire-runstate wait' || $call == 'quire-runstate cancel' ]]; then
		found=$(_quire_value "$call 1") # any number
	else
		found=$(_quire_value "$call $((operands + 1))")
	fi
	# readline replaces only what is behind the last = or :, and from the last @ on.
	local parted=${cur%"${cur##*[=:]}"} IFS=$'\n'
	case ${cur#"$parted"} in *@*) parted=${cur%@*} ;; esac
	COMPREPLY=()
	for word in $found; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("${word#"$parted"}")
	done
	[[ ${#COMPREPLY[@]} != 1 || ! -d ${COMPREPLY[0]} ]] || compopt -o nospace -o filenames 2>/dev/null
}

complete -F _quire quire-trigger quire-materialize quire-ci quire-runstate quire-dispatch
