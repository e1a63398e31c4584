#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a stock kernel in QEMU on this machine's own root file system (read-only, with a tmpfs on top) and runs a
# command in it as root, so that kernel modules can be tested without touching the machine.
#
#   run.sh [OPTION...] -- CMD [ARGS...]      run CMD; its output and exit status are ours
#   run.sh [OPTION...] --shell               a root shell in the VM, for a developer at a terminal
#   run.sh [OPTION...] --gdb ...             either of them, and a gdb can attach to the VM's kernel
#
# CMD runs in the repository's root with
#   LAB_OUT     a directory shared read-write with the host (--out), under the same name inside
#   LAB_KVER    the kernel's version; its modules are complete
#   LAB_PARENT  PCI address of the "physical" device, a bochs-display unless --device says otherwise
#   LAB_MODEL   what it is
#   LAB_PEER    with --peer, PCI address of a second one like it
#   LAB_SHMEM   with --shmem, PCI address of that device
#   LAB_ACCEL   what runs the VM: "kvm", or "tcg" if it is emulated
#   LAB_SUSPEND "1" if the VM comes back from a suspend, see --suspend
#   LAB_SWAP    with --hibernate, the disk that the VM swaps and hibernates to
#   LAB_RESUMES "1" if the VM is one that was started again, with an image on that disk; it is resumed when CMD has ended,
#               whose output is on the console
#   LAB_QMP     the monitor of the VM's own QEMU, for tools/testing/lab/qmp.py; there the device's id is "physical". Only
#               for commands that are trusted on this machine, too
#   LAB_MDEV_CORE  MDEV_CORE of our own environment: "kernel" if the modules are to use the kernel's mdev.ko
#
# Exit status: CMD's; 1 if the kernel log shows a splat, or a QEMU said what is not in qemu-says.txt; 123 the VM froze, which may be an emulator's fault (see supervise.py);
# 124 time limit; 125 the VM died without a verdict.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PARENT_SLOT=10
time_limit='' out='' name=lab kver='' device=bochs-display hotplug=0 peer='' hibernate=0 with=() nic=() shmem=() shmem_at='' vram=16M mem='' shell_mode=0 gdb=0 smp=2 one_cpu=0
machine=q35 firmware=bios firmware_words=() iommu=() silence_limit=${LAB_SILENCE_LIMIT:-120}

usage() {
	cat >&2 <<-EOF
		usage: run.sh [OPTION...] -- CMD [ARGS...]
		       run.sh [OPTION...] --shell
		  --time-limit SEC  give up after SEC seconds, boot included (default 600; none with --shell)
		  --out DIR         share DIR as \$LAB_OUT and put the logs there (default: a new temporary directory)
		  --name NAME       name of the run in messages (default $name)
		  --kver KVER       kernel to boot (default: the newest $KVER_GLOB)
		  --device MODEL    the physical device: bochs-display or secondary-vga (default $device)
		  --hotplug         put it where it can be unplugged from
		  --peer            a second one like it, to compare with in the same run
		  --nic             a PCI device with every kind of interrupt, for vfio-pci: an e1000e, not connected
		  --shmem SIZE      a PCI device with a BAR 2 of that size, for vfio-pci: an ivshmem-plain
		  --vram SIZE       memory of the physical device (default $vram)
		  --firmware KIND   what boots the VM: bios, or uefi, which draws on the physical device (default $firmware)
		  --mem SIZE        memory of the VM (default 3G, and 8G for a kernel with KMSAN)
		  --nested          CMD will start nested guests: an emulated VM gets one CPU instead of two
		  --suspend         CMD will suspend the VM: the same
		  --hibernate       CMD will hibernate the VM (echo disk >/sys/power/state), which is started again then, with
		                    the same disk. One CPU, and no file system of the host: the root is in memory, and
		                    \$LAB_OUT, too. CMD has busybox, bash, the lab's scripts and modules of vfio
		  --with FILE       and there this one, with the libraries that it needs
		  --iommu           give the VM an IOMMU, so that vfio-pci can take the physical device
		  --gdb             let gdb attach, and say how; the kernel is not at a random address then
	EOF
	exit 2
}

