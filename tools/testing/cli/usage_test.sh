#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the command line of mdev-ctl on a fake sysfs: options, help, --root, and that the man page has them.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

# expect_usage TEXT ARGS..: exit code 2, nothing on stdout, the text on stderr, nothing written
expect_usage() {
	local text=$1

	shift
	run "$@"
	expect_rc 2
	expect_no_out
	expect_has err "error: $text"
	expect_has err 'Usage: mdev-ctl'
}

test_bad_uuids() {
	for uuid in '' ' ' x $A- "${A%1}" "${A}1" "${A/-/}" "{$A" "$A}" "{${A//-/}}" "urn:$A" "urn:uuid:{$A}" \
		"${A/1/g}" "${A//-/_}" " $A" "$A " 1111-11111111-4111-8111-111111111111 ../$A \
		"urn:uuid:${A//-/}" '11111111111111111111111111111111111x'; do
		for sub in list stop start; do
			expect_usage "Invalid value '$uuid' for '--uuid <UUID>': " $sub "--uuid=$uuid"
		done
	done
}

test_bad_names() {
	local long

	three_instances
	long=$(printf 'x%.0s' {1..256})
	for name in '' . .. / ../ ../x x/../y /etc "$P/" "$long"; do
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " types --parent="$name"
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " list -p "$name"
		expect_usage "Invalid value '$name' for '--parent <PARENT>': " start -p "$name" -t mgpu-4M
		expect_usage "Invalid value '$name' for '--type <TYPE>': " start -p $P -t "$name"
	done
	for name in ..x x.. ' ' '*' '%s%n' $'a\nb' "${long%x}"; do
		run types -p "$name"
		expect_rc 0
		expect_no_out
		run start -u $C -p "$name" -t "$name"
		expect_rc 1
		expect_has err 'Error: Unable to find parent device'
		run start -u $C -p $P -t "$name"
		expect_rc 1
		expect_has err "Error: Parent $P does not support mdev type "
	done
}

# Not UTF-8: a definition with it could be written, and never be read again.
test_bad_characters() {
	local text

	use_etc
	definition $P $D t manual
	cp "$(etc)/$P/$D" "$work/before"
	for text in $'\xff' $'x\xc3' $'\xc0\xaf' $'\xe0\x9f\xbf' $'\xed\xa0\x80' $'\xf0\x8f\xbf\xbf' $'\xf4\x90\x80\x80' $'\xf5\x80\x80\x80' $'\x80'; do
		expect_usage "Invalid value '$text' for '--parent <PARENT>': not UTF-8" define -p "$text" -t t
		expect_usage "Invalid value '$text' for '--type <TYPE>': not UTF-8" define -p $P -t "$text"
		expect_usage "Invalid value '$text' for '--addattr <NAME>': not UTF-8" modify -u $D --addattr "$text" --value 1
		expect_usage "Invalid value '$text' for '--value <V>': not UTF-8" modify -u $D --addattr a --value "$text"
	done
	differ 'the definition' "$work/before" "$(etc)/$P/$D"
	for text in $'\xc3\xa9' $'\xe0\xa0\x80' $'\xed\x9f\xbf' $'\xef\xbf\xbf' $'\xf0\x90\x80\x80' $'\xf4\x8f\xbf\xbf'; do
		run modify -u $D --addattr a --value "$text"
		expect_rc 0
		run list -d -u $D
		expect_rc 0
		expect_no_err
	done
}

test_missing_options() {
	two_parents
	expect_usage "The argument '--uuid <UUID>' is required" stop
	expect_usage "At least one of '--uuid <UUID>' and '--parent <PARENT>' is required" start
	expect_usage "At least one of '--uuid <UUID>' and '--parent <PARENT>' is required" start -t mgpu-4M
}

test_missing_values() {
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list -u
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list --uuid
	expect_usage "The argument '--uuid <UUID>' requires a value but none was supplied" list -vu
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list -p -v
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list --parent -5
	expect_usage "The argument '--parent <PARENT>' requires a value but none was supplied" list -p --
	expect_usage "The argument '--root <DIR>' requires a value but none was supplied" --root
	run list --parent=-5
	expect_rc 0
	run list -p-5
	expect_rc 0
	run list -p -
	expect_rc 0
}

test_repeated_options() {
	expect_usage "The argument '--uuid <UUID>' was provided more than once" list -u $A -u $A
	expect_usage "The argument '--uuid <UUID>' was provided more than once" stop -u $A --uuid=$A
	expect_usage "The argument '--dumpjson' was provided more than once" list --dumpjson --dumpjson
	expect_usage "The argument '--verbose' was provided more than once" list -vv
	expect_usage "The argument '--parent <PARENT>' was provided more than once" types -p $P -p $P
	expect_usage "The argument '--type <TYPE>' was provided more than once" start -p $P -t a -t b
	expect_usage "The argument '--root <DIR>' was provided more than once" --root a --root b list
}

test_unknown_options() {
	expect_usage "Found argument '--foo' which wasn't expected" list --foo
	expect_usage "Found argument '--foo' which wasn't expected" list --foo=bar
	expect_usage "Found argument '-x' which wasn't expected" list -x
	expect_usage "Found argument '-x' which wasn't expected" list -vx
	expect_usage "Found argument '--foo' which wasn't expected" --foo list
	expect_usage "Found argument '-u' which wasn't expected" types -u $A
	expect_usage "Found argument '--root' which wasn't expected" list --root /
	expect_usage "Found argument '-V' which wasn't expected" stop -V
	expect_usage "Found argument '--Uuid' which wasn't expected" list --Uuid $A
	expect_usage "Found argument '--' which wasn't expected" list --=x
	expect_usage "The argument '--dumpjson' takes no value" list --dumpjson=yes
}

