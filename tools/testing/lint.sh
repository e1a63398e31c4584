#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks of everything, as TAP: each is one test, and prints what it found.
#
#   lint.sh KDIR [TEST...]
#
# checkpatch and kernel-doc are those of the kernel source that the debug lanes
# were built from.

set -u

kdir=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab/common.sh"
cd "$REPO" || exit 1
last='lint'

# The scripts of a kernel source
scripts=$(printf '%s\n' "$CACHE"/kernels/*-lab-*/source/scripts | sort -V | tail -n 1)
[[ -d $scripts ]] || scripts=''

# Files of the repository that match the patterns, also such as are not committed yet
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

# silent COMMAND...: it prints nothing that looks like a complaint
silent() {
	"$@" > "$work/out" 2>&1 || fail "$1 failed"
	grep -E 'warning|error|Error' "$work/out" | sort -u > "$work/complaints"
	[[ ! -s $work/complaints ]] || fail "$(cat "$work/complaints")"
}

# A build from scratch of the modules in a copy, with more words for make
build_copy() {
	local copy=$work/copy
	rm -rf "$copy"
	mkdir "$copy"
	files Kbuild VERSION tools/version.sh drivers include samples | xargs cp --parents -t "$copy"
	make -s -C "$kdir" M="$copy" W=1 "$@" modules
}

functions_of() { sed -nE 's/^([a-zA-Z_0-9]+)\(\).*/\1/p' "$1" | sort -u; }

# A script that has a function of the same name as a library that it reads takes it away from the library itself. Of
# tap.sh, setup and teardown are there for that.
test_functions_of_libraries() {
	local file library
	while IFS=: read -r file library; do
		library=$(realpath -m --relative-to=. "$(dirname "$file")/$library")
		[[ -e $library ]] || library=$(git ls-files "*/$(basename "$library")" | head -n 1)
		comm -12 <(functions_of "$file") <(functions_of "$library") | grep -vx -e setup -e teardown |
			sed "s|^|$file has a function of the name of one of $library: |"
	done < <(files '*.sh' .ci/run | xargs grep -oE '^\. .*[a-z_]+\.sh' | sed -E 's|:\. .*[/"]([a-z_/]+\.sh)$|:\1|') > "$work/complaints"
	[[ ! -s $work/complaints ]] || fail "$(cat "$work/complaints")"
}

# See Documentation/security.rst
test_public_faults() {
	"$here/cve.py" lint > "$work/complaints"
	[[ ! -s $work/complaints ]] || fail "$(cat "$work/complaints")"
}

# One that only some paths fill in is how the kernel's stack gets to somebody. Those of ours are fields, which are zeroed.
test_no_bitmap_on_the_stack() {
	files 'drivers/*.c' 'samples/vfio-mdev/*.c' | xargs grep -nE '^\s+(DECLARE_BITMAP\(|unsigned long \w+\[BITS_TO_LONGS)' > "$work/complaints"
	[[ ! -s $work/complaints ]] || fail "$(cat "$work/complaints")"
}

test_sparse() { silent build_copy C=1 CF=-D__CHECK_ENDIAN__; }

test_clang() { silent build_copy LLVM=1 CONFIG_DEBUG_INFO_BTF_MODULES=; }

# A line of 100 columns is allowed. Locks are commented in kernel-doc, which
# checkpatch does not read; kzalloc_obj() is not in all supported kernels.
test_checkpatch() {
	local file more
	[[ -n $scripts ]] || skip 'no kernel source: tools/testing/lab/kernel.sh debug-new makes one'
	for file in $(files 'drivers/*.[ch]' 'include/*.h' 'samples/*.[ch]' 'tools/testing/modules/*.[ch]'); do
		# TRACE_EVENT() is laid out in a way of its own
		more=''
		if [[ $file == *_trace.h ]]; then more=,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT; fi
		perl "$scripts/checkpatch.pl" --no-tree --terse --strict --no-summary \
			--ignore UNCOMMENTED_DEFINITION,ALLOC_WITH_SIZEOF$more \
			--max-line-length=100 -f "$file"
	done > "$work/out" 2>&1
	[[ ! -s $work/out ]] || fail "$(cat "$work/out")"
}

