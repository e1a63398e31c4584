#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests callout and notifier scripts: how they are called, what their answers mean, and that none of them can stop us.

# shellcheck disable=SC2016 # for the scripts that are made
# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

args() { echo "-t $1 -e $2 -a $3 -s $4 -u $5 -p $6"; }

# A script with version support for the events and actions that are given as JSON
versioned() {
	cat <<-EOF
		if [ \$action = capabilities ]; then
			cat >$work/provides
			printf '%s' '{"supports":{"version":2,"actions":$2,"events":$1}}'
			exit 1
		fi
	EOF
	cat
}

test_sequence_of_define() {
	use_etc
	script callouts b <<<'[ $action = capabilities ] || { cat >>"$log"; echo >>"$log"; echo chatter; }'
	script callouts a <<<'exit 2'
	script callouts c <<<'exit 1'
	script notifiers n <<<'cat >>"$log"; echo END >>"$log"; exit 1'
	run define -u $D -p $P -t t --auto
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_calls <<-EOF
		a $(args t pre define none $D $P)
		b $(args t pre define none $D $P)
		{"mdev_type":"t","start":"auto","attrs":[]}
		b $(args t post define success $D $P)
		{"mdev_type":"t","start":"auto","attrs":[]}
		n $(args t notify define success $D $P)
		END
	EOF
	[ -e "$(etc)/$P/$D" ] || fail 'not defined'
}

test_refusal_and_force() {
	three_instances
	use_shim
	definition $P $D mgpu-8M manual
	script callouts a <<<'[ $event != pre ] || exit 3'
	script notifiers n </dev/null
	for args in "define -u $C -p $P -t t" "modify -u $D -a" "undefine -u $D" "stop -u $B" "start -p $P -t mgpu-4M -u $C"; do
		rm -f "$work/log"
		# shellcheck disable=SC2086 # words are wanted
		shim_run -- $args
		expect_rc 1
		expect_no_out
		expect_has err "Error: Script '\"$root/usr/lib/mdevctl/scripts.d/callouts/a\"' failed with status '3'"
		expect_equal 'none' "$(sed -n 's/^n .* -s \([a-z]*\) .*/\1/p' "$work/calls")" 'state for the notifier'
		grep -q 'post' "$work/calls" && fail "$args: post after a refusal"
		rm "$work/calls"
		expect_log </dev/null
	done
	[ ! -e "$(etc)/$P/$C" ] || fail 'defined all the same'
	run define -u $C -p $P -t t -f
	expect_rc 0
	expect_has err 'Warning: Script '
	expect_equal 'success' "$(sed -n 's/^n .* -s \([a-z]*\) .*/\1/p' "$work/calls")" 'state for the notifier'
	run undefine --force -u $C
	expect_rc 0
	expect_not_defined $P $C
}

test_failure_is_told() {
	three_instances
	use_shim
	script callouts a <<<'exit 0'
	script notifiers n </dev/null
	shim_run SHIM_ERRNO=$ENOMEM -- start -u $C -p $P -t mgpu-4M
	expect_rc 1
	expect_calls <<-EOF
		a $(args mgpu-4M pre start none $C $P)
		a $(args mgpu-4M post start failure $C $P)
		n $(args mgpu-4M notify start failure $C $P)
	EOF
	shim_run -- stop -u $D
	expect_rc 0
	expect_calls <<-EOF
		a $(args mgpu-8M pre stop none $D $P)
		a $(args mgpu-8M post stop success $D $P)
		n $(args mgpu-8M notify stop success $D $P)
	EOF
}

test_old_directory() {
	use_etc
	script callouts a <<<'exit 2'
	mkdir -p "$(etc)/scripts.d/"{callouts,notifiers}
	script callouts old <<<'exit 0'
	mv "$root/usr/lib/mdevctl/scripts.d/callouts/old" "$(etc)/scripts.d/callouts/"
	script notifiers new </dev/null
	cp "$root/usr/lib/mdevctl/scripts.d/notifiers/new" "$(etc)/scripts.d/notifiers/"
	run define -u $D -p $P -t t
	expect_rc 0
	expect_calls <<-EOF
		a $(args t pre define none $D $P)
		old $(args t pre define none $D $P)
		old $(args t post define success $D $P)
		new $(args t notify define success $D $P)
		new $(args t notify define success $D $P)
	EOF
	run list -d
	expect_no_err
	expect_out <<<"$D $P t manual"
}

