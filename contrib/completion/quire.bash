# bash completion of quire's commands; see quire(7). What --help lists is completed.

# The options in the --help of a command or subcommand: _quire_options WORD...
_quire_options() {
	"$@" --help 2>/dev/null | sed -n 's/^  \(-[^ ,]*\), \(--[^ ]*\) .*/\1\n\2/p; t; s/^  \(-[^ ]*\) .*/\1/p'
}

# The subcommands of a command.
_quire_subcommands() { "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; }

# Whether an option takes a value, by the --help in the variable help.
_quire_valued() { [[ $1 == -* && $'\n'$help == *[$'\n,']*" $1 "[A-Z]* ]]; }

# Runs quire-runstate on the root that the line names.
_quire_runstate() { quire-runstate ${root:+--root "$root"} "$@" 2>/dev/null; }

# The runs in the given states, or all: their ids, and REPO@REF.
_quire_runs() {
	_quire_runstate list --limit 500 ${1:+--state "$1"} | awk -F '\t' '{ print $1
		if (index($3, "\\")) next # names with escapes are left out
		sub("^refs/(heads|tags)/", "", $4); if (!seen[$3 "@" $4]++) print $3 "@" $4 }'
}

# The names of the jobs that quire-runstate show prints.
_quire_run_jobs() { sed -En '/[\\]/d; s/^job	(.*) [a-z]+( reason=[a-z-]+)?( allowed=true)?$/\1/p'; }

# The values that an option or an operand may have. They are compared with cur.
_quire_value() {
	case $1 in
	--root | --git-dir | --workspace | --out | --export) compgen -d -- "$cur" ;;
	--secrets | --facts) compgen -f -- "$cur" ;;
	--repo) _quire_runstate list --limit 500 | cut -f 3 | sort -u ;;
	--ref) git for-each-ref --format='%(refname)' 2>/dev/null ;;
	--executor) printf '%s\n' host quire-ci ;;
	--state)
		local before=
		case $cur in *,*) before=${cur%,*}, ;; esac
		printf '%s\n' "$before"{pending,active,complete,failed,superseded,skipped}
		;;
	--reason) printf '%s\n' exit signal timeout invalid-pipeline materialize launcher orphaned cancelled internal ;;
	--job) quire-ci validate ${workspace:+--workspace "$workspace"} 2>/dev/null | cut -f 1 ;;
	--run) _quire_runs pending ;;
	--rerun) _quire_runs ended ;;
	--by | --start) _quire_runs ;;
	'quire-runstate wait 1' | 'quire-runstate cancel 1') _quire_runs live ;;
	'quire-runstate exec 1' | 'quire-ci launch 1') _quire_runs pending ;;
	'quire-runstate '*' 1' | 'quire-ci shell 1') _quire_runs ;;
	'quire-runstate transition 2') printf '%s\n' active complete failed superseded ;;
	'quire-runstate log 2' | 'quire-runstate artifacts 2') _quire_runstate show "$operand" | _quire_run_jobs ;;
	'quire-ci compile 1' | 'quire-materialize 2') compgen -f -- "$cur" ;;
	'quire-materialize 1') git for-each-ref --format='%(refname:short)' 2>/dev/null ;;
	esac
}

# Splits the line up to the cursor into words as the shell does, but expands nothing.
# words are the words without quotes, quote is the open quote of the last word, and kept
# is the beginning of the last word that readline does not replace.
_quire_split() {
	local line=${COMP_LINE:0:COMP_POINT} i c word='' begun='' before=''
	words=() quote='' kept=''
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		if [[ $c == "$quote" ]]; then
			quote='' kept=$before
		elif [[ $quote == '"' && $c == '\' && ${line:i+1:1} == [\\\"\$\`] ]]; then
			i=$((i + 1)) word+=${line:i:1}
		elif [[ $quote ]]; then
			word+=$c
		else
			case $c in
			[[:space:]])
				[[ ! $begun ]] || words+=("$word")
				word='' begun='' kept=''
				continue
				;;
			[';|&(`'])
				words=() word='' begun='' kept=''
				continue
				;;
			[\'\"]) quote=$c before=$kept kept=$word ;;
			\\) i=$((i + 1)) word+=${line:i:1} ;;
			*)
				# readline replaces the text from an @ on, or after another word break
				[[ $c != '@' || $COMP_WORDBREAKS != *@* ]] || kept=$word
				word+=$c
				[[ $c == '@' || $COMP_WORDBREAKS != *"$c"* ]] || kept=$word
				;;
			esac
			begun=1
		fi
	done
	words+=("$word")
}