test_kernel_doc() {
	[[ -n $scripts ]] || skip 'no kernel source: tools/testing/lab/kernel.sh debug-new makes one'
	files 'drivers/*.[ch]' 'include/*.h' 'samples/*.[ch]' 'tools/testing/modules/*.[ch]' |
		xargs "$scripts/kernel-doc" -none -Wall > "$work/out" 2>&1
	[[ ! -s $work/out ]] || fail "$(cat "$work/out")"
}

# What is exported is documented, and the guide takes that in.
test_exports_are_documented() {
	local file symbol guide=Documentation/driver-api/vpci.rst
	files 'drivers/*.c' | xargs sed -n '/^EXPORT_SYMBOL/{F;s/^EXPORT_SYMBOL[_A-Z]*(\([^)]*\)).*/\1/p}' > "$work/out"
	[[ -s $work/out ]] || fail 'no exported symbol was found'
	while read -r file && read -r symbol; do
		grep -qE "^ \* $symbol - |^const struct .* $symbol(\[.*])? = " "$file" ||
			fail "$file: $symbol is exported without kernel-doc"
	done < "$work/out"
	files 'drivers/vfio/vpci/*.c' | xargs grep -l '^EXPORT_SYMBOL' | xargs grep -l '^/\*\*$' > "$work/out"
	files 'include/linux/*vpci*.h' | xargs grep -l '^/\*\*$' >> "$work/out"
	while read -r file; do
		grep -qx ".. kernel-doc:: $file" "$guide" || fail "$guide does not take in $file"
	done < "$work/out"
}

test_shellcheck() {
	# shellcheck disable=SC2046 # names of ours have no spaces
	shellcheck -x $(files '*.sh' '*.bash' '.ci/run') > "$work/out" 2>&1 || fail "$(cat "$work/out")"
}

# Since 2.11 it knows that memory can run out, in tests of ours as well, where dying by it is as good as saying so. And
# the newer ones say of which file they give up some branches.
test_cppcheck() {
	# shellcheck disable=SC2046 # names of ours have no spaces
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability \
		--inline-suppr --suppress=missingInclude --suppress=normalCheckLevelMaxBranches \
		--suppress={nullPointer,nullPointerArithmetic,ctunullpointer}OutOfMemory:'tools/testing/*' \
		$(files 'tools/mdev-ctl/*.c' 'tools/testing/cli/*.c' 'tools/testing/lab/*.c' \
			'tools/testing/selftests/*.c' 'tools/testing/unit/*.c' 'tools/testing/fuzz/*.c' \
			'tools/testing/qemu/*.c' 'tools/testing/bench/*.c') > "$work/out" 2>&1 || fail "$(cat "$work/out")"
}

test_analyzer() {
	local file
	for file in $(files 'tools/mdev-ctl/*.c' 'tools/testing/lab/fbdraw.c'); do
		clang --analyze -D_GNU_SOURCE -Xanalyzer -analyzer-output=text -Werror -o /dev/null \
			"$file" || fail "$file"
	done > "$work/out" 2>&1
	[[ ! -s $work/out ]] || fail "$(cat "$work/out")"
}

test_python() {
	# shellcheck disable=SC2046 # names of ours have no spaces
	/usr/bin/python3 -m py_compile $(files '*.py') 2>&1 || fail 'a script does not compile'
}

# What is put in on purpose, see tools/testing/ops, must go on to fit what it is put into
test_faults_apply() {
	local file
	files 'tools/testing/ops/faults/*.patch' > "$work/faults"
	[[ -s $work/faults ]] || fail 'there is no fault'
	while read -r file; do
		git apply --check "$file" > "$work/out" 2>&1 || fail "$(cat "$work/out")"
	done < "$work/faults"
}

# A new suite of packages is derived from the machine's own entry.
test_no_package_server_is_named() {
	if files | grep -v '^tools/testing/lint.sh$' |
	   xargs grep -InE '[a-z]+\.debian\.org' > "$work/out"; then
		fail "$(cat "$work/out")"
	fi
}

tap_main "$@"