test_no_abbreviations() {
	expect_usage "Found argument '--uui' which wasn't expected" list --uui $A
	expect_usage "Found argument '--dump' which wasn't expected" list --dump
	expect_usage "Found argument '--uuids' which wasn't expected" list --uuids $A
	expect_usage "Found argument '--hel' which wasn't expected" list --hel
	expect_usage "The subcommand 'lis' wasn't recognized" lis
}

test_operands() {
	expect_usage "Found argument 'foo' which wasn't expected" list foo
	expect_usage "Found argument '$A' which wasn't expected" stop $A
	expect_usage "Found argument '' which wasn't expected" list ''
	expect_usage "Found argument '-' which wasn't expected" list -
	expect_usage "Found argument '--dumpjson' which wasn't expected" list -- --dumpjson
	expect_usage "Found argument 'stop' which wasn't expected" help list stop
	run -- list
	expect_rc 0
}

test_unknown_subcommand() {
	for name in bogus '' List --; do
		[ "$name" = -- ] || expect_usage "The subcommand '$name' wasn't recognized" "$name"
		expect_usage "The subcommand '$name' wasn't recognized" help -- "$name"
	done
	expect_usage "The subcommand 'lsmdev' wasn't recognized" lsmdev
}

test_no_subcommand() {
	for args in '' --; do
		run ${args:+"$args"}
		expect_rc 2
		expect_no_out
		expect_has err 'Usage: mdev-ctl [--root <DIR>] <COMMAND> [OPTIONS]'
		expect_has err '  types    List the types'
	done
}

test_help() {
	run --help
	expect_rc 0
	expect_no_err
	cp "$work/out" "$work/program"
	for form in -h help; do
		run $form
		expect_rc 0
		differ help "$work/program" "$work/out"
	done
	for sub in list start stop types define undefine modify stats who doctor; do
		expect_equal 1 "$(grep -c "^  $sub  *[A-Z]" "$work/program")" "lines on $sub"
		run help $sub
		expect_rc 0
		expect_no_err
		expect_has out "Usage: mdev-ctl $sub "
		cp "$work/out" "$work/sub"
		for form in -h --help; do
			run $sub $form
			expect_rc 0
			differ help "$work/sub" "$work/out"
		done
	done
	run help help
	expect_has out 'Usage: mdev-ctl help [COMMAND]'
}

test_help_wins() {
	for args in 'stop --help' 'start -t x -h' 'list -u bad -h' 'list -u bad --help' 'list -vvh' 'list -u x -u x -h' \
		'list -h --foo' 'list -hx' 'list -h foo' '--help bogus' '--root / -h' '-h --bogus'; do
		# shellcheck disable=SC2086 # words are wanted
		run $args
		expect_rc 0
		expect_no_err
		expect_has out 'Usage: mdev-ctl'
	done
	expect_usage "Found argument '--foo'" list --foo --help
}

test_version() {
	run -V
	expect_rc 0
	cp "$work/out" "$work/version"
	[[ $(cat "$work/out") =~ ^mdev-ctl\ [0-9.]+(-[0-9]+-g[0-9a-f]+)?(-dirty)?$ ]] || fail "version: $(cat "$work/out")"
	run --version
	differ version "$work/version" "$work/out"
	run list -V
	expect_rc 0
	expect_out < <(sed 's/mdev-ctl/mdev-ctl-list/' "$work/version")
}

test_root_option_beats_environment() {
	three_instances
	mkdir -p "$work/other/sys"
	for form in "--root $root" "--root=$root" "--root $root/" "--root $root --"; do
		# shellcheck disable=SC2086 # words are wanted
		MDEV_CTL_ROOT=$work/other run $form list -u $A
		expect_rc 0
		expect_out <<<"$A $P2 mtty-1 manual"
	done
	MDEV_CTL_ROOT=$work/other run list
	expect_rc 0
	expect_no_out
	cd "$work" || return
	run --root root list -u $A
	expect_out <<<"$A $P2 mtty-1 manual"
}

test_root_missing() {
	local long

	long=$(printf '/x%.0s' {1..3000})
	for args in list types "start -p $P -t t" "stop -u $A" 'list --dumpjson' 'types --dumpjson'; do
		for dir in "$work/none" "$work/root/file" "$long"; do
			: >"$work/root/file"
			# shellcheck disable=SC2086 # words are wanted
			run --root "$dir" $args
			expect_rc 1
			expect_no_out
			expect_err <<-EOF
				Error: Unable to find sysfs in '$dir/sys'

				Hint: --root or MDEV_CTL_ROOT moves the tool away from /sys; leave both out to use the system's.
			EOF
		done
	done
	expect_usage "Invalid value '' for '--root <DIR>': the directory is empty" --root= list
	expect_usage "Invalid value '' for '--root <DIR>': the directory is empty" --root '' list
}

test_man_page() {
	local page=$here/../../mdev-ctl/mdev-ctl.8 option

	last='man page'
	for sub in '' list start stop types define undefine modify stats who doctor; do
		run ${sub:+"$sub"} --help
		while read -r option; do
			grep -qF -e "${option//-/\\-}" "$page" || fail "man page lacks $option of '$sub'"
		done < <(grep -o -e ' --[a-z]*' "$work/out" | sort -u | tr -d ' ')
	done
	run -V
	expect_has out 'mdev-ctl '
	# It says the release, and not the commit
	grep -qF "mdev\\-ctl $(cut -d' ' -f2 "$work/out" | cut -d- -f1)\"" "$page" || fail 'man page is of another version'
	command -v man >/dev/null || skip 'no man'
	man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$work/err" >/dev/null
	expect_no_err
}

tap_main "$@"
