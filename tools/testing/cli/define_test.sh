#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests 'mdev-ctl define' and 'undefine': the files, to the byte.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

compact='{"mdev_type":"mgpu-4M","start":"auto","attrs":[{"a/b":"1 \"x\u00e9\u0001\""},{"a/b":""}]}'

test_define() {
	use_etc
	run define -u ${D^^} -p $P -t mgpu-4M
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_definition $P $D <<-'EOF'
		{
		  "mdev_type": "mgpu-4M",
		  "start": "manual",
		  "attrs": []
		}
	EOF
	run define --uuid "{$D}" --parent $P2 --type mtty-1 --auto
	expect_rc 0
	expect_definition $P2 $D <<-'EOF'
		{
		  "mdev_type": "mtty-1",
		  "start": "auto",
		  "attrs": []
		}
	EOF
	expect_equal 2 "$(find "$root/etc" -type f ! -name '.*' | wc -l)" files
}

# Who may read the definitions, which is everybody, cannot keep others from changing them.
test_lock_is_for_the_owner_only() {
	use_etc
	(umask 0 && run define -u $D -p $P -t t && expect_rc 0)
	expect_equal 600 "$(stat -c %a "$(etc)/.mdev-ctl.lock")" 'mode of the lock'
	exec 3<"$(etc)"
	flock 3
	last='modify with the directory locked'
	timeout 10 "$MDEV_CTL" modify -u $D --auto >"$work/out" 2>"$work/err"
	rc=$?
	exec 3<&-
	expect_rc 0
}

test_define_makes_the_directories() {
	mkdir "$root/etc"
	(umask 027 && run define -u $D -p $P -t t && expect_rc 0)
	expect_equal '750 750 640' "$(stat -c %a "$(etc)" "$(etc)/$P" "$(etc)/$P/$D" | xargs)" modes
}

test_define_random() {
	use_etc
	run define -p $P -t t
	expect_rc 0
	[[ $(cat "$work/out") =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]] ||
		fail "not a version 4 UUID: $(cat "$work/out")"
	expect_equal "$(cat "$work/out")" "$(ls "$(etc)/$P")" file
}

test_define_twice() {
	use_etc
	definition $P $D t manual
	cp "$(etc)/$P/$D" "$work/before"
	run define -u $D -p $P -t other -a
	expect_rc 1
	expect_no_out
	expect_has err "Error: Device $D on $P already defined"
	run define -u $D -p $P --jsonfile /dev/null
	expect_rc 1
	expect_has err "Error: Cowardly refusing to overwrite existing config for $P/$D"
	differ 'the file' "$work/before" "$(etc)/$P/$D"
}

test_define_insufficient() {
	three_instances
	for args in "-u $C" "-u $C -t t" "-u $D -t mgpu-8M"; do
		# shellcheck disable=SC2086 # words are wanted
		run define $args
		expect_rc 1
		expect_has err 'Error: No parent specified'
	done
	for args in "-p $P" "-u $C -p $P"; do
		# shellcheck disable=SC2086 # words are wanted
		run define $args
		expect_rc 1
		expect_has err 'Error: No type specified'
	done
	[ ! -e "$(etc)/$P" ] || fail 'something was written'
}

test_define_active() {
	three_instances
	run define -u $D
	expect_rc 0
	expect_no_out
	expect_has "root/etc/mdevctl.d/$P/$D" '"mdev_type": "mgpu-8M"'
	run define -u $B -p $P2
	expect_rc 0
	expect_has "root/etc/mdevctl.d/$P2/$B" '"mdev_type": "mgpu-4M"'
}

