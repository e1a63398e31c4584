#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests what is made of definitions: 'mdev-ctl list -d', 'start', 'start-parent-mdevs', and how bad files are treated.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

several() {
	three_instances
	use_etc
	definition $P2 $A mtty-1 auto
	definition $P $B mgpu-16M manual "$(attr a 1),
$(attr vendor/b 'x "y"' | sed 's/x "y"/x \\"y\\"/')"
	definition $P $C mgpu-4M auto
}

test_list_defined() {
	several
	run list -d
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		$B $P mgpu-16M manual
		$C $P mgpu-4M auto
		$A $P2 mtty-1 auto (active)
	EOF
	run list -dv -p $P
	expect_out <<-EOF
		$B $P mgpu-16M manual
		  Attrs:
		    @{0}: {"a":"1"}
		    @{1}: {"vendor/b":"x "y""}
		$C $P mgpu-4M auto
	EOF
	run list -d -u $C
	expect_out <<<"$C $P mgpu-4M auto"
	run list -d -u $C -p $P2
	expect_rc 0
	expect_no_out
	run list
	expect_out <<-EOF
		$B $P mgpu-4M manual (defined)
		$D $P mgpu-8M manual
		$A $P2 mtty-1 auto (defined)
	EOF
}

test_list_defined_json() {
	several
	run list --defined --dumpjson
	expect_rc 0
	expect_json <<-EOF
		[
		  {
		    "$P": [
		      {
		        "$B": {
		          "mdev_type": "mgpu-16M",
		          "start": "manual",
		          "attrs": [
		            {
		              "a": "1"
		            },
		            {
		              "vendor/b": "x \"y\""
		            }
		          ]
		        }
		      },
		      {
		        "$C": {
		          "mdev_type": "mgpu-4M",
		          "start": "auto",
		          "attrs": []
		        }
		      }
		    ],
		    "$P2": [
		      {
		        "$A": {
		          "mdev_type": "mtty-1",
		          "start": "auto",
		          "attrs": []
		        }
		      }
		    ]
		  }
		]
	EOF
	run list -d --dumpjson -u $A
	differ 'one device, as it is in the file' "$(etc)/$P2/$A" "$work/out"
	run list --dumpjson -u $A
	differ 'the same of the active one' "$(etc)/$P2/$A" "$work/out"
	definition $P $A mtty-1 auto
	run list -d --dumpjson -u $A
	expect_equal 2 "$(grep -c "\"$A\"" "$work/out")" 'both definitions'
	run list -d --dumpjson -u $D
	expect_json <<<'[]'
}

test_names_of_mdevctl() {
	several
	ln -sf "$MDEV_CTL" "$work/lsmdev"
	ln -sf "$MDEV_CTL" "$work/mdevctl"
	run list -d
	cp "$work/out" "$work/expected"
	last='lsmdev -d'
	"$work/lsmdev" -d >"$work/out" 2>"$work/err" || fail lsmdev
	differ lsmdev "$work/expected" "$work/out"
	"$work/mdevctl" list -d >"$work/out" || fail mdevctl
	differ mdevctl "$work/expected" "$work/out"
	expect_equal 'mdevctl 1.4.0' "$("$work/mdevctl" --version)" version
	expect_equal 'mdevctl-list 1.4.0' "$("$work/mdevctl" list -V)" version
	expect_equal 'mdevctl-list 1.4.0' "$("$work/lsmdev" -V)" version
	"$work/lsmdev" list 2>/dev/null
	expect_equal 2 $? 'lsmdev with a subcommand'
	for dir in etc/mdevctl.d usr/lib/mdevctl/scripts.d/callouts usr/lib/mdevctl/scripts.d/notifiers; do
		use_etc
		rm -r "${root:?}/$dir"
		for args in list --help; do
			"$work/mdevctl" $args >"$work/out" 2>"$work/err"
			expect_equal 1 $? "mdevctl $args without $dir"
			expect_no_out
			expect_has err "Error: Required directory \"$root/$dir\" doesn't exist. This may indicate a packaging or installation error"
		done
	done
}

