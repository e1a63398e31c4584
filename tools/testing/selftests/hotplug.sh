# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The physical adapter goes and comes back, in a lab VM where it can be unplugged
# (run.sh --hotplug); to be sourced after tap.sh.

device=/sys/bus/pci/devices/$LAB_PARENT

# until_true COMMAND...: nothing tells when
until_true() {
	local end=$((SECONDS + 120))
	until "$@"; do
		((SECONDS < end)) || { fail "not in 120 s: $*"; return 1; }
		read -rt 0.05 <> <(:)
	done
	return 0
}
gone() { [[ ! -e $1 ]]; }

bind() {
	until_true test -e "$device" || return
	[[ ! -e $device/driver ]] || echo "$LAB_PARENT" > "$device/driver/unbind"
	echo mgpu > "$device/driver_override"
	echo "$LAB_PARENT" > /sys/bus/pci/drivers_probe
	until_true test -e "$device/mdev_supported_types"
}

needs_unplug() { compgen -G '/sys/bus/pci/slots/*' > /dev/null || skip 'this kernel cannot unplug'; }

# QEMU's bochs-display cannot be plugged in a second time
unplug() {
	# shellcheck disable=SC2154 # of tap.sh
	"$here/../lab/qmp.py" "$LAB_QMP" device_del '{"id": "physical"}' > /dev/null || fail device_del
	until_true gone "$device"
}
