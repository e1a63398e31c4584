#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests what mdevctl does not have: 'mdev-ctl who', 'stats', 'doctor' and 'stop --timeout'.

# shellcheck source=fake.sh
. "$(dirname "$0")/fake.sh"

# process PID COMMAND FD-TARGET ARGS..
process() {
	local dir=$root/proc/$1 target=$3

	mkdir -p "$dir/fd" "$dir/fdinfo"
	echo "$2" >"$dir/comm"
	ln -s "$target" "$dir/fd/7"
	ln -s /dev/null "$dir/fd/0"
	shift 3
	printf '%s\0' "$@" >"$dir/cmdline"
}

group() { ln -s "../../../../kernel/iommu_groups/$2" "$sys/bus/mdev/devices/$1/iommu_group"; }

test_who() {
	three_instances
	group $D 12
	group $B 1
	mkdir -p "$sys/bus/mdev/devices/$D/vfio-dev/vfio3"
	process 4711 qemu-system-x86 /dev/vfio/12 qemu -m 1G -name 'guest=a,,b,debug-threads=on' -S
	process 99 probe /dev/vfio/devices/vfio3 probe
	process 100 other /dev/vfio/1 other -name
	process 101 elsewhere /dev/vfio/123
	process 102 nothing /dev/vfio/vfio
	process 103 late 'anon_inode:[vfio-device]'
	printf 'pos:\t0\nvfio-device-syspath: /sys/devices/pci/%s\n' $D >"$root/proc/103/fdinfo/7"
	process 104 foreign 'anon_inode:[vfio-device]'
	run who ${D^^}
	expect_rc 0
	expect_no_err
	expect_out <<-'EOF'
		99 probe -
		103 late -
		4711 qemu-system-x86 a,b
	EOF
	run who --json $D
	expect_rc 0
	expect_out <<-EOF
		[
		  {
		    "uuid": "$D",
		    "pid": 99,
		    "command": "probe",
		    "vm": null
		  },
		  {
		    "uuid": "$D",
		    "pid": 103,
		    "command": "late",
		    "vm": null
		  },
		  {
		    "uuid": "$D",
		    "pid": 4711,
		    "command": "qemu-system-x86",
		    "vm": "a,b"
		  }
		]
	EOF
	run who $B
	expect_out <<<'100 other -'
	run who $A --json
	expect_rc 0
	expect_out <<<'[]'
	run who $A
	expect_rc 0
	expect_no_out
	run who $C
	expect_rc 1
	expect_has err "Error: No active mediated device $C"
	for args in who 'who x' "who $A $B"; do
		# shellcheck disable=SC2086 # words are wanted
		run $args
		expect_rc 2
	done
}

# QEMU takes the sub-options of -name in any order, and the name alone only in front
test_who_names_the_vm() {
	local name want

	three_instances
	group $D 12
	while IFS='|' read -r name want; do
		rm -rf "$root/proc/4711"
		process 4711 qemu /dev/vfio/12 qemu -name "$name" -S
		run who $D
		expect_out <<<"4711 qemu $want"
	done <<-'EOF'
		web|web
		web,debug-threads=on|web
		guest=web|web
		debug-threads=on,guest=web|web
		process=a,guest=web,debug-threads=on|web
		process=a,,guest=b,guest=web,,1|web,1
		web,,guest=b|web,guest=b
		web,guest=db|db
		web,,|web,
		debug-threads=on|-
		process=a,,guest=b|-
		process=web,debug-threads|-
		myguest=web|-
		guest=,debug-threads=on|-
		,debug-threads=on|-
		|-
	EOF
}

test_stop_names_the_user() {
	three_instances
	use_shim
	group $D 12
	process 4711 qemu-system-x86 /dev/vfio/12 qemu -name web
	shim_run SHIM_ERRNO=$EBUSY -- stop -u $D
	expect_rc 1
	expect_has err "Hint: Virtual machine 'web' has it (qemu-system-x86, process 4711)."
	: >"$root/proc/4711/cmdline"
	shim_run SHIM_ERRNO=$EBUSY -- stop -u $D
	expect_has err 'Hint: Process 4711 (qemu-system-x86) has it open.'
}