test_define_jsonfile() {
	use_etc
	printf '%s' "$compact" >"$work/json"
	run define -u $D --parent=$P --jsonfile="$work/json"
	expect_rc 0
	expect_no_out
	expect_definition $P $D <<-'EOF'
		{
		  "mdev_type": "mgpu-4M",
		  "start": "auto",
		  "attrs": [
		    {
		      "a/b": "1 \"xé\u0001\""
		    },
		    {
		      "a/b": ""
		    }
		  ]
		}
	EOF
	last='mdev-ctl define <json'
	"$MDEV_CTL" define --parent=$P2 --jsonfile=/dev/stdin --uuid=$D <"$work/json" >"$work/out" 2>"$work/err"
	rc=$?
	expect_rc 0
	expect_no_out
	differ 'the same from stdin' "$(etc)/$P/$D" "$(etc)/$P2/$D"
	rm "$(etc)/$P2/$D"
	sed -n p "$work/json" | "$MDEV_CTL" define --parent=$P2 --jsonfile=/dev/stdin --uuid=$D 2>"$work/err" || fail 'from a pipe'
	differ 'the same from a pipe' "$(etc)/$P/$D" "$(etc)/$P2/$D"
	run define -p $P --jsonfile "$work/json"
	expect_rc 0
	[ -e "$(etc)/$P/$(cat "$work/out")" ] || fail 'the UUID that it printed is not there'
}

test_define_jsonfile_refused() {
	use_etc
	run define -u $D -p $P --jsonfile "$work/none"
	expect_rc 1
	expect_err <<-EOF
		Error: Unable to read file "$work/none"

		Caused by:
		    No such file or directory (os error 2)
	EOF
	printf '%s' "$compact" >"$work/json"
	run define -u $D --jsonfile "$work/json"
	expect_rc 1
	expect_has err "Error: Parent device required to define device via \"$work/json\""
	while read -r json; do
		printf '%s' "$json" >"$work/json"
		run define -u $D -p $P --jsonfile "$work/json"
		expect_rc 1
		expect_no_out
		expect_has err "Error: Unable to use file \"$work/json\": "
		[ ! -e "$(etc)/$P/$D" ] || fail "it was taken: $json"
		rm -f "$(etc)/$P/$D"
	done < <(bad_json)
	: >"$work/json"
	run define -u $D -p $P --jsonfile "$work/json"
	expect_rc 1
}