test_variable_of_mdevctl() {
	several
	run list -d
	cp "$work/out" "$work/expected"
	unset MDEV_CTL_ROOT
	MDEVCTL_ENV_ROOT=$root run list -d
	expect_rc 0
	differ 'the same' "$work/expected" "$work/out"
	MDEVCTL_ENV_ROOT=$root run --version
	expect_out <<<'mdevctl 1.4.0'
	rm -r "$root/sys"
	MDEVCTL_ENV_ROOT=$root run list
	expect_rc 0
	expect_no_out
	rm -r "${root:?}/usr"
	MDEVCTL_ENV_ROOT=$root run list
	expect_rc 1
}

# One bad file disables nothing but itself.
test_bad_files() {
	several
	echo '{' >"$(etc)/$P/$D"
	: >"$(etc)/$P2/$C"
	: >"$(etc)/$P2/not-a-uuid"
	: >"$(etc)/file"
	mkdir "$(etc)/$P2/$B" "$(etc)/empty"
	mkfifo "$(etc)/$P2/44444444-4444-4444-8444-444444444444"
	ln -s "$(etc)/$P2/$A" "$(etc)/$P2/$D"
	ln -s $P2 "$(etc)/link"
	mkdir "$(etc)/"$'caf\xe9'
	cp "$(etc)/$P/$B" "$(etc)/"$'caf\xe9'/
	head -c 2000000 /dev/zero | tr '\0' ' ' >"$(etc)/$P2/55555555-5555-4555-8555-555555555555"
	run list -d
	expect_rc 0
	expect_out <<-EOF
		$B $P mgpu-16M manual
		$C $P mgpu-4M auto
		$A $P2 mtty-1 auto (active)
	EOF
	expect_equal 9 "$(grep -c '^Warning: .* is left out: ' "$work/err")" warnings
	MDEVCTL_LOG=error run list -d
	expect_no_err
	run list
	expect_rc 0
	expect_err <<<"Warning: $(etc)/$P/$D is left out: invalid json: unexpected end of data"
	expect_has out "$D $P mgpu-8M manual (defined)"
	run list -d -u $D -p $P
	expect_rc 1
	expect_has err "Error: Unable to use the definition $(etc)/$P/$D: invalid json"
	for args in "start -u $D -p $P" "modify -u $D -p $P -a" "undefine -u $D -p $P"; do
		# shellcheck disable=SC2086 # words are wanted
		run $args
		expect_rc 1
		expect_has err "Unable to use the definition $(etc)/$P/$D"
		[ -e "$(etc)/$P/$D" ] || fail "$args: it has gone"
	done
}

# Read, and in the JSON, but not in the text, as with mdevctl
test_misnamed_file() {
	use_etc
	definition $P ${D^^} t manual
	run list -d
	expect_no_out
	run list -d --dumpjson
	expect_has out "\"$D\""
}

test_start_defined() {
	several
	use_shim
	shim_run SHIM_BIRTH=1 -- start -u ${C^^}
	expect_rc 0
	expect_no_out
	expect_log <<<"create 36 $C"
	expect_equal $C "$(cat "$(type_dir $P mgpu-4M)/create")" 'what create got'
	run start -u $B -t mgpu-4M
	expect_rc 1
	expect_has err "Error: Device $B already exists on parent $P with type mgpu-16M"
	definition $P2 $C mtty-1 manual
	run start -u $C
	expect_rc 1
	expect_has err "Error: Multiple definitions found for device $C. Please specify a parent."
	run start -u $A
	expect_rc 1
	expect_has err 'Error: Device already exists'
}

# The ends of what UTF-8 has with each length, in a name and in a value. Libraries disagree about them, and what was
# stored with one of them has to be readable with all.
test_stored_characters() {
	local raw escaped

	three_instances
	use_etc
	while read -r raw escaped; do
		raw=$(printf '%b' "$raw")
		definition $P $C t manual "$(attr "x$raw" "$raw")"
		definition $P $B t manual "$(attr "x$escaped" "$escaped")"
		grep -qF "$raw" "$(etc)/$P/$C" || fail "$escaped: the definition is not as it should be"
		run list -d -u $C -v
		expect_rc 0
		expect_no_err
		expect_has out "{\"x$raw\":\"$raw\"}"
		sed 1d "$work/out" >"$work/stored"
		run list -d -u $B -v
		sed 1d "$work/out" >"$work/escaped"
		differ "$escaped" "$work/escaped" "$work/stored"
		run modify -u $C --auto
		expect_rc 0
		expect_has "root/etc/mdevctl.d/$P/$C" "\"x$raw\": \"$raw\""
	done <<-'EOF'
		\x7f \u007f
		\xc2\x80 \u0080
		\xdf\xbf \u07ff
		\xe0\xa0\x80 \u0800
		\xed\x9f\xbf \ud7ff
		\xee\x80\x80 \ue000
		\xef\xbf\xbf \uffff
		\xf0\x90\x80\x80 \ud800\udc00
		\xf4\x8f\xbf\xbf \udbff\udfff
	EOF
}