# Quotes a text so that the shell reads exactly this text after the open quote.
_quire_quote() {
	local text=$1 i c result=''
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $quote$c in
		"''") c="'\\''" ;;
		'"'[\"\$\`\\]) c=\\$c ;;
		'"!') c='"\!"' ;;
		[\'\"]?) ;;
		'~') [[ $i == 0 && $text == '~/'* && -z $kept ]] || c=\\$c ;;
		[[:space:]\!\"#\$\&\'\(\)*\;\<\>\?\[\\\]\^\`\{\|\}]) c=\\$c ;;
		esac
		result+=$c
	done
	printf %s "$result"
}

_quire() {
	local IFS=$' \t\n' name=${1##*/} words quote kept help call cur word previous='' found option=''
	local root='' workspace='' operand='' operands=0
	_quire_split
	while ((${#words[@]} > 1)) && [[ ${words[0]##*/} != "$name" ]]; do words=("${words[@]:1}"); done
	((${#words[@]} > 1)) || return
	cur=${words[-1]} call=$name
	help=$("$name" --help 2>/dev/null)
	for word in "${words[@]:1:${#words[@]}-2}"; do
		if [[ $previous == --root || $previous == --workspace ]]; then
			printf -v "${previous#--}" %s "$word"
			previous=''
		elif _quire_valued "$previous"; then
			previous=''
		elif [[ $word == -- ]]; then
			return # another command follows
		elif [[ $word == --root=* || $word == --workspace=* ]]; then
			option=${word%%=*}
			printf -v "${option#--}" %s "${word#*=}"
			option='' previous=''
		elif [[ $word == -* ]]; then
			previous=$word
			[[ $word != --*=* ]] || previous=''
		elif [[ $call == "$name" && $'\n'$help == *$'\n'"  $word  "* ]]; then
			call+=" $word" previous=''
			help=$("$name" "$word" --help 2>/dev/null)
		else
			operand=$word previous=''
			operands=$((operands + 1))
		fi
	done
	if [[ $cur == --*=* && -z $previous ]]; then
		previous=${cur%%=*} option=${cur%%=*}= cur=${cur#*=}
	fi
	if _quire_valued "$previous"; then
		found=$(_quire_value "$previous")
	elif [[ $cur == -* ]]; then
		# shellcheck disable=SC2086 # a command and its subcommand
		found=$(_quire_options $call)
	elif [[ $call == "$name" && -n $(_quire_subcommands "$name") ]]; then
		found=$(_quire_subcommands "$name")
	elif [[ $call == 'quire-runstate wait' || $call == 'quire-runstate cancel' ]]; then
		found=$(_quire_value "$call 1") # any number
	else
		found=$(_quire_value "$call $((operands + 1))")
	fi
	COMPREPLY=()
	while IFS= read -r word; do
		[[ $word == "$cur"* && $word != *[[:cntrl:]]* && $word ]] || continue
		word=$option$word
		COMPREPLY+=("$(_quire_quote "${word#"$kept"}")")
		found=$word
	done <<<"$found"
	# readline closes the quote unless the text ends with the same character
	[[ ${#COMPREPLY[@]} != 1 || -z $quote || ${COMPREPLY[0]} != *"$quote" ]] || COMPREPLY[0]+=$quote
	if [[ ${#COMPREPLY[@]} == 1 && $previous == --* && -d ${found/#'~'/$HOME} ]]; then
		COMPREPLY[0]+=/
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _quire quire-trigger quire-materialize quire-ci quire-runstate quire-web quire-dispatch
