#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Guests inside the lab VM: the users of the devices under test. Same stock kernel, stock display driver, a small
# initramfs (init-nested.sh). Runs in the lab VM only, where run.sh has left what is needed.
#
#   nested.sh start NAME [--mem SIZE] [--cmdline TEXT] [--file FILE]... [--kver KVER] -- QEMU_DEVICE_ARGS...
#             boot a guest in the background; a FILE is /files/BASENAME in it; KVER another kernel than the usual one
#   nested.sh wait NAME EVENT SEC         until the guest reports EVENT ("ready": the display works), or "exit"
#   nested.sh cmd NAME [--time-limit SEC] COMMAND
#                                         run a shell command in the guest: its output, its status; 124 time limit
#   nested.sh qmp NAME COMMAND [JSON]     ask its QEMU
#   nested.sh says NAME                   print what its QEMU said and should not have, or did not say and should have
#                                         (qemu-says.txt); fails if there is anything
#   nested.sh given NAME WORD...          tell what will have been done to its QEMU, in words of that list
#   nested.sh stop NAME                   power off and wait for QEMU to exit
#   nested.sh release SYSFS_DEVICE SEC    remove a mediated device once nobody has it open any more
#
# Logs: $LAB_OUT/NAME.console.log, and NAME.qemu.log with all that QEMU itself had to say; of earlier guests of that name
# NAME.1.qemu.log and so on. The run fails if one of them is not as qemu-says.txt has it, whether or not "says" looked.

set -euo pipefail

ENV=/run/lab/env
BOOT_LIMIT=60 STOP_LIMIT=60

