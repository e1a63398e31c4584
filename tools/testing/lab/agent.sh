#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Process 1 of the lab VM, in its final root: runs the command (or the developer's shell) and tells supervise.py on the
# host about it. Two virtio ports: "lab.out" carries the output and nothing else, "lab.ctl" carries one line per event:
#
#   to the host     start | alive CPU, every ten seconds | exit STATUS | dumped
#   from the host   dump (save what is known about a VM that is about to be killed) | winsize ROWS COLUMNS
#
# The end of the output is marked in the stream itself, with the run's token, so nothing that the command wrote is
# lost, and a daemon that it left behind cannot hold the run up. The VM does not power off: the host ends it.

set -euo pipefail
trap 'echo "agent.sh: failed at line $LINENO; the command did not run to its end" >/dev/console' ERR

# /run/lab/job: see init-lab.sh; also TOKEN, PARENT, PEER, SHMEM, MODEL, SHELL_MODE, TERM, WINSIZE, CACHE, ACCEL, SUSPEND, SWAP, MDEV_CORE, KERNEL, NESTED,
# NESTED_KERNEL. argv: ARGV=(...)
# shellcheck disable=SC1091
. /run/lab/job
# shellcheck disable=SC1091
. /run/lab/argv

port() {
	local name
	for name in /sys/class/virtio-ports/*/name; do
		if [[ $(<"$name") == "$1" ]]; then
			name=${name%/name}
			echo "/dev/${name##*/}"
			return
		fi
	done
	echo "agent.sh: the VM has no virtio port '$1'" >/dev/console
	return 1
}

ctl=$(port lab.ctl)
out=$(port lab.out)
exec {ctl}<>"$ctl"

tell() { printf '%s\n' "$*" >&"$ctl"; }

save_dmesg() { dmesg >"$OUT/dmesg.txt"; }

listen() {
	local word rest
	while read -r word rest; do
		case $word in
		dump)
			echo w >/proc/sysrq-trigger || true
			save_dmesg || true
			tell dumped
			;;
		winsize)
			# shellcheck disable=SC2086 # two words
			set -- $rest
			stty -F /dev/hvc0 rows "$1" cols "$2" || true
			;;
		esac
	done <&"$ctl"
}

# A CPU whose timer or whose interrupts are lost stops telling that it is there
beat() {
	local never
	taskset -cp "$1" "$BASHPID" >/dev/null
	exec {never}<> <(:)
	until read -r -t 10 -u "$never"; do tell "alive $1"; done
}

mkdir -p /run/lab/nested
{
	printf 'export PATH=%q\n' /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	printf 'export HOME=/root USER=root LOGNAME=root LANG=C.UTF-8\n'
	printf 'export %s=%q\n' TERM "$TERM" LAB_OUT "$OUT" LAB_KVER "$KVER" LAB_PARENT "$PARENT" \
		LAB_PEER "$PEER" LAB_SHMEM "$SHMEM" LAB_MODEL "$MODEL" LAB_QMP "$(port lab.qmp)" \
		LAB_ACCEL "$ACCEL" LAB_SUSPEND "$SUSPEND" LAB_SWAP "$SWAP" LAB_MDEV_CORE "$MDEV_CORE" VFIO_MDEV_CACHE "$CACHE" LAB_KERNEL "$KERNEL" LAB_NESTED "$NESTED" LAB_NESTED_KERNEL "$NESTED_KERNEL"
} >/run/lab/env

run_command() {
	(
		cd "$REPO" || exit 125
		exec env -i /bin/bash -c '. /run/lab/env; exec "$@"' bash "${ARGV[@]}"
	)
}

run_shell() {
	cat >/run/lab/bashrc <<-'EOF'
		[ -r /etc/bash.bashrc ] && . /etc/bash.bashrc
		. /run/lab/env
		PS1='lab:\w# '
	EOF
	{
		echo "Lab VM, kernel $KVER: physical device $PARENT (\$LAB_PARENT); $OUT (\$LAB_OUT) is shared with the host."
		echo "The host's files are here, changes to them are lost; tools/testing/lab/nested.sh boots guests; 'exit' ends the VM."
	} >/dev/hvc0
	cd "$REPO"
	# shellcheck disable=SC2086 # two words
	if [[ -n $WINSIZE ]]; then set -- $WINSIZE; stty -F /dev/hvc0 rows "$1" cols "$2"; fi
	env -i setsid --ctty --wait /bin/bash --rcfile /run/lab/bashrc -i </dev/hvc0 >/dev/hvc0 2>&1
}

listen &
for ((cpu = 0; cpu < $(nproc); cpu++)); do
	tell "alive $cpu"
	beat "$cpu" &
done
exec {stream}> >(exec cat >"$out")
tell start
status=0
if [[ $SHELL_MODE == 1 ]]; then
	run_shell || status=$?
else
	run_command </dev/null >&"$stream" 2>&1 {ctl}>&- {stream}>&- || status=$?
fi
save_dmesg
printf '\0lab-end:%s\0' "$TOKEN" >&"$stream"
tell "exit $status"
wait || true
exec busybox poweroff -f