test_nobody_is_responsible() {
	use_etc
	script callouts a <<<'exit 2'
	script callouts killed <<<'kill -9 $$'
	script callouts plain <<<'exit 1'
	chmod -x "$root/usr/lib/mdevctl/scripts.d/callouts/plain"
	mkdir "$root/usr/lib/mdevctl/scripts.d/callouts/dir"
	: >"$root/usr/lib/mdevctl/scripts.d/callouts/empty"
	chmod +x "$root/usr/lib/mdevctl/scripts.d/callouts/empty"
	run define -u $D -p $P -t t
	expect_rc 0
	expect_calls <<-EOF
		a $(args t pre define none $D $P)
		killed $(args t pre define none $D $P)
		a $(args t post define success $D $P)
		killed $(args t post define success $D $P)
	EOF
}

test_version_support() {
	use_etc
	script callouts a <<<'exit 0'
	versioned '["pre","post"]' '["define","bake"]' <<<'[ $event = pre ] || exit 1' | script callouts b
	run define -u $D -p $P -t t
	expect_rc 0
	expect_calls all <<-EOF
		a $(args t get capabilities none $D $P)
		b $(args t get capabilities none $D $P)
		b $(args t pre define none $D $P)
		b $(args t post define success $D $P)
	EOF
	expect_equal '{"provides":{"version":2,"actions":["start","stop","define","undefine","modify","attributes","capabilities"],"events":["pre","post","notify","get","live"]}}' \
		"$(cat "$work/provides")" 'what the tool provides'
	run modify -u $D -a
	expect_rc 1
	expect_has err "Error: Script \"$root/usr/lib/mdevctl/scripts.d/callouts/b\" does not support action 'Modify'"
	versioned '["post"]' '["modify"]' </dev/null | script callouts b
	run modify -u $D -a
	expect_has err "does not support event 'Pre'"
	versioned '["pre"]' '["modify"]' <<<'exit 2' | script callouts b
	run modify -u $D -a
	expect_has err "failed with status '2'"
	versioned '["pre"]' '["modify"]' <<<'kill -9 $$' | script callouts b
	run modify -u $D -a
	expect_rc 0
}

test_bad_capabilities() {
	use_etc
	while read -r answer; do
		script callouts a <<-EOF
			[ \$action != capabilities ] || printf '%b' '$answer'
		EOF
		rm -f "$(etc)/$P/$D" "$work/calls"
		run define -u $D -p $P -t t
		expect_rc 0
		expect_no_err
		grep -q ' pre define ' "$work/calls" || grep -q -e '-e pre -a define' "$work/calls" || fail "$answer: was not asked"
	done <<-'EOF'
		{}
		[]
		null
		{"supports":1}
		{"supports":{"version":2,"actions":["stop"]}}
		{"supports":{"version":2,"events":["pre"]}}
		{"supports":{"actions":[],"events":[]}}
		{"supports":{"version":"2","actions":[],"events":[]}}
		{"supports":{"version":2,"actions":[1],"events":[]}}
		{"supports":{"version":2,"actions":{},"events":[]}}
		{"supports":{"version":2,"actions":[],"events":[]}} x
		\0377\0376
		{"supports":
	EOF
	# With zeroes at the end it is one
	script callouts a <<-'EOF'
		[ $action != capabilities ] || printf '{"supports":{"version":2,"actions":[],"events":[]}}\0\0'
	EOF
	run modify -u $D -a
	expect_rc 1
	expect_has err "does not support event 'Pre'"
}

test_attributes() {
	three_instances
	script callouts a <<-'EOF'
		[ $event = get ] && [ $action = attributes ] || exit 0
		case ${10} in 2*) printf '[{"x":"1"},{"y/z":"\\"2"}]\0' ;; d*) printf '[{}]' ;; 1*) echo null ;; esac
	EOF
	run list -v
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		$B $P mgpu-4M manual
		  Attrs:
		    @{0}: {"x":"1"}
		    @{1}: {"y/z":""2"}
		$D $P mgpu-8M manual
		$A $P2 mtty-1 manual
	EOF
	run list --dumpjson -u $B
	expect_json <<-'EOF'
		{
		  "mdev_type": "mgpu-4M",
		  "start": "manual",
		  "attrs": [
		    {
		      "x": "1"
		    },
		    {
		      "y/z": "\"2"
		    }
		  ]
		}
	EOF
	run define -u $B
	expect_rc 0
	run list -d -u $B --dumpjson
	differ 'what was defined' "$work/want" "$work/out"
}

