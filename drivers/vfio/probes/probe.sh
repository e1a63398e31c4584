#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Asks a kernel's headers which form an interface has, by compiling a few lines that use it:
#
#   probe.sh KDIR OUT GROUP... -- COMPILER FLAG...
#
# The questions are the files GROUP/FEATURE.FORM.c beside this script. A form fits if it compiles, with the right types,
# and if all that it calls is exported to modules. For each that fits, -DGROUP_FEATURE_FORM is printed, in capital letters;
# more than one may, as a kernel keeps what is old for a while. Of each feature one form must fit, or there is one line
# on stderr that names what is missing. A feature that has always had the same form has one file, GROUP/FEATURE.c, and no macro.
#
# Two files come first. sane.c must compile and insane.c must not: otherwise it is the compiler that nothing can be
# built with, and not the kernel.
#
# The answer is kept in OUT, as a file: the answer, a hash of the state of all files that the compiler read, their names.
# It holds until the command, a question, the list of exported symbols or one of those files is another.

set -euo pipefail
export LC_ALL=C

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
NM=${NM:-nm}
STRICT=(-Wno-error -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=implicit-function-declaration)

die() { echo "KDIR=$kdir: $*" >&2; exit 1; }

# Of the files that are named on stdin
state() { { xargs -r stat -L -c '%n %s %y' 2>&1 || true; } | sha256sum | cut -c1-64; }

# compile QUESTION: to $work/QUESTION.o, and what the compiler said to $work/QUESTION.log
compile() {
	"${command[@]}" "${STRICT[@]}" -MD -MF "$work/$1.d" -c -o "$work/$1.o" "$here/$1.c" >"$work/$1.log" 2>&1 &&
		[[ -s $work/$1.o ]]
}

# What object $1 calls and no module may. Without a list of what is exported, a build finds that out in the end
unexported() {
	[[ -s $kdir/Module.symvers ]] || return 0
	"$NM" -u "$1" | awk -F '\t' '
		FNR == NR { if ($5 == "") exported[$2]; next }
		{ sub(/.* /, ""); if (!($0 in exported)) print }' "$kdir/Module.symvers" - | xargs
}

# Leaves $work/QUESTION.fits behind, or why it does not fit in .log
ask() {
	local symbols
	compile "$1" || return 0
	symbols=$(unexported "$work/$1.o")
	if [[ -z $symbols ]]; then
		: >"$work/$1.fits"
	else
		echo "not exported to modules: $symbols" >>"$work/$1.log"
	fi
}

check_compiler() {
	local said
	if ! compile sane; then
		said=$(grep -m 1 -E 'error|not found' "$work/sane.log" || head -n 1 "$work/sane.log")
		die "the compiler ${command[0]} cannot build for this kernel: ${said:-it says nothing}." \
			'Install the one that the kernel was built with, or name another as CC'
	fi
	"$NM" -u "$work/sane.o" >"$work/sane.log" 2>&1 ||
		die "$NM cannot read what ${command[0]} makes: $(head -n 1 "$work/sane.log"). Name another as NM"
	! compile insane ||
		die "the compiler ${command[0]} takes one type for another, so what it compiles says nothing. Name another as CC"
}

# Prints the macros, and makes $work/lacking: features without a form that fits
judge() {
	local name feature last='' macro
	declare -A fits=()
	for name in "${questions[@]}"; do
		feature=${name%%.*}
		: "${fits[$feature]:=}"
		[[ -e $work/$name.fits ]] || continue
		fits[$feature]=1
		if [[ $name != "$feature" ]]; then
			macro=${name//[.\/]/_}
			printf -- '-D%s ' "${macro^^}"
		fi
	done
	for name in "${questions[@]}"; do
		feature=${name%%.*}
		if [[ -z ${fits[$feature]} && $feature != "$last" ]]; then echo "$feature"; fi
		last=$feature
	done >"$work/lacking"
}

# What is lacking, as one line, and all that was said about it to file $1
complain() {
	local feature reason list=''
	while read -r feature; do
		(cd "$work" && tail -n +1 "$feature".log "$feature".*.log 2>/dev/null) || true
	done <"$work/lacking" >"$1"
	while read -r feature; do
		reason=$(cat "$work/$feature".log "$work/$feature".*.log 2>/dev/null | grep -m 1 '^not exported' || true)
		list+="${list:+, }$feature${reason:+ ($reason)}"
	done <"$work/lacking"
	die "kernel $release lacks, or has in no known form: $list." \
		"Take one that \"make supported\" names; what the compiler said is in $1"
}

kdir=$1 out=$2
shift 2
groups=()
while [[ $1 != -- ]]; do
	groups+=("$1")
	shift
done
shift
command=("$@")

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null) || die 'no kernel headers there'
mapfile -t questions < <(cd "$here" && printf '%s\n' "${groups[@]/%//*.c}" | while read -r glob; do compgen -G "$glob"; done |
	sed 's/\.c$//' | sort)
mkdir -p "$out"
key=$({
	printf '%s\n' "$PWD" "${command[@]}"
	"${command[@]}" --version 2>&1 || true
	(cd "$here" && cat probe.sh sane.c insane.c "${questions[@]/%/.c}")
} | sha256sum | cut -c1-12)
kept=$out/$release-$key
if [[ -r $kept ]] && { read -r answer && read -r seen; } <"$kept" && [[ $seen == "$(tail -n +3 "$kept" | state)" ]]; then
	echo "$answer"
	exit
fi

work=$(mktemp -d "$out/.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "${groups[@]/#/$work/}"
check_compiler
jobs=$(nproc)
for name in "${questions[@]}"; do
	ask "$name" &
	if (($(jobs -rp | wc -l) >= jobs)); then wait -n || true; fi
done
wait
answer=$(judge)
if [[ -s $work/lacking ]]; then complain "$kept.log"; fi

find "$work" -name '*.d' -exec cat {} + | tr -s ' \134' '\n' | grep -v -e ':$' -e '^$' | sort -u >"$work/read"
if [[ -e $kdir/Module.symvers ]]; then echo "$kdir/Module.symvers" >>"$work/read"; fi
{ echo "$answer"; state <"$work/read"; cat "$work/read"; } >"$work/kept"
mv "$work/kept" "$kept"
rm -f "$kept.log"
echo "$answer"