test_start_jsonfile() {
	several
	echo '{"mdev_type":"mgpu-8M","start":"manual"}' >"$work/json"
	run start -p $P --jsonfile "$work/json"
	expect_rc 0
	expect_equal "$(cat "$work/out")" "$(cat "$(type_dir $P mgpu-8M)/create")" 'what create got'
	run start -u $C --jsonfile "$work/json"
	expect_rc 1
	expect_has err 'Error: Parent device required to start device via json file'
	run start -u $C -p $P --jsonfile "$work/json" -t t
	expect_rc 2
}

# The attributes are written in order, verbatim; a failure removes the device again.
test_start_attributes() {
	local dir

	two_parents
	use_etc
	use_shim
	definition $P $D mgpu-4M manual "$(attr a 1),
$(attr vendor/b ' x'),
$(attr a 2),
$(attr c '')"
	dir=$sys/bus/mdev/devices/$D
	mkdir -p "$dir/vendor" "$work/keep"
	touch "$dir"/{a,c,vendor/b,remove}
	run start -u $D
	expect_rc 1
	expect_has err 'exists'
	mv "$dir" "$work/keep/dir"
	shim_run "SHIM_ADOPT=$work/keep/dir" -- start -u $D
	expect_rc 0
	expect_no_err
	expect_equal '2' "$(cat "$dir/a")" 'attribute a'
	expect_equal ' x' "$(cat "$dir/vendor/b")" 'attribute vendor/b'
	expect_equal '0 0' "$(stat -c %s "$dir/c" "$dir/remove" | xargs)" 'sizes of c and remove'

	rm -r "$dir/vendor"
	: >"$dir/a"
	mv "$dir" "$work/keep/dir"
	shim_run "SHIM_ADOPT=$work/keep/dir" -- start -u $D
	expect_rc 1
	expect_has err "Error: Invalid attribute 'vendor/b'"
	expect_equal 1 "$(cat "$dir/remove")" 'what remove got'
	[ ! -e "$dir/vendor" ] || fail 'a file was created'

	mkdir "$dir/vendor"
	: >"$dir/vendor/b"
	: >"$dir/remove"
	mv "$dir" "$work/keep/dir"
	shim_run "SHIM_ADOPT=$work/keep/dir" SHIM_DENY=b -- start -u $D
	expect_rc 1
	expect_has err 'Error: Failed to write  x to attribute vendor/b'
	expect_equal 1 "$(cat "$dir/remove")" 'what remove got'
}

# A device has links to its driver and others, behind which an attribute has no business.
test_start_attribute_behind_a_link() {
	local dir name

	two_parents
	use_etc
	use_shim
	dir=$sys/bus/mdev/devices/$D
	mkdir -p "$dir" "$work/keep" "$work/driver"
	ln -s "$work/driver" "$dir/driver"
	: >"$work/driver/unbind"
	ln -s "$work/driver/unbind" "$dir/link"
	for name in driver/unbind link; do
		: >"$dir/remove"
		rm -rf "$work/keep/dir"
		mv "$dir" "$work/keep/dir"
		definition $P $D mgpu-4M manual "$(attr $name $D)"
		shim_run "SHIM_ADOPT=$work/keep/dir" -- start -u $D
		expect_rc 1
		expect_has err "Error: Invalid attribute '$name': it leads out of the device"
		expect_equal '' "$(cat "$work/driver/unbind")" 'what was written there'
		expect_equal 1 "$(cat "$dir/remove")" 'what remove got'
	done
}