test_bad_attributes() {
	three_instances
	script callouts a <<-'EOF'
		[ $action = attributes ] && cat <<END
		[{"x":"1"},{"y":2},{"z":"3"}]
		END
		exit 0
	EOF
	run list -vu $B
	expect_rc 0
	expect_out <<-EOF
		$B $P mgpu-4M manual
		  Attrs:
		    @{0}: {"x":"1"}
	EOF
	run define -u $B
	expect_rc 1
	expect_has err 'answers with bad attributes'
	expect_not_defined $P $B
	for body in 'printf "[{}]\n"' 'exit 1' 'echo "{"' 'printf "[{\"../x\":\"1\"}]"'; do
		script callouts a <<<"[ \$action != attributes ] || { $body; }"
		run define -u $B
		expect_rc 1
		expect_not_defined $P $B
		run list -u $B
		expect_rc 0
	done
	script callouts a <<<'[ $action != attributes ] || exit 1'
	run define -u $B --force
	expect_rc 1
}

# A thousand devices, and a script that knows nothing of any: it need not be run a thousand times.
test_silent_script() {
	local i

	add_parent $P
	add_type $P t 1
	for i in {1..40}; do add_instance $P t "$(printf '%08x-0000-4000-8000-000000000000' "$i")"; done
	for body in 'exit 0' 'exit 2'; do
		script callouts a <<<"$body"
		rm -f "$work/calls"
		run list
		expect_equal 40 "$(wc -l <"$work/out")" lines
		[ "$(wc -l <"$work/calls")" -le 9 ] || fail "$body: was run $(wc -l <"$work/calls") times"
	done
	script callouts a <<<'echo "[]"'
	rm -f "$work/calls"
	run list
	expect_equal 41 "$(wc -l <"$work/calls")" 'runs of one that answers'
}

test_live() {
	three_instances
	echo '{"mdev_type":"mgpu-8M","start":"manual","attrs":[{"a":"1"}]}' >"$work/json"
	live() { run modify -u $D --live --jsonfile "$work/json" "$@"; }
	live
	expect_rc 1
	expect_has err 'Error: No callout script with version support found that supports live modify'
	versioned '["pre","post"]' '["modify"]' </dev/null | script callouts a
	live
	expect_rc 1
	expect_has err "does not support event 'Live'"
	versioned '["pre","post","live"]' '["modify"]' <<<'cat >>"$log"; echo >>"$log"' | script callouts a
	script notifiers n </dev/null
	rm -f "$work/calls"
	live
	expect_rc 0
	expect_no_err
	expect_calls <<-EOF
		a $(args mgpu-8M live modify none $D $P)
		{"mdev_type":"mgpu-8M","start":"manual","attrs":[{"a":"1"}]}
		n $(args mgpu-8M notify modify none $D $P)
	EOF
	live --defined
	expect_rc 1
	expect_has err "Error: Mediated device $P/$D is not defined"
	rm -f "$work/calls"
	definition $P $D mgpu-8M auto
	live --defined
	expect_rc 0
	expect_has "root/etc/mdevctl.d/$P/$D" '"a": "1"'
	expect_calls <<-EOF
		a $(args mgpu-8M live modify none $D $P)
		{"mdev_type":"mgpu-8M","start":"manual","attrs":[{"a":"1"}]}
		n $(args mgpu-8M notify modify none $D $P)
		a $(args mgpu-8M pre modify none $D $P)
		{"mdev_type":"mgpu-8M","start":"manual","attrs":[{"a":"1"}]}
		a $(args mgpu-8M post modify success $D $P)
		{"mdev_type":"mgpu-8M","start":"manual","attrs":[{"a":"1"}]}
		n $(args mgpu-8M notify modify success $D $P)
	EOF
	definition $P $D mgpu-4M auto
	live --defined
	expect_rc 1
	expect_has err "'type' of active and defined mdev does not match"
	sed -i s/8M/4M/ "$work/json"
	live
	expect_rc 1
	expect_has err "'type' cannot be changed on active mdev"
	run modify -u $D --live --auto
	expect_rc 1
	expect_has err "'auto' cannot be changed on active mdev"
	run modify -u $D --live --manual
	expect_has err "'manual' cannot be changed on active mdev"
	run modify -u $D --live --delattr
	expect_has err "'live' option must be used with 'jsonfile' option"
	run modify -u $C --live --jsonfile "$work/json"
	expect_has err "Error: Mediated device $C is not active"
	run modify -u $D -p $P2 --live --jsonfile "$work/json"
	expect_has err "Error: Mediated device $P2/$D is not active"
}