test_stop_timeout() {
	three_instances
	use_shim
	rm "$sys/bus/mdev/devices/$D/remove"
	mkfifo "$sys/bus/mdev/devices/$D/remove"
	# opening a fifo for writing waits, as the kernel's remove does
	for timeout in 0 1; do
		last="mdev-ctl stop --timeout $timeout"
		timeout 20 "$MDEV_CTL" stop -u $D --timeout $timeout >"$work/out" 2>"$work/err"
		rc=$?
		expect_rc 1
		expect_has err "Error: Error removing device $D: it is still in use after $timeout s"
	done
	shim_run SHIM_ERRNO=$EBUSY -- stop -u $B --timeout 2
	expect_rc 1
	[ "$(wc -l <"$work/log")" -ge 2 ] || fail 'was not asked again'
	run stop -u $A --timeout 0
	expect_rc 0
	for bad in -1 x '' 1.5 100000; do
		run stop -u $A --timeout="$bad"
		expect_rc 2
	done
}

test_stats() {
	three_instances
	for uuid in $D $B; do mkdir "$sys/bus/mdev/devices/$uuid/vpci"; done
	echo 12 >"$sys/bus/mdev/devices/$D/vpci/config_reads"
	echo 18446744073709551615 >"$sys/bus/mdev/devices/$D/vpci/faults"
	echo 3 >"$sys/bus/mdev/devices/$B/vpci/faults"
	run stats
	expect_rc 0
	expect_no_err
	expect_out <<-EOF
		                                                  config
		UUID                                    faults     reads
		$A         -         -
		$B         3         -
		$D 18446744073709551615        12
	EOF
	run stats -u $D --json
	expect_rc 0
	expect_out <<-EOF
		[
		  {
		    "uuid": "$D",
		    "parent": "$P",
		    "type": "mgpu-8M",
		    "counters": {
		      "config_reads": 12,
		      "faults": 18446744073709551615
		    }
		  }
		]
	EOF
	run stats -u $A --json
	expect_has out '"counters": {'
	run stats -u $C
	expect_rc 1
	expect_no_out
	rm -r "$sys/bus"
	run stats
	expect_rc 0
	expect_no_out
	run stats --json
	expect_out <<<'[]'
}

test_stats_watch() {
	local line pid n=0

	three_instances
	mkdir "$sys/bus/mdev/devices/$D/vpci"
	echo 5 >"$sys/bus/mdev/devices/$D/vpci/faults"
	last='stats --watch --json'
	exec 3< <(exec "$MDEV_CTL" stats -w --json -u $D)
	pid=$!
	for want in 0 10; do
		IFS= read -r -t 20 line <&3 || fail 'no line'
		expect_equal "[{\"uuid\":\"$D\",\"parent\":\"$P\",\"type\":\"mgpu-8M\",\"counters\":{\"faults\":$want}}]" "$line" "line $((++n))"
		[ $n != 1 ] || echo 15 >"$sys/bus/mdev/devices/$D/vpci/faults"
	done
	exec 3<&-
	kill $pid 2>/dev/null
	last='stats --watch in a terminal'
	python3 -c 'import os, pty, signal, sys
pid, terminal = pty.fork()
if not pid:
	os.execv(sys.argv[1], sys.argv[1:])
signal.alarm(20)
said = b""
while b"faults" not in said:
	said += os.read(terminal, 4096)
os.kill(pid, signal.SIGTERM)
if not os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
	said += b"it did not end"
os.write(1, said)' "$MDEV_CTL" stats --watch >"$work/out" 2>"$work/err" || fail "$(cat "$work/err")"
	expect_equal $'\033[H\033[Jper second:' "$(head -n 1 "$work/out" | tr -d '\r')" 'first line'
	expect_equal 0 "$(grep -c 'did not end' "$work/out")" 'complaints'
}

healthy() {
	three_instances
	use_etc
	mkdir -p "$root"/{proc/sys/kernel,proc/self,dev/vfio} "$sys"/{kernel/security,module/{vfio,vfio_iommu_type1,vfio_vpci,mdev_core}}
	echo 6.12.95+deb12-amd64 >"$root/proc/sys/kernel/osrelease"
	printf 'Limit Soft Hard\nMax locked memory         unlimited            unlimited            bytes\n' >"$root/proc/self/limits"
	echo '[none] integrity confidentiality' >"$sys/kernel/security/lockdown"
	echo ABCDEF >"$sys/module/mdev_core/srcversion"
	echo OE >"$sys/module/mdev_core/taint"
	: >"$root/dev/vfio/vfio"
	chmod 666 "$root/dev/vfio/vfio"
	for uuid in $A $B $D; do
		group "$uuid" 7
	done
	: >"$root/dev/vfio/7"
	chmod 600 "$root/dev/vfio/7"
	ln -s ../../../bus/pci/drivers/mgpu "$sys/class/mdev_bus/$P/driver"
}

