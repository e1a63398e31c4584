# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for mdev-ctl, mdevctl and lsmdev in bash. Options are those that the tool's own help names; parents, types
# and devices are those that it lists.
#
# Readline breaks words at ':' and '=', and parents have colons. So the words are taken from the line itself, and of a
# completion only what follows the last break is handed back.

# Parents, or types with their indent
_mdev_ctl_types() { "$1" types 2>/dev/null | grep -E "$2"; }

# _mdev_ctl_values TOOL OPTION: all that can follow it; fails if it takes no value
_mdev_ctl_values() {
	case $2 in
	-p | --parent | start-parent-mdevs) _mdev_ctl_types "$1" '^[^ ]' ;;
	-t | --type) _mdev_ctl_types "$1" '^  [^ ]' ;;
	-u | --uuid | who) { "$1" list; "$1" list -d; } 2>/dev/null | cut -d' ' -f1 ;;
	--jsonfile) compgen -f -- "$3" ;;
	--root) compgen -d -- "$3" ;;
	--addattr | --value | -i | --index | --timeout) ;;
	*) return 1 ;;
	esac
	return 0
}

_mdev_ctl() {
	local tool=${COMP_WORDS[0]} line=${COMP_LINE:0:COMP_POINT} words word prev cur command='' values head
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	cur=${words[-1]} prev=${words[-2]-}
	if [[ $cur == --*=* ]]; then
		prev=${cur%%=*} cur=${cur#*=}
	fi
	for word in "${words[@]:1:${#words[@]}-2}"; do
		if [[ $word != -* ]]; then
			command=$word
			break
		fi
	done
	if [[ ${tool##*/} == lsmdev ]]; then
		tool=${tool%lsmdev}mdev-ctl command=list
	fi
	if ! values=$(_mdev_ctl_values "$tool" "$prev" "$cur"); then
		if [[ -n $command ]]; then
			values=$("$tool" "$command" --help 2>/dev/null | grep -oE -- '--[a-z]+' | sort -u)
		else
			values='types list start stop define undefine modify stats who doctor help --help --version --root'
		fi
	fi
	mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
	head=${cur%"${cur##*["$COMP_WORDBREAKS"]}"}
	COMPREPLY=("${COMPREPLY[@]#"$head"}")
}

complete -F _mdev_ctl mdev-ctl mdevctl lsmdev