test_stderr_is_passed_on() {
	use_etc
	script callouts script <<<'[ $event != pre ] || printf "one\ntwo\n" >&2'
	script notifiers n <<<'echo not this >&2'
	run define -u $D -p $P -t t
	expect_rc 0
	expect_err <<-'EOF'
		script: one
		two
	EOF
}

# More than pipes hold, in each direction, before the input is read or without reading it at all
test_chatty_script() {
	use_etc
	printf '{"mdev_type":"t","start":"auto","attrs":[{"a":"%0200000d"}]}' 7 >"$work/json"
	for body in 'head -c 3000000 /dev/zero; cat >/dev/null' 'head -c 300000 /dev/zero >&2; cat >/dev/null' \
		'head -c 300000 /dev/zero' 'exec <&-; head -c 300000 /dev/zero' 'exec >&- 2>&-; cat >/dev/null'; do
		script callouts a <<<"$body"
		last="define, with a script that does $body"
		timeout 20 "$MDEV_CTL" define -u $D -p $P --jsonfile "$work/json" >"$work/out" 2>/dev/null
		rc=$?
		: >"$work/err"
		expect_rc 0
		rm -f "$(etc)/$P/$D"
	done
}

test_script_that_hangs() {
	use_etc
	script callouts a <<-EOF
		[ \$action != capabilities ] || exit 0
		trap '' TERM
		sleep 1000 &
		echo \$! >"$work/child"
		wait
		wait
	EOF
	last=define
	MDEV_CTL_SCRIPT_TIMEOUT=1 timeout 20 "$MDEV_CTL" define -u $D -p $P -t t >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_has err "callouts/a\" did not finish in 1 s and was killed"
	expect_not_defined $P $D
	[ ! -e "/proc/$(cat "$work/child")/fd/0" ] || fail "its child is still there"
}

# A script that chatters for ever is not listened to for ever.
test_script_that_floods() {
	use_etc
	script callouts a <<<'[ $action = capabilities ] || exec cat /dev/zero'
	last=define
	MDEV_CTL_SCRIPT_TIMEOUT=1 timeout 30 "$MDEV_CTL" define -u $D -p $P -t t >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 1
	expect_has err 'did not finish in 1 s'
}

# What a script leaves behind holds its pipes, and is not waited for.
test_script_with_a_daemon() {
	use_etc
	script callouts a <<-EOF
		sleep 1000 &
		echo \$! >>"$work/daemons"
	EOF
	last=define
	timeout 20 "$MDEV_CTL" define -u $D -p $P -t t >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 0
	while read -r pid; do kill "$pid"; done <"$work/daemons"
}

# A script may use the tool: no lock is held while it runs.
test_script_that_calls_the_tool() {
	use_etc
	definition $P $D t manual
	script callouts a <<-EOF
		[ "\$event \$action" = 'pre define' ] || exit 0
		"$MDEV_CTL" modify -u $D --auto >/dev/null
	EOF
	last=define
	timeout 20 "$MDEV_CTL" define -u $A -p $P -t t >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 0
	expect_has "root/etc/mdevctl.d/$P/$D" '"start": "auto"'
}

# Whoever starts the tool may ignore or block the signal of a child's end.
test_signals_of_the_caller() {
	use_etc
	script callouts a <<<'trap "exit 0" PIPE; exit 0'
	last=define
	(trap '' CHLD; exec env MDEV_CTL_SCRIPT_TIMEOUT=20 timeout 10 "$MDEV_CTL" define -u $D -p $P -t t) || fail 'with SIGCHLD ignored'
	python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
os.execv(sys.argv[1], sys.argv[1:])' "$MDEV_CTL" undefine -u $D || fail 'with SIGCHLD blocked'
	expect_not_defined $P $D
}

test_script_inherits_no_descriptor() {
	use_etc
	# the shell has a descriptor of its own for the script that it reads
	script callouts a <<<"[ \$event != pre ] || exec ls -l /proc/self/fd >$work/fds"
	last=define
	"$MDEV_CTL" define -u $D -p $P -t t 7</etc/passwd 9>"$work/nine" >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 0
	expect_equal '' "$(sed -n 's/.* \([0-9]*\) -> \(.*\)/\1 \2/p' "$work/fds" | grep -vE '^[02] pipe:|/proc/|fds$')" descriptors
	for fds in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		rm -f "$(etc)/$P/$D" "$work/fds"
		eval "\"\$MDEV_CTL\" define -u $D -p $P -t t $fds" || fail "define $fds"
		expect_equal '0 2' "$(sed -n 's/.* \([02]\) -> pipe:.*/\1/p' "$work/fds" | xargs)" "pipes of the script with $fds"
	done
}

tap_main "$@"