say() { printf 'nested.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '/^#   nested/,/^# Logs/s/^# \{0,3\}//p' "${BASH_SOURCE[0]}" | sed '/^Logs/d' >&2; exit 2; }

[[ -r $ENV ]] || die "this is not the lab VM; run it there: tools/testing/lab/run.sh -- ..."
# shellcheck disable=SC1090
. "$ENV"
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

(($# >= 2)) || usage
verb=$1 name=$2
shift 2

# When QEMU has exited, KVM may still hold the device's file for a moment: it lets go of it in a worker.
release() {
	local device=$1 end=$((SECONDS + $2)) said
	until said=$( (echo 1 >"$device/remove") 2>&1); do
		if [[ $said != *busy* ]] || ((SECONDS >= end)); then die "$device cannot be removed: ${said##*: }"; fi
		# each refusal is a line in the kernel's log
		sleep 0.2
	done
}
if [[ $verb == release ]]; then
	(($# == 1)) || usage
	release "$name" "$1"
	exit
fi

[[ $name =~ ^[A-Za-z0-9_-]+$ ]] || die "'$name' is not a name for a guest; use letters, digits, - and _"
dir=/run/lab/nested/$name
console=$LAB_OUT/$name.console.log
qemu_log=$LAB_OUT/$name.qemu.log
# for qemu_says.py: the version of QEMU, and what it was given
given=$LAB_OUT/$name.qemu.given

# Alive, and not a zombie that nobody has reaped yet: a zombie has closed its files, its devices among them.
alive() { [[ -r $dir/pid ]] && grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$(<"$dir/pid")/status"; }

# Nor one that KVM has given up: it would stand still for ever, with its devices, so it is killed.
running() {
	alive || return 1
	if ! grep -qs '^KVM internal error' "$qemu_log"; then return; fi
	kill -KILL "$(<"$dir/pid")" 2>/dev/null || true
	return 1
}

must_run() { running || gone "does not run (any more)"; }

gone() {
	say "guest '$name' $1; its console is in $console, the last lines are:"
	tail -n 20 "$console" >&2 2>/dev/null || true
	if [[ -s $qemu_log ]]; then
		say "and QEMU said ($qemu_log):"
		tail -n 20 "$qemu_log" >&2
	elif ! running; then
		say "QEMU said nothing: the guest powered off, rebooted, panicked, or took a triple fault"
	fi
	exit 1
}

# until_true SECONDS COMMAND...: polls; nothing of what is waited for here can be waited for otherwise
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		read -rt 0.05 <>"$dir/tick" || true
	done
}

nested_accel() {
	if [[ -n ${LAB_NESTED_ACCEL-} ]]; then
		echo "$LAB_NESTED_ACCEL"
	elif [[ -c /dev/kvm ]] || modprobe -q kvm_amd || modprobe -q kvm_intel; then
		if [[ -c /dev/kvm ]]; then echo kvm; else echo tcg; fi
	else
		echo tcg
	fi
}

# What is so of a QEMU with these arguments, in words of qemu-says.txt
words_for() {
	local arg words=()
	for arg; do
		[[ $arg == vfio-pci* ]] || continue
		if [[ $arg =~ sysfsdev=([^,]*) && -e ${BASH_REMATCH[1]}/mdev_type ]]; then
			words+=(no-dma-buf "$(basename "$(readlink -f "${BASH_REMATCH[1]}/driver")")")
		elif ! grep -q ' vfio_pci_core_feature_dma_buf$' /proc/kallsyms; then
			words+=(no-dma-buf)
		fi
	done
	echo "${words[*]}"
}

# The logs of an earlier guest of this name stay, to be looked at when the run ends
keep_logs() {
	local number=1
	[[ -e $given ]] || return 0
	while [[ -e $LAB_OUT/$name.$number.qemu.given ]]; do number=$((number + 1)); done
	mv "$qemu_log" "$LAB_OUT/$name.$number.qemu.log"
	mv "$given" "$LAB_OUT/$name.$number.qemu.given"
}

was_started() { [[ -r $given ]] || die "guest '$name' has not been started"; }

says() {
	local status=0
	was_started
	# shellcheck disable=SC2046 # words
	"$here/qemu_says.py" "$qemu_log" $(<"$given") || status=$?
	exit $status
}

start() {
	local mem=512M cmdline='' accel cpu files=() initrd=$LAB_NESTED kernel=$LAB_NESTED_KERNEL said
	while (($#)); do
		case $1 in
		--mem) mem=${2-}; shift 2 || usage ;;
		--cmdline) cmdline=${2-}; shift 2 || usage ;;
		--file) files+=("${2-}"); shift 2 || usage ;;
		--kver)
			initrd=$("$here/initramfs.sh" nested "${2-}")
			kernel=$("$here/initramfs.sh" vmlinux "$2")
			shift 2
			;;
		--) shift; break ;;
		*) say "unknown argument '$1'; devices come after --"; usage ;;
		esac
	done
	! running || die "guest '$name' is running already; stop it first: nested.sh stop $name"
	rm -rf "$dir"
	mkdir -p "$dir"
	keep_logs
	mkfifo "$dir"/{tick,cmd.in,cmd.out}
	: >"$dir/event"
	if ((${#files[@]})); then
		mkdir -p "$dir/tree/files"
		cp "${files[@]}" "$dir/tree/files/"
		{ cat "$initrd"; (cd "$dir/tree" && find . | cpio -o -H newc --quiet); } >"$dir/initrd"
		initrd=$dir/initrd
	fi
	accel=$(nested_accel)
	if [[ $accel == kvm ]]; then cpu=host; else cpu=max; fi
	# pci=lastbus=0: no search for host bridges behind the last bus, which costs 8,000 trapped accesses, 1 s here
	# disable-modern: the guest tells of its output by an I/O port then, see emulator_failed() in check.sh
	# shellcheck disable=SC2054 # commas are QEMU's
	local qemu=(qemu-system-x86_64 -name "$name" -machine q35 -accel "$accel" -cpu "$cpu" -m "$mem"
		-nodefaults -display none -vga none -no-reboot
		-kernel "$kernel" -initrd "$initrd"
		-append "console=ttyS0 loglevel=5 panic=-1 pci=lastbus=0 $cmdline"
		-chardev "file,id=console,path=$console" -serial chardev:console
		-qmp "unix:$dir/qmp,server=on,wait=off"
		-device virtio-serial-pci,disable-modern=on
		-chardev "file,id=event,path=$dir/event" -device virtserialport,chardev=event,name=lab.event
		-chardev "pipe,id=cmd,path=$dir/cmd" -device virtserialport,chardev=cmd,name=lab.cmd
		"$@")
	setsid "${qemu[@]}" </dev/null >"$qemu_log" 2>&1 &
	echo $! >"$dir/pid"
	qmp_socket_or_gone() { [[ -S $dir/qmp ]] || ! running; }
	until_true "$BOOT_LIMIT" qmp_socket_or_gone || gone "has no QMP socket after $BOOT_LIMIT s"
	# answered from the main loop, so every device is there
	said=$("$here/qmp.py" --time-limit "$BOOT_LIMIT" "$dir/qmp" query-version 2>"$dir/error") || {
		until_true 1 eval '! running' || cat "$dir/error" >&2
		gone "did not start"
	}
	[[ $said =~ \"minor\":\ ([0-9]+),\ \"major\":\ ([0-9]+) ]] || gone "has a QEMU of an unknown version: $said"
	echo "${BASH_REMATCH[2]}.${BASH_REMATCH[1]} $(words_for "$@")" >"$given"
	echo "$name: started, $accel"
}

has_event() { grep -qxF -e "$1" "$dir/event"; }
event_or_end() { has_event "$1" || grep -q '^failed' "$dir/event" || ! running; }

wait_event() {
	[[ -d $dir ]] || die "there is no guest '$name'; start it first"
	if [[ $1 == exit ]]; then
		until_true "$2" eval '! running' || die "guest '$name' still runs after $2 s"
		return
	fi
	until_true "$2" event_or_end "$1" || gone "did not report '$1' in $2 s"
	if has_event "$1"; then return; fi
	must_run
	gone "reported '$(grep '^failed' "$dir/event")'"
}

# Sends a command to the guest; $1 seconds, $2 command. Prints the token.
send() {
	local token
	token=$(</proc/sys/kernel/random/uuid)
	printf '%s %s %s\n' "$token" "$1" "$(base64 -w 0 <<<"$2")" >"$dir/cmd.in"
	echo "$token"
}

cmd() {
	local limit=30 token text piece status end left
	if [[ ${1-} == --time-limit ]]; then
		limit=${2-}
		shift 2 || usage
	fi
	(($# == 1)) || usage
	must_run
	exec {lock}>"$dir/lock"
	flock "$lock"
	exec {reply}<>"$dir/cmd.out"
	token=$(send "$limit" "$1")
	end=$((SECONDS + limit + 2))
	# up to the next NUL; looks now and then whether the guest is there to send one
	next() {
		text=''
		while left=$((end - SECONDS)); ((left > 0)); do
			if IFS= read -r -d '' -t $((left < 5 ? left : 5)) piece <&"$reply"; then
				text+=$piece
				return
			fi
			text+=$piece
			running || return 1
		done
		return 1
	}
	while :; do
		if ! next; then
			running || gone "died during '$1'"
			say "guest '$name' did not finish '$1' in $limit s"
			exit 124
		fi
		if [[ $text == "begin:$token" ]]; then break; fi
	done
	if next; then
		printf '%s' "$text"
		if next; then status=$text; fi
	fi
	running || [[ -n ${status-} ]] || gone "died during '$1'"
	[[ -n ${status-} ]] || { say "guest '$name' did not finish '$1' in $limit s"; exit 124; }
	# the guest's own timeout has killed it
	if [[ $status == 137 ]]; then
		say "guest '$name' did not finish '$1' in $limit s"
		exit 124
	fi
	exit "$status"
}

stop() {
	must_run
	send 5 "sync; poweroff -f" >/dev/null
	if until_true "$STOP_LIMIT" eval '! running'; then
		return
	fi
	kill -KILL "$(<"$dir/pid")"
	until_true 5 eval '! running' || true
	gone "did not power off in $STOP_LIMIT s, so its QEMU was killed"
}

case $verb in
start) start "$@" ;;
wait) (($# == 2)) || usage; wait_event "$@" ;;
cmd) cmd "$@" ;;
qmp) (($#)) || usage; must_run; exec "$here/qmp.py" "$dir/qmp" "$@" ;;
given) (($#)) || usage; was_started; echo "$*" >>"$given" ;;
says) (($# == 0)) || usage; says ;;
stop) stop ;;
*) usage ;;
esac
