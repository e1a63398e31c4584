#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# libvirt manages our devices: a real libvirtd, in the lab VM, and a domain that draws.
#
#   libvirt_test.sh FBDRAW TOOL [NAME..]    TOOL: what libvirt finds as mdevctl, "ours" or "debian"
#
# The tests are one story and share the device and the daemon; NAMEs are for those who look for a fault. What they run
# and the XML that they use is what Documentation/admin-guide/libvirt.rst shows.
#
# To boot a guest takes long, so each kind of domain has one: with "ours" those with a display and with ramfb, with
# "debian" the plain one. What does not depend on the tool, such as a restart of libvirtd, is looked at with ours only.

set -u

fbdraw=$1 tool=$2
shift 2
case $tool in
ours) mdevctl=/usr/sbin/mdevctl hostdev="display='on'" ;;
debian) mdevctl=/usr/bin/mdevctl hostdev='' ;;
*) echo "Bail out! there is no tool '$tool', only ours and debian"; exit 1 ;;
esac
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/boot.sh
. "$here/../boot.sh"
nested=$here/../lab/nested.sh
parent=/sys/bus/pci/devices/$LAB_PARENT
parent_node=pci_${LAB_PARENT//[:.]/_}
uuid=dddddddd-11b1-4d11-8d11-000000000001
instance=/sys/bus/mdev/devices/$uuid
node=mdev_${uuid//-/_}_${LAB_PARENT//[:.]/_}
guest=/run/lab/nested/guest
qemu_log=/var/log/libvirt/qemu/guest.log
last=libvirt

# until_true SECONDS COMMAND..: what is waited for here tells nobody when it is so
until_true() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		read -rt 0.1 <>"$work/tick" || true
	done
}

# process_ends PID SECONDS: waits for that, whoever started it, and fails when the time is over
process_ends() {
	/usr/bin/python3 - "$1" "$2" <<-'EOF'
		import os, select, sys
		try:
		    process = os.pidfd_open(int(sys.argv[1]))
		except ProcessLookupError:
		    sys.exit(0)
		sys.exit(not select.select([process], [], [], float(sys.argv[2]))[0])
	EOF
}

# Runs virsh; leaves $rc, $work/out and $work/err.
virsh() {
	last="virsh $*"
	command virsh -q -c qemu:///system "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

# virsh, and it has to succeed
must() {
	virsh "$@"
	[ $rc = 0 ] || fail "$last: $(cat "$work/err")"
}

start_libvirtd() {
	libvirtd -d -p /run/lab/libvirtd.pid || fail 'libvirtd does not start'
	until_true 60 command virsh -q -c qemu:///system nodedev-dumpxml "$parent_node" ||
		fail 'libvirtd does not know the parent after 60 s'
}

stop_libvirtd() {
	local pid

	pid=$(cat /run/lab/libvirtd.pid)
	kill "$pid"
	process_ends "$pid" 60 || fail 'libvirtd does not end'
}

only_ours() { [ "$tool" = ours ] || skip "$*"; }

# The tool as mdevctl, and its rule of udev without that of the other
prepare_tool() {
	local rules=(60-mdev-ctl.rules 60-mdevctl.rules)

	make -s -C "$here/../../mdev-ctl" install PREFIX=/usr MDEVCTL=1 || return
	if [ "$tool" = debian ]; then
		rm /usr/sbin/mdevctl
		rules=(60-mdevctl.rules 60-mdev-ctl.rules)
	fi
	rm -f "/etc/udev/rules.d/${rules[0]}"
	ln -sf /dev/null "/etc/udev/rules.d/${rules[1]}"
	hash -r
	udevadm control --reload
}

# Those that both tools use
start_daemons() {
	[ ! -S /run/udev/control ] || return
	modprobe -a kvm_amd 2>/dev/null || modprobe -a kvm_intel 2>/dev/null
	/lib/systemd/systemd-udevd --daemon && udevadm trigger && udevadm settle
	mkdir -p /etc/libvirt
	cat >/etc/libvirt/qemu.conf <<-'EOF'
		security_driver = "none"
		user = "root"
		group = "root"
		namespaces = []
		cgroup_controllers = []
	EOF
	virtlogd -d
}

prepare() {
	mkfifo "$work/tick"
	start_daemons
	prepare_tool || return
	cat >/etc/libvirt/libvirtd.conf <<-EOF
		auth_unix_rw = "none"
		log_filters = "1:node_device 3:qemu"
		log_outputs = "1:file:$LAB_OUT/libvirtd-$tool.log"
	EOF
	start_libvirtd
}

device_xml() {
	cat <<-EOF
		<device>
		  <parent>$parent_node</parent>
		  <capability type='mdev'>
		    <type id='$1'/>
		    <uuid>$uuid</uuid>
		  </capability>
		</device>
	EOF
}

# domain_xml ATTRIBUTES: of the hostdev. nested.sh speaks with the guest through the two channels.
domain_xml() {
	local type=qemu cpu="<cpu mode='maximum'/>"

	if [ -c /dev/kvm ]; then type=kvm cpu="<cpu mode='host-passthrough'/>"; fi
	cat <<-EOF
		<domain type='$type'>
		  <name>guest</name>
		  <memory unit='MiB'>512</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64' machine='q35'>hvm</type>
		    <kernel>$LAB_NESTED_KERNEL</kernel>
		    <initrd>$LAB_NESTED</initrd>
		    <cmdline>console=ttyS0 loglevel=5 panic=-1 pci=lastbus=0</cmdline>
		  </os>
		  <features><acpi/></features>
		  $cpu
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		    <controller type='usb' model='none'/>
		    <serial type='file'><source path='$LAB_OUT/guest.console.log'/></serial>
		    <channel type='file'>
		      <source path='$guest/event'/><target type='virtio' name='lab.event'/>
		    </channel>
		    <channel type='pipe'>
		      <source path='$guest/cmd'/><target type='virtio' name='lab.cmd'/>
		    </channel>
		    <hostdev mode='subsystem' type='mdev' model='vfio-pci' $1>
		      <source><address uuid='$uuid'/></source>
		    </hostdev>
		    <graphics type='vnc' socket='/run/lab/vnc.sock'/>
		    <video><model type='none'/></video>
		    <memballoon model='none'/>
		  </devices>
		</domain>
	EOF
}

# What nested.sh knows a guest by
adopt_guest() {
	rm -rf "$guest"
	mkdir -p "$guest"
	mkfifo "$guest"/{tick,cmd.in,cmd.out}
	: >"$guest/event"
	: >"$LAB_OUT/guest.qemu.log"
}

start_domain() {
	adopt_guest
	domain_xml "$1" >"$work/domain.xml"
	must define "$work/domain.xml"
	must start guest
	[ $rc = 0 ] || return
	cp /run/libvirt/qemu/guest.pid "$guest/pid"
	"$nested" wait guest ready 300 || fail 'the guest does not come up'
}

# qemu_said: what the last QEMU said, without what libvirt has to say in its log
qemu_said() {
	awk '
		/^[-0-9]+ [:.0-9]+[+]0000: starting up libvirt / { said = ""; command = 1; next }
		command { command = /\\$/; next }
		/^[-0-9]+ [:.0-9]+[+]0000: (shutting down, |Domain id=[0-9]+ is tainted: )/ { next }
		{ sub(/^[-0-9]+T[:.0-9]+Z /, ""); said = said $0 "\n" }
		END { printf "%s", said }' "$qemu_log"
}

qemu_version() { sed -n 's/.*: starting up libvirt .* qemu version: \([0-9.]*\).*/\1/p' "$qemu_log" | tail -n 1; }

# What is so of it, in words of qemu-says.txt
qemu_given() {
	echo no-dma-buf libvirt
	if grep -q '^-mon ' "$qemu_log"; then echo libvirt-mon; fi
}

# stop_domain: and its QEMU has said nothing that is not in the list
stop_domain() {
	must destroy guest
	must undefine guest
	process_ends "$(<"$guest/pid")" 30 || fail 'QEMU does not end'
	until_true 30 eval "tail -n 1 '$qemu_log' | grep ': shutting down, '" || fail "libvirt does not end QEMU's log"
	qemu_said >"$work/said"
	# shellcheck disable=SC2046 # words
	expect_equal '' "$("$here/../lab/qemu_says.py" "$work/said" "$(qemu_version)" $(qemu_given) 2>&1)" \
		"QEMU's own messages"
}

in_guest() { "$nested" cmd guest --time-limit 120 "$1"; }

# guest_draws LETTER: and its VRAM on the physical device comes to hold exactly that
guest_draws() {
	local said

	said=$(in_guest "fbdraw draw $1")
	expect_equal "drawn 1024x768 stride 4096" "$said" fbdraw
	said=$("$fbdraw" check "$1" 1024 768 4096 "$parent/resource0" "$(<$instance/mgpu/vram_offset)" 60) ||
		fail "$said"
}

has_node() { command virsh -q -c qemu:///system nodedev-list --cap mdev "$@" | grep -qx "$node"; }

test_types_are_seen() {
	expect_equal "$mdevctl" "$(command -v mdevctl)" 'the tool that libvirt finds'
	must nodedev-list --cap mdev_types
	expect_has out "$parent_node"
	must nodedev-dumpxml "$parent_node"
	expect_has out "<type id='mgpu-8M'>"
	expect_has out '<deviceAPI>vfio-pci</deviceAPI>'
	expect_equal 2 "$(sed -n "/<type id='mgpu-8M'>/,/<\/type>/s/.*<availableInstances>\(.*\)<.*/\1/p" "$work/out")" \
		'available instances of mgpu-8M'
}

test_create_and_destroy() {
	device_xml mgpu-4M >"$work/device.xml"
	must nodedev-create "$work/device.xml"
	[ -e $instance ] || fail 'there is no instance'
	has_node || fail 'the device is not listed'
	must nodedev-destroy "$node"
	[ ! -e $instance ] || fail 'the instance is still there'
	until_true 60 eval '! has_node' || fail 'the device is still listed'
}

test_define() {
	device_xml mgpu-8M >"$work/device.xml"
	must nodedev-define "$work/device.xml"
	expect_equal '' "$(cat "$work/err")" 'messages'
	has_node --inactive || fail 'the device is not listed'
	expect_equal '{
  "mdev_type": "mgpu-8M",
  "start": "manual",
  "attrs": []
}' "$(cat "/etc/mdevctl.d/$LAB_PARENT/$uuid")" definition
	virsh nodedev-define "$work/device.xml"
	must nodedev-info "$node"
	expect_has out 'Autostart:      no'
}

test_autostart() {
	must nodedev-autostart "$node"
	grep -q '"start": "auto"' "/etc/mdevctl.d/$LAB_PARENT/$uuid" || fail 'not in the definition'
	must nodedev-info "$node"
	expect_has out 'Autostart:      yes'
	must nodedev-autostart --disable "$node"
	grep -q '"start": "manual"' "/etc/mdevctl.d/$LAB_PARENT/$uuid" || fail 'still in the definition'
	must nodedev-autostart "$node"
}

# update_type FROM TO
update_type() {
	must nodedev-dumpxml --inactive "$node"
	sed "s/$1/$2/" "$work/out" >"$work/device.xml"
	must nodedev-update --config "$node" "$work/device.xml"
}

# To another type and back; Debian's mdevctl is too old for it until 1.3.
test_update() {
	"$mdevctl" modify --help | grep -q -e --live || skip "this mdevctl has no modify --live, which libvirt asks for"
	update_type mgpu-8M mgpu-4M
	grep -q '"mdev_type": "mgpu-4M"' "/etc/mdevctl.d/$LAB_PARENT/$uuid" || fail 'the definition has not changed'
	update_type mgpu-4M mgpu-8M
	grep -q '"mdev_type": "mgpu-8M"' "/etc/mdevctl.d/$LAB_PARENT/$uuid" || fail 'the definition has not changed back'
	# libvirt 11.3 passes "manual" here, whatever it was
	must nodedev-autostart "$node"
}

test_start() {
	must nodedev-start "$node"
	[ -e $instance ] || fail 'there is no instance'
	expect_equal mgpu-8M "$(basename "$(readlink $instance/mdev_type)")" type
	has_node || fail 'the device is not listed as active'
	virsh nodedev-start "$node"
	[ $rc != 0 ] || fail 'it was started twice'
}

# Whatever was written by the one is read by the other, to the byte.
test_both_tools_agree() {
	local args

	for args in list 'list --dumpjson' 'list -d' 'list -d --dumpjson' types 'types --dumpjson'; do
		# shellcheck disable=SC2086 # words are wanted
		expect_equal "$(/usr/bin/mdevctl $args)" "$(mdev-ctl $args)" "$args"
	done
}

# The domain is started, the guest draws, and the device cannot be taken away from it.
test_domain() {
	start_domain "$hostdev"
	guest_draws K
	virsh nodedev-destroy "$node"
	[ $rc != 0 ] || fail 'the device was destroyed under the domain'
	expect_has err 'in use'
	expect_equal "$(cat "$guest/pid") qemu-system-x86 guest" "$(mdev-ctl who $uuid)" 'who has it'
}

# screen_shows LETTER
screen_shows() {
	must qemu-monitor-command guest "{\"execute\": \"screendump\", \"arguments\": {\"filename\": \"$work/screen\"}}"
	expect_equal 'match 1024x768' "$("$fbdraw" ppm "$1" "$work/screen")" 'the screen'
}

test_display() {
	only_ours 'the domain has none'
	screen_shows K
}

test_libvirtd_restarts() {
	only_ours 'it was restarted with ours'
	stop_libvirtd
	start_libvirtd
	until_true 60 has_node || fail 'the active device is not known any more'
	must domstate guest
	expect_has out running
	must nodedev-info "$node"
	expect_has out 'Autostart:      yes'
	must dumpxml guest
	expect_has out "<address uuid='$uuid'/>"
	guest_draws L
}

test_domain_ends() {
	stop_domain
	expect_equal '' "$(mdev-ctl who $uuid)" 'who has it'
	[ -e $instance ] || fail 'the instance has gone with the domain'
}

test_ramfb() {
	only_ours 'the tool has no part in it'
	start_domain "display='on' ramfb='on'"
	guest_draws M
	screen_shows M
	stop_domain
}

test_destroy() {
	must nodedev-destroy "$node"
	[ ! -e $instance ] || fail 'the instance is still there'
	until_true 60 has_node --inactive || fail 'the definition is not listed any more'
}

# The parent goes and comes back, and the rule of udev starts what is to start by itself.
test_udev_rule() {
	only_ours "Debian's rule calls /usr/sbin/mdevctl, which its package does not have"
	echo "$LAB_PARENT" >/sys/bus/pci/drivers/mgpu/unbind
	echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe
	until_true 60 test -e $instance || fail 'the device was not started'
	# which libvirt learns a little later than we
	until_true 60 has_node || fail 'the device is not listed as active'
	must nodedev-destroy "$node"
}

# boots_with DRIVER RULES: udev gets to know of an adapter that has this driver, or none, and mgpu is not loaded
boots_with() {
	rmmod mgpu vfio_vpci mdev_core || fail rmmod
	# udev loads the usual driver also when mgpu lets go, which would take the adapter without the override
	udevadm settle
	echo >"$parent/driver_override"
	if [ "$1" != none ]; then modprobe "$1" && echo "$LAB_PARENT" >/sys/bus/pci/drivers_probe; fi
	add_parent "$2"
	last="a boot with driver $1"
	expect_equal mgpu "$(driver_of_parent)" 'driver of the parent'
	expect_equal "$uuid $LAB_PARENT mgpu-8M auto (defined)" "$(mdev-ctl list)" 'what was started'
	[ -d /sys/module/vfio_iommu_type1 ] || fail 'vfio_iommu_type1 is not loaded'
	# libvirt complains of one that goes while it looks
	until_true 60 has_node || fail 'the device is not listed as active'
	must nodedev-destroy "$node"
	until_true 60 has_node --inactive || fail 'the definition is not listed any more'
}

# What the guide says on booting brings the parent and the device, whatever driver the initramfs has bound.
test_boot() {
	only_ours "Debian's rule starts nothing, see above"
	install_modules || fail 'the modules cannot be installed'
	boots_with none "$(guide_rules | head -n 1)"
	boots_with bochs "$(guide_rules | tac)"
	rm /etc/udev/rules.d/70-mgpu.rules
	# udev has it open for a while
	umount -l "/lib/modules/$(uname -r)"
	udevadm control --reload
}

test_undefine() {
	must nodedev-undefine "$node"
	[ ! -e "/etc/mdevctl.d/$LAB_PARENT/$uuid" ] || fail 'the definition is still there'
	until_true 60 eval '! has_node --all' || fail 'the device is still listed'
}

# Nothing that libvirt or the daemon had to complain of in all of that
test_no_complaints() {
	grep -E 'error : .*(mdev|node_device)' "$LAB_OUT/libvirtd-$tool.log" |
		grep -vE 'in use|already active|is not inactive|Device is already' >"$work/complaints"
	expect_equal '' "$(cat "$work/complaints")" "libvirtd's log"
}

# Whether or not a test failed: the daemon of the next suite needs its files
trap 'stop_libvirtd; rm -rf "$work"' EXIT
prepare || { echo "Bail out! the daemons do not start"; exit 1; }
tap_main "$@"