test_start_says_the_kernels_reason() {
	two_parents
	use_shim
	mkdir "$root/dev"
	echo "6,1,2,-;mgpu $P: $C: old news" >"$root/dev/kmsg"
	shim_run SHIM_ERRNO=$ENOSPC "SHIM_KMSG=6,2,3,-;mgpu $P: $C: no 4 MiB of VRAM: 3 of 16 MiB are free
 SUBSYSTEM=pci
" -- start -u $C -p $P -t mgpu-4M
	expect_rc 1
	expect_has err "Caused by:
    0: mgpu $P: $C: no 4 MiB of VRAM: 3 of 16 MiB are free
    1: No space left on device (os error 28)"
	shim_run SHIM_ERRNO=$ENOSPC "SHIM_KMSG=6,2,3,-;mgpu $P: $D: of another
" -- start -u $C -p $P -t mgpu-4M
	expect_has err 'Caused by:
    No space left on device (os error 28)'
}

test_autostart() {
	several
	use_shim
	definition $P $D mgpu-8M auto
	definition $P 44444444-4444-4444-8444-444444444444 nonsense auto
	: >"$(etc)/$P/55555555-5555-4555-8555-555555555555"
	shim_run SHIM_BIRTH=1 -- start-parent-mdevs $P
	expect_rc 0
	expect_no_out
	expect_log <<<"create 36 $C"
	expect_err <<-EOF
		Warning: $(etc)/$P/55555555-5555-4555-8555-555555555555 is left out: invalid json: unexpected end of data
		$C: started
		Warning: 44444444-4444-4444-8444-444444444444: Parent $P does not support mdev type nonsense
		$D: is active already
	EOF
	for parent in nobody "$P2"; do
		run start-parent-mdevs "$parent"
		expect_rc 0
		expect_no_out
	done
	run start-parent-mdevs
	expect_rc 2
	run start-parent-mdevs ../x
	expect_rc 2
	run start-parent-mdevs $P x
	expect_rc 2
}

# One that does not come up tells why, and keeps no other.
test_autostart_refused() {
	two_parents
	use_etc
	use_shim
	for uuid in $A $B; do definition $P "$uuid" mgpu-4M auto; done
	shim_run SHIM_ERRNO=$ENOSPC -- start-parent-mdevs $P
	expect_rc 0
	expect_log <<-EOF
		create 36 $A
		create 36 $B
	EOF
	expect_err <<-EOF
		Warning: $A: No available instances of mgpu-4M on $P: No space left on device (os error 28)
		Warning: $B: No available instances of mgpu-4M on $P: No space left on device (os error 28)
	EOF
}

add_shell() {
	mkdir -p "$sys/devices/mdev/$1" "$sys/bus/mdev/devices"
	ln -s "../../../devices/mdev/$1" "$sys/bus/mdev/devices/$1"
}

test_shells() {
	three_instances
	add_shell $C
	run list
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		$B $P mgpu-4M manual
		$D $P mgpu-8M manual
		$A $P2 mtty-1 manual
		$C - - manual (shell)
	EOF
	run list -u $C
	expect_out <<<"$C - - manual (shell)"
	run list --dumpjson
	expect_equal 0 "$(grep -c $C "$work/out")" 'lines of JSON'
	run list --dumpjson -u $C
	expect_json <<<'[]'
	run list -p $P2
	expect_out <<<"$A $P2 mtty-1 manual"
	# mdevctl shows nothing of it
	use_etc
	ln -sf "$MDEV_CTL" "$work/lsmdev"
	"$work/lsmdev" >"$work/out"
	expect_equal 0 "$(grep -c $C "$work/out")" 'lines of lsmdev'
	MDEVCTL_ENV_ROOT=$root run list -u $C
	expect_no_out
	run start -u $C -p $P -t mgpu-4M
	expect_rc 1
	expect_has err "Error: Device $C is still open, although its parent has gone"
	expect_has err "'mdev-ctl who $C' shows which."
	run stop -u $C
	expect_rc 1
	expect_has err "Error: Device $C cannot be stopped any more: its parent has gone"
	run stats -u $C --json
	expect_rc 0
	expect_has out '"parent": null'
	run doctor
	expect_has out "device: $C is open, although its parent has gone"
	expect_has out "'mdev-ctl who $C' shows the process."
}

tap_main "$@"