while (($#)); do
	case $1 in
	--time-limit | --out | --name | --kver | --device | --vram | --mem | --firmware)
		(($# >= 2)) || { say "option $1 needs a value"; usage; }
		option=${1#--}
		printf -v "${option//-/_}" '%s' "$2"
		shift 2
		;;
	--shell) shell_mode=1; shift ;;
	--gdb) gdb=1 silence_limit=0; shift ;;
	--nested | --suspend) one_cpu=1; shift ;;
	--hibernate) hibernate=1 one_cpu=1; shift ;;
	--with)
		(($# >= 2)) || { say "option $1 needs a value"; usage; }
		with+=("$(realpath -s "$2")")
		shift 2
		;;
	--shmem)
		(($# >= 2)) || { say "option $1 needs a value"; usage; }
		shmem_at=0000:00:$((PARENT_SLOT + 8)).0
		# memory that is there once it is touched
		shmem=(-object "memory-backend-memfd,id=shmem,share=on,size=$2" -device "ivshmem-plain,memdev=shmem,addr=0x$((PARENT_SLOT + 8))")
		shift 2
		;;
	--hotplug) hotplug=1; shift ;;
	--peer) peer=0000:00:$((PARENT_SLOT + 2)).0; shift ;;
	--nic) nic=(-netdev "user,id=net,restrict=on" -device "e1000e,netdev=net,romfile=,addr=0x$((PARENT_SLOT + 6))"); shift ;;
	--iommu) machine=q35,kernel-irqchip=split iommu=(-device "intel-iommu,intremap=on"); shift ;;
	--) shift; break ;;
	-h | --help) usage ;;
	*) say "unknown argument '$1'; CMD comes after --"; usage ;;
	esac
done

if ((shell_mode)); then
	(($# == 0)) || { say "--shell takes no CMD"; usage; }
	[[ -t 0 && -t 1 ]] || die "--shell needs a terminal on its input and output; use -- CMD in scripts"
	time_limit=${time_limit:-1000000000}
else
	(($#)) || { say "there is no CMD to run"; usage; }
	time_limit=${time_limit:-600}
fi
[[ $time_limit =~ ^[0-9]+([.][0-9]+)?$ ]] || die "--time-limit '$time_limit' is not a number of seconds"
case $device in
bochs-display) physical=$device,vgamem=$vram ;;
secondary-vga)
	[[ $vram =~ ^([0-9]+)M$ ]] || die "--vram '$vram': a secondary-vga wants a number of MiB, such as 16M"
	physical=$device,vgamem_mb=${BASH_REMATCH[1]}
	;;
*) die "--device '$device' is neither bochs-display nor secondary-vga" ;;
esac
case $firmware in
bios) ;;
uefi)
	[[ -r $OVMF ]] || die "there is no $OVMF; run tools/testing/lab/setup.sh firmware"
	firmware_words=(-bios "$OVMF")
	;;
*) die "--firmware '$firmware' is neither bios nor uefi" ;;
esac
adapters=()
if [[ -n $peer ]]; then adapters+=(-device "$physical,addr=0x$((PARENT_SLOT + 2)),id=peer"); fi
if ((hotplug)); then
	# the first bus behind a port is that of the lowest slot
	parent=0000:01:00.0
	adapters+=(-device "$physical,bus=hot,id=physical")
else
	parent=0000:00:$PARENT_SLOT.0
	adapters+=(-device "$physical,addr=0x$PARENT_SLOT,id=physical")
fi
need qemu-system-x86_64 busybox cpio modprobe setpriv

# --- kernel

if [[ -z $kver ]]; then
	kver=$(kernel_find "$KVER_GLOB") ||
		die "no kernel $KVER_GLOB with image, modules and headers on this machine; run tools/testing/lab/setup.sh"
elif ! kernel_root "$kver" >/dev/null; then
	die "kernel '$kver' has no image or no modules here (there are: $(kernel_versions '*' | tr '\n' ' ')); choose one" \
		"with --kver or run tools/testing/lab/setup.sh"
fi
# Guests need the stock display driver, which a kernel of the debug lanes does not have.
nested_kver=$kver
if [[ $kver == *-lab-* ]]; then
	nested_kver=$(kernel_find "$KVER_GLOB") || die "no kernel $KVER_GLOB for nested guests; run tools/testing/lab/setup.sh"
fi
# One with checkers takes longer to boot.
boot_limit=60
if [[ $kver == *-lab-* ]]; then boot_limit=240; fi
# KMSAN keeps two bytes for each byte of memory.
if [[ -z $mem ]]; then
	mem=3G
	if [[ $kver == *-lab-kmsan-* ]]; then mem=8G; fi
fi
root=$(kernel_root "$kver")
if [[ $root != / ]]; then cache_use "$root"; fi
kernel=${root%/}/boot/vmlinuz-$kver
modules=''
if [[ $root != / ]]; then modules=$(cd -P "$root/lib/modules/$kver" && pwd); fi
kind=lab
if ((hibernate)); then kind=hibernate; fi
initramfs=$("$LAB_DIR/initramfs.sh" "$kind" "$kver")
nested=$("$LAB_DIR/initramfs.sh" nested "$nested_kver")
nested_kernel=$("$LAB_DIR/initramfs.sh" vmlinux "$nested_kver")

