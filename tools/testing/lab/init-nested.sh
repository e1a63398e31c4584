#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# /init of a nested guest: loads the stock display driver, then runs the commands that nested.sh sends. Ports:
#   lab.event   one line per event: "ready", "failed WHY", or what the program `event` is given
#   lab.cmd     in: "TOKEN SECONDS COMMAND-IN-BASE64" per line; out: NUL begin:TOKEN NUL output NUL status NUL

export PATH=/bin
/bin/busybox --install -s /bin

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
modprobe -a virtio_pci virtio_console 2>/dev/null

# Ports come a moment after their driver
port() {
	i=0
	until grep -qsxF "$1" /sys/class/virtio-ports/*/name || [ "$i" -gt 200 ]; do
		i=$((i + 1))
		usleep 50000
	done
	for name in /sys/class/virtio-ports/*/name; do
		if [ "$(cat "$name")" = "$1" ]; then
			name=${name%/name}
			echo "/dev/${name##*/}"
			return
		fi
	done
	echo "init-nested.sh: the guest has no virtio port '$1'" >/dev/console
	poweroff -f
}

# A port can be opened once only: commands inherit these descriptors.
event=$(port lab.event)
cmd=$(port lab.cmd)
exec 4<>"$cmd" 5>"$event"
# shellcheck disable=SC2016 # for later
printf '#!/bin/sh\necho "$*" >&5\n' >/bin/event
chmod 755 /bin/event

load_display() {
	for dev in /sys/bus/pci/devices/*; do
		if [ "$(cat "$dev/vendor" "$dev/device" | tr '\n' ' ')" != "0x1234 0x1111 " ]; then continue; fi
		if ! modprobe "$(cat "$dev/modalias")"; then
			event "failed: no module for ${dev##*/}"
			return 1
		fi
		i=0
		while [ ! -c /dev/fb0 ]; do
			i=$((i + 1))
			if [ "$i" -gt 200 ]; then
				event "failed: ${dev##*/} has its driver, but there is no /dev/fb0 after 10 s"
				return 1
			fi
			usleep 50000
		done
	done
}

if load_display; then event ready; fi

while read -r token seconds code; do
	printf '\0begin:%s\0' "$token" >&4
	printf '%s' "$code" | base64 -d >/run/cmd
	timeout -s KILL "$seconds" sh /run/cmd </dev/null >&4 2>&1
	printf '\0%s\0' "$?" >&4
done <&4
poweroff -f
