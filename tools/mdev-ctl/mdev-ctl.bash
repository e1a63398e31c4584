# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for mdev-ctl, mdevctl and lsmdev in bash. Options are those that the tool's own help names; parents, types
# and devices are those that there are.

_mdev_ctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} tool=${COMP_WORDS[0]} command='' word words
	COMPREPLY=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		-*) ;;
		*) command=$word; break ;;
		esac
	done
	[[ ${tool##*/} != lsmdev ]] || command=list
	case $prev in
	-p | --parent | start-parent-mdevs) words=$(ls /sys/class/mdev_bus 2>/dev/null) ;;
	-t | --type) words=$(cd /sys/class/mdev_bus 2>/dev/null && for word in */mdev_supported_types/*; do echo "${word##*/}"; done) ;;
	-u | --uuid | who)
		words=$({ "$tool" list; "$tool" list -d; } 2>/dev/null | cut -d' ' -f1) ;;
	--jsonfile | --root)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--addattr | --value | -i | --index | --timeout) return ;;
	*)
		if [[ -z $command ]]; then
			words='types list start stop define undefine modify stats who doctor help --help --version --root'
		else
			words=$("$tool" "$command" --help 2>/dev/null | grep -oE -- '--[a-z]+')
		fi ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	# ':' separates words, and parents have them
	! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions "$cur"
}

complete -F _mdev_ctl mdev-ctl mdevctl lsmdev