bad_json() {
	cat <<-'EOF'
		{
		[]
		null
		"x"
		{"mdev_type":"t"}
		{"start":"auto"}
		{"mdev_type":null,"start":"auto"}
		{"mdev_type":"t","start":null}
		{"mdev_type":7,"start":"auto"}
		{"mdev_type":"","start":"auto"}
		{"mdev_type":"../t","start":"auto"}
		{"mdev_type":"t\u0000u","start":"auto"}
		{"mdev_type":"t","start":"auto"} x
		{"mdev_type":"t","start":"auto",}
		{'mdev_type':"t","start":"auto"}
		{"mdev_type":"t","start":"auto" /* */}
		{"mdev_type":"t	u","start":"auto"}
		{"mdev_type":"t","start":"auto","attrs":{}}
		{"mdev_type":"t","start":"auto","attrs":"x"}
		{"mdev_type":"t","start":"auto","attrs":["x"]}
		{"mdev_type":"t","start":"auto","attrs":[{}]}
		{"mdev_type":"t","start":"auto","attrs":[{"a":"1","b":"2"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"a":1}]}
		{"mdev_type":"t","start":"auto","attrs":[{"a":null}]}
		{"mdev_type":"t","start":"auto","attrs":[{"":"1"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"/etc/passwd":"1"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"../x":"1"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"x/..":"1"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"x/../y":"1"}]}
		{"mdev_type":"t","start":"auto","attrs":[{"..":"1"}]}
	EOF
	printf '{"mdev_type":"t\xff","start":"auto"}\n'
	printf '{"mdev_type":"t","start":"auto","attrs":[{"a":"%b"}]}\n' \
		'\xff' 'x\xc3' '\xc0\xaf' '\xe0\x9f\xbf' '\xed\xa0\x80' '\xf4\x90\x80\x80' '\\\xc3\xa9'
}

# What mdevctl takes, too
test_define_jsonfile_tolerated() {
	use_etc
	while read -r json; do
		printf '%s' "$json" >"$work/json"
		rm -f "$(etc)/$P/$D"
		run define -u $D -p $P --jsonfile "$work/json"
		expect_rc 0
		expect_no_err
		expect_definition $P $D <<-'EOF'
			{
			  "mdev_type": "t",
			  "start": "manual",
			  "attrs": []
			}
		EOF
	done <<-'EOF'
		{"mdev_type":"t","start":"manual"}
		{"start":"manual","mdev_type":"t","attrs":null}
		{"mdev_type":"t","start":true,"attrs":[]}
		{"mdev_type":"t","start":{"x":[1,2]},"other":{}}
		{"mdev_type":"t","start":"AUTO"}
		{"mdev_type":"u","mdev_type":"t","start":"auto","start":""}
		  { "mdev_type" : "\u0074" , "start" : 0 }
	EOF
}

# The format is mdevctl's, whichever way the attributes came.
test_names_that_are_no_escape() {
	use_etc
	printf '{"mdev_type":"t","start":"x","attrs":[{"..x":"1"},{"x..":"2"},{"a/b/c":"3"},{".":"4"}]}' >"$work/json"
	run define -u $D -p $P --jsonfile "$work/json"
	expect_rc 0
}

test_undefine() {
	use_etc
	definition $P $D t manual
	definition $P2 $D t auto
	definition $P2 $A t auto
	run undefine -u $D -p $P
	expect_rc 0
	expect_no_out
	expect_no_err
	expect_not_defined $P $D
	[ -d "$(etc)/$P" ] || fail 'the directory has gone'
	definition $P $D t manual
	run undefine --uuid ${D^^}
	expect_rc 0
	expect_not_defined $P $D
	expect_not_defined $P2 $D
	[ -e "$(etc)/$P2/$A" ] || fail 'another device has gone'
	run undefine -u $D
	expect_rc 1
	expect_has err 'Error: No devices match the specified uuid'
}

# /etc may be on one that can do less.
test_simple_file_system() {
	use_etc
	use_shim
	shim_run SHIM_OLD_FS=1 -- define -u $D -p $P -t t
	expect_rc 0
	expect_has "root/etc/mdevctl.d/$P/$D" '"mdev_type": "t"'
	# Defined by another process while a script was thinking about it
	script callouts a <<-EOF
		[ "\$event \$action" != 'pre define' ] || cp "$(etc)/$P/$D" "$(etc)/$P/$A"
	EOF
	shim_run SHIM_OLD_FS=1 -- define -u $A -p $P -t other
	expect_rc 1
	expect_has err "Error: Device $A on $P already defined"
	expect_has "root/etc/mdevctl.d/$P/$A" '"mdev_type": "t"'
	shim_run SHIM_OLD_FS=1 -- modify -u $A --auto
	expect_rc 0
	expect_has "root/etc/mdevctl.d/$P/$A" '"start": "auto"'
	shim_run SHIM_OLD_FS=1 -- undefine -u $A
	expect_rc 0
}

# unprivileged ARGS..: as run, by somebody who owns nothing
unprivileged() {
	last="mdev-ctl $*, without rights"
	"${as_nobody[@]}" "$work/mdev-ctl" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

test_no_rights() {
	local as_nobody=() args

	use_etc
	definition $P $D t manual
	cp "$MDEV_CTL" "$work/mdev-ctl"
	if [ "$(id -u)" -eq 0 ]; then
		chmod 755 "$work"
		as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	else
		chmod a-w "$(etc)" "$(etc)/$P"
	fi
	for args in "define -u $A -p $P -t t" "modify -u $D --auto" "undefine -u $D"; do
		# shellcheck disable=SC2086 # words are wanted
		unprivileged $args
		expect_rc 1
		expect_has err 'Permission denied (os error 13)'
		expect_has err 'takes the rights of root'
	done
	unprivileged list -d
	expect_rc 0
	expect_out <<<"$D $P t manual"
	chmod u+w "$(etc)" "$(etc)/$P"
}

tap_main "$@"