# --- accelerator: KVM where it boots this kernel; that /dev/kvm exists proves nothing

probe_kvm() {
	local log status=0
	[[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	log=$(setpriv --pdeathsig KILL timeout -k 1 10 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -smp 2 \
		-m 512M -nodefaults -display none -vga none -no-reboot -serial stdio -kernel "$kernel" \
		-initrd "$initramfs" -append "console=ttyS0 quiet panic=-1 lab.probe" </dev/null 2>&1) || status=$?
	[[ $status == 0 && $log == *lab-probe-alive* ]]
}

choose_accel() {
	local answer
	answer=$CACHE/accel/$(</proc/sys/kernel/random/boot_id)-$kver-$(id -u)
	if [[ ! -s $answer ]]; then
		mkdir -p "$CACHE/accel"
		if probe_kvm; then echo kvm; else echo tcg; fi >"$answer.$$"
		mv "$answer.$$" "$answer"
	fi
	cat "$answer"
}

accel=${LAB_ACCEL:-$(choose_accel)}
case $accel in
kvm) accel_words=(-accel kvm -cpu host) ;;
tcg) accel_words=(-accel "tcg,thread=multi" -cpu max) ;;
*) die "LAB_ACCEL='$accel' is neither kvm nor tcg" ;;
esac

# With two emulated CPUs, nested guests now and then come up with a state that is not theirs, and so does the VM itself:
# of 76 boots of a guest 3 hung or died, and 2 VMs died while guests ran. With one CPU, none of 39.
# Of 600 suspends with two, on a host that was busy, 2 ended in a VM without its timer; with one, none of 1440.
if ((one_cpu)) && [[ $accel == tcg ]]; then smp=1; fi
suspend='' swap=''
if ((hibernate)); then swap=/dev/vda; fi
if ((smp == 1)) || [[ $accel == kvm ]]; then suspend=1; fi

# --- where the output goes