test_doctor_healthy() {
	healthy
	# what they know of attributes is of no interest here
	script callouts a </dev/null
	run doctor
	expect_rc 0
	expect_no_err
	expect_calls all </dev/null
	expect_out <<-EOF
		ok       kernel: 6.12.95+deb12-amd64
		ok       signatures: modules need no signature, lockdown is off
		ok       mdev core: that of this project, source ABCDEF, unsigned
		ok       vfio-vpci: loaded
		ok       VFIO: loaded
		ok       VFIO container: /dev/vfio/vfio and vfio_iommu_type1 are there
		ok       iommufd: not to be had in this kernel; groups and containers do without
		ok       IOMMU: none; mediated devices need none, whole physical devices do
		ok       locked memory: unlimited can be locked
		ok       parent: $P, driver mgpu, 3 types, 4 of the smallest can be started
		ok       parent: $P2, driver none, 1 types, 24 of the smallest can be started
		ok       device: $B: /dev/vfio/7, mode 600, user $(id -u), group $(id -g)
		ok       device: $D: /dev/vfio/7, mode 600, user $(id -u), group $(id -g)
		ok       device: $A: /dev/vfio/7, mode 600, user $(id -u), group $(id -g)
		ok       definitions: 0, 0 of them started by udev
	EOF
	run doctor --json
	expect_rc 0
	expect_equal 15 "$(python3 -c 'import json,sys
j=json.load(sys.stdin)
assert all(list(r) == ["check","status","message","advice"] for r in j)
print(len(j))' <"$work/out")" results
}

test_doctor_kernel_core() {
	healthy
	mv "$sys/module/mdev_core" "$sys/module/mdev"
	run doctor
	expect_rc 0
	expect_has out "ok       mdev core: the kernel's own, source ABCDEF, unsigned"
}

# A VM that has only mediated devices locks none
test_doctor_locked_memory() {
	healthy
	echo 'Max locked memory 8388608 8388608 bytes' >"$root/proc/self/limits"
	run doctor
	expect_rc 0
	expect_has out 'ok       locked memory: 8 MiB can be locked by processes of this user; a VM needs more only with a whole physical device, or a driver that pins'
	expect_equal 0 "$(grep -c -e warning -e '->' "$work/out")" 'complaints'
}

# Each that is broken is found, and says what to do.
test_doctor_finds() {
	local want

	while IFS='|' read -r want fails break; do
		rm -rf "$root"
		mkdir -p "$sys"
		healthy
		eval "$break"
		run doctor
		expect_rc "$fails"
		grep -A1 -e "$want" "$work/out" | tail -n 1 | grep -q '^         -> ' || { fail "$break: not found, or no advice"; sed 's/^/# /' "$work/out"; }
	done <<-'EOF'
		^warning  kernel: 5.10.0|0|echo 5.10.0 >"$root/proc/sys/kernel/osrelease"
		^warning  kernel: 6.1.0-37|0|echo 6.1.0-37 >"$root/proc/sys/kernel/osrelease"
		^warning  signatures: .* lockdown: none \[integrity\]|0|echo 'none [integrity] x' >"$sys/kernel/security/lockdown"
		^warning  signatures:|0|mkdir -p "$sys/module/module/parameters"; echo Y >"$sys/module/module/parameters/sig_enforce"
		^failed   mdev core:|1|rm -r "$sys/bus/mdev"
		^failed   VFIO: the module|1|rm -r "$sys/module/vfio"
		^failed   VFIO container:|1|rm "$root/dev/vfio/vfio"
		^warning  VFIO container: .*mode 600|0|chmod 600 "$root/dev/vfio/vfio"
		^warning  VFIO container: .*not loaded|0|rm -r "$sys/module/vfio_iommu_type1"
		^failed   parent: no device|1|rm -r "$sys/class/mdev_bus"
		^failed   device: .*no IOMMU group|1|rm "$sys/bus/mdev/devices/$D/iommu_group"
		^warning  device: .*/dev/vfio/7 is not there|0|rm "$root/dev/vfio/7"
		^warning  definitions: 1, but no udev rule|0|definition $P $D mgpu-8M auto
	EOF
}

tap_main "$@"