if [[ -z $out ]]; then out=$(mktemp -d "${TMPDIR:-/tmp}/lab-$name.XXXXXX"); fi
mkdir -p "$out" || die "cannot make the directory '$out' (--out)"
out=$(cd -P "$out" && pwd)
[[ $out != / && $out != "$REPO" && $REPO != "$out"/* ]] ||
	die "--out '$out' would hide the repository in the VM; use a directory of its own"
rm -f "$out"/{console.log,console.log.*,qemu.log,*.qemu.log,*.qemu.given,dmesg.txt,frozen.txt}
: >"$out/console.log"
say "kernel $kver, $accel, output in $out"
echo "$accel" >"$out/accel"

# copy_files DIR FILE...: put them below DIR where they are here, and the libraries that they need
copy_files() {
	local dir=$1
	shift
	{
		printf '%s\n' "$@"
		# fails for what is no program
		{ ldd "$@" 2>/dev/null || true; } | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/" && $2 ~ "^[(]" { print $1 }'
	} | sort -u | xargs -d '\n' cp -L --parents -t "$dir"
}

# --- the job: appended to the initramfs, because a command line of a kernel cannot carry any string

work=$(mktemp -d "${TMPDIR:-/tmp}/lab-work.XXXXXX")
trap 'rm -rf "$work"' EXIT
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
winsize=''
if ((shell_mode)); then winsize=$(stty size); fi
mkdir "$work/job.d"
printf '%s=%q\n' REPO "$REPO" OUT "$out" KEEP "$REPO"$'\n'"$CACHE" KVER "$kver" MODULES "$modules" TOKEN "$token" \
	PARENT "$parent" PEER "$peer" SHMEM "$shmem_at" MODEL "$device" SHELL_MODE "$shell_mode" TERM "${TERM:-dumb}" WINSIZE "$winsize" \
	CACHE "$CACHE" ACCEL "$accel" SUSPEND "$suspend" SWAP "$swap" MDEV_CORE "${MDEV_CORE-}" KERNEL "$kernel" NESTED "$nested" NESTED_KERNEL "$nested_kernel" >"$work/job.d/job"
{ printf 'ARGV=('; (($# == 0)) || printf ' %q' "$@"; printf ' )\n'; } >"$work/job.d/argv"
disk=()
if ((hibernate)); then
	copy_files "$work/job.d" /bin/bash "$LAB_DIR"/*.sh "${with[@]}"
	truncate -s "$mem" "$work/swap"
	# shellcheck disable=SC2054 # commas are QEMU's
	disk=(-drive "file=${work//,/,,}/swap,if=none,id=swap,format=raw,cache=unsafe"
		-device "virtio-blk-pci,drive=swap,addr=0x$((PARENT_SLOT + 7))")
fi
{
	cat "$initramfs"
	(cd "$work/job.d" && find . -mindepth 1 | cpio -o -H newc --quiet)
} >"$work/initramfs"

# --- QEMU

cmdline='console=ttyS0 loglevel=5 panic_on_warn=1 oops=panic panic=-1 panic_print=0x20 no_console_suspend iomem=relaxed log_buf_len=8M'
# When it looks at its CPU, identify_cpu(), a kernel forgets for a moment that it has page tables of five levels. KASAN
# takes each address for a wild one then, and an interrupt in that moment is a splat before anything has begun.
if [[ $kver == *-lab-* ]]; then cmdline+=' no5lvl'; fi
# KCSAN finds races in all of the kernel, and for some that are not ours it would be the end; kernel_log.py reads what it says.
if [[ $kver == *-lab-kcsan-* ]]; then cmdline+=' panic_on_warn=0'; fi
# KVM gives guests the rate of the TSC that was measured when KVM was initialised: early, where it is built in. An emulated
# TSC is measured again later, and more than 250 ppm off it KVM gives a guest no scaled TSC but one that stands still.
cmdline+=' kvm.tsc_tolerance_ppm=10000'
# shellcheck disable=SC2054 # commas are QEMU's
# A 9p file system survives that the VM is suspended if its device does, and that is one behind a port, without a reset.
# The chardevs out, ctl, tty, qmp, monitor and port are made by supervise.py, and "-qmp chardev:ID" is the one way of naming
# such a one that all QEMUs take: 11.1 calls -mon deprecated, and -object monitor-qmp is not in 10.0. A comma in a value of QEMU's is doubled.
qemu=(qemu-system-x86_64 -name "lab-${name//,/,,}" -machine "$machine" "${accel_words[@]}" "${iommu[@]}" -smp "$smp" -m "$mem"
	-nodefaults -display none -vga none -no-reboot "${firmware_words[@]}"
	-kernel "$kernel" -initrd "$work/initramfs"
	-chardev "file,id=console,path=${out//,/,,}/console.log,append=on" -serial chardev:console
	-qmp chardev:qmp
	-device pcie-root-port,id=hot,chassis=1,addr=0x$((PARENT_SLOT + 1))
	-device pcie-root-port,id=root,chassis=2,addr=0x$((PARENT_SLOT + 3)),hotplug=off
	-device pcie-root-port,id=out,chassis=3,addr=0x$((PARENT_SLOT + 4)),hotplug=off
	-device pcie-root-port,id=ports,chassis=4,addr=0x$((PARENT_SLOT + 5)),hotplug=off
	-global virtio-pci.x-pcie-pm-no-soft-reset=on
	"${adapters[@]}" "${nic[@]}" "${shmem[@]}" "${disk[@]}"
	-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
	-device virtio-9p-pci,fsdev=root,mount_tag=root,bus=root
	-fsdev "local,id=out,path=${out//,/,,},security_model=none,multidevs=remap"
	-device virtio-9p-pci,fsdev=out,mount_tag=out,bus=out
	-device virtio-serial-pci,bus=ports
	-device virtserialport,chardev=out,name=lab.out
	-device virtserialport,chardev=ctl,name=lab.ctl
	-qmp chardev:monitor
	-device virtserialport,chardev=port,name=lab.qmp)
if ((gdb)); then
	qemu+=(-gdb "unix:${out//,/,,}/gdb.sock,server=on,wait=off")
	cmdline+=' nokaslr'
	vmlinux=${root%/}/boot/vmlinux-$kver
	[[ -e $vmlinux ]] || vmlinux=''
	say "gdb ${vmlinux:-(no vmlinux for this kernel; use a debug lane)} -d ${root%/}/source" \
		"-ex 'target remote $out/gdb.sock'"
	say "for a module: add-symbol-file MODULE.ko ADDRESS, with /sys/module/NAME/sections/.text of the VM as the address"
fi
if ((${#iommu[@]})); then cmdline+=' intel_iommu=on'; fi
tty=()
if ((shell_mode)); then
	# shellcheck disable=SC2054
	qemu+=(-device virtconsole,chardev=tty)
	tty=(--tty)
fi
qemu+=(-append "$cmdline")

trap - EXIT
exec /usr/bin/python3 -B "$LAB_DIR/supervise.py" --name "$name" --out "$out" --work "$work" --token "$token" \
	--time-limit "$time_limit" --boot-limit "${LAB_BOOT_LIMIT:-$boot_limit}" --silence-limit "$silence_limit" "${tty[@]}" -- "${qemu[@]}"
