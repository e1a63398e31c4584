#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Suites of the lab VM: run.sh FBDRAW PART [SUITE [TEST...]]
#
# PART is "alone"; "cdev", for what does the same by device nodes; "guests", for the suites that start nested guests; "hotplug" and
# "hotplug-guests", for what needs an adapter that can be unplugged; "peer", for what needs a device of vfio-pci's; "uefi", for what
# needs one that firmware has drawn on; "firmware"; "faulty-peer", where a kernel ends by vfio-pci; "vga16", "vga256" and "bochs256", for what another adapter could make different.
# With SUITE only that one
# runs; SUITE "cve" is those tests of all suites that cve.txt names.
#
# What opens an instance runs once for each way that this kernel has to do it:
# by VFIO group and container, and by the device's own node and iommufd.

set -uo pipefail

fbdraw=$1 part=$2 only=${3-}
shift 2; shift || true
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
testing=$here/..
bin=$testing/../../build/selftests
export SUITE_OUT=$LAB_OUT
# shellcheck source=tools/testing/suite.sh
. "$testing/suite.sh"

# A test that fails leaves its instance; the suites after it need the name, and the module
remove_instances() {
	local instance
	for instance in /sys/bus/mdev/devices/*; do
		[[ -e $instance ]] || continue
		echo "# left behind: ${instance##*/}"
		echo 1 > "$instance/remove"
	done
}

run() {
	local in=$1 name=$2 tests
	shift 2
	[[ $in == "$part" ]] || return 0
	if [[ $only == cve ]]; then
		tests=$("$testing/cve.py" tests "$name")
		[[ -n $tests ]] || return 0
		set -- each_test "$tests" "$@"
	elif [[ -n $only && $name != "$only" ]]; then
		return 0
	fi
	suite "$name" "$@"
	remove_instances
}

skip() { printf '1..1\nok 1 - %s # SKIP %s\n' "$1" "$2"; }

# What has nothing to do with the core, pixels for one, or what the kernel's does not do: it deletes "remove" before it knows that
# the instance can go, and waits for users for as long as they like
run_ours() {
	if [[ -n ${LAB_MDEV_CORE-} ]]; then
		run "$1" "$2" skip "$2" 'the mdev core is the one of the kernel'
	else
		run "$@"
	fi
}

# on_stock RUN...: what is about programs or pictures, or goes in the kernel where another suite goes. On one with
# checkers it takes minutes
on_stock() {
	local run=$1
	shift
	if [[ $LAB_KVER == *-lab-* ]]; then
		run "$1" "$2" skip "$2" 'only on a kernel without checkers'
	else
		"$run" "$@"
	fi
}

# on_one_stock RUN...: likewise, and, unless it is asked for by name, what is the same whatever the kernel's age: the lane "stock" is enough
on_one_stock() {
	if [[ ${LAB_LANE-} == stock-new && -z $only ]]; then
		run "$2" "$3" skip "$3" 'nothing in it depends on how new the kernel is; the lane "stock" has it'
	else
		on_stock "$@"
	fi
}

# on_debug_too RUN...: what stock-new need not prove, unless it is asked for by name: debug-new has the same source and sees more, and stock is as fast
on_debug_too() {
	local run=$1
	shift
	if [[ ${LAB_LANE-} == stock-new && -z $only ]]; then
		run "$1" "$2" skip "$2" 'the lane "debug-new" has it on the same source, and sees more'
	else
		"$run" "$@"
	fi
}

# with_failures RUN...: what has allocations fail, which only the debug lanes can
with_failures() {
	local run=$1
	shift
	if "$bin/fail_nth_test" --can; then
		"$run" "$@"
	else
		run "$1" "$2" skip "$2" 'this kernel cannot have an allocation fail: CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC'
	fi
}

# with_module NAME COMMAND...: with one of the parent drivers that have no device, see modules/
with_module() {
	local status=0 name=$1
	shift
	insmod "$testing/../../build/modules/$(uname -r)/$name.ko" || return
	"$@" || status=$?
	remove_instances
	rmmod "$name" || return
	return $status
}

with_labs() { with_module mdev_lab with_module irq_lab with_module dma_lab with_module vpci_lab "$@"; }

# with_peer COMMAND...: the NIC of the lab belongs to vfio-pci, and irq_lab has as many interrupts; see run.sh --nic
with_peer() {
	local status=0 nic='' device
	for device in /sys/bus/pci/devices/*; do
		if [[ $(<"$device/vendor") == 0x8086 && $(<"$device/device") == 0x10d3 ]]; then nic=$device; fi
	done
	modprobe vfio-pci && echo vfio-pci > "$nic/driver_override" && echo "${nic##*/}" > /sys/bus/pci/drivers_probe || return
	insmod "$testing/../../build/modules/$(uname -r)/irq_lab.ko" msi_vectors=1 msix_vectors=5 || return
	LAB_NIC=${nic##*/} "$@" || status=$?
	remove_instances
	rmmod irq_lab && echo "${nic##*/}" > "$nic/driver/unbind" && modprobe -r vfio-pci || return
	return $status
}

# with_shmem COMMAND...: the shared memory of the lab belongs to vfio-pci; see run.sh --shmem
with_shmem() {
	local device=/sys/bus/pci/devices/$LAB_SHMEM
	modprobe vfio-pci && echo vfio-pci > "$device/driver_override" && echo "$LAB_SHMEM" > /sys/bus/pci/drivers_probe || return
	"$@" "$LAB_SHMEM" 2
}

# with_soft COMMAND...: the parent is one of system memory, without an adapter
with_soft() {
	local status=0
	"$testing/lab/unload.sh" && "$testing/lab/load.sh" soft 16M || return
	LAB_PARENT=mgpu "$@" || status=$?
	remove_instances
	"$testing/lab/unload.sh" && "$testing/lab/load.sh" || return
	return $status
}

# fewer "TEST..." COMMAND [TEST...]: under checkers, where each process takes long to start, only these of its tests, unless
# others are asked for. The rest does in the kernel what other suites do there, too
fewer() {
	local some command=$2
	read -r -a some <<< "$1"
	shift 2
	if (($#)) || [[ $LAB_KVER != *-lab-* ]]; then some=("$@"); fi
	"$command" "${some[@]}"
}

if [[ $part == uefi ]]; then
	run uefi uefi "$here/uefi_test.sh" "$@"
	exit
fi
"$testing/lab/load.sh" || { echo 'not ok - the modules did not load'; exit 1; }
export VFIO_PATH=group
run alone mdev "$bin/mdev_test" "$@"
on_debug_too run_ours alone core with_module mdev_lab "$bin/core_test" "$@"
run_ours alone removal "$bin/removal_test" "$@"
on_debug_too run_ours alone race "$bin/race_test" "$@"
on_debug_too run_ours alone module "$here/module_test.sh" "$bin/removal_test" "$@"
run alone vpci "$bin/vpci_test" "$@"
run alone mapping "$bin/mapping_test" "$@"
run_ours alone function with_module testfn "$bin/function_test" "$@"
run_ours alone irq with_module irq_lab "$bin/irq_test" "$@"
run_ours alone irq-race with_module irq_lab "$bin/irq_race_test" "$@"
run_ours alone reset with_module irq_lab "$bin/reset_test" "$@"
run_ours alone dma with_module dma_lab "$bin/dma_test" "$@"
run_ours alone dma-stall with_module dma_lab "$bin/dma_stall_test" "$@"
on_debug_too run_ours alone misuse with_module misuse "$bin/misuse_test" "$@"
run_ours alone bar with_module vpci_lab "$bin/bar_test" "$@"
run_ours alone fault with_module vpci_lab "$bin/fault_test" "$@"
run_ours alone leaf-race with_module vpci_lab "$bin/leaf_race_test" "$@"
run_ours alone leaf-split with_module vpci_lab "$bin/leaf_split_test" "$@"
on_debug_too run_ours alone stress with_module vpci_lab "$bin/stress_test" "$@"
run_ours alone ops with_labs "$bin/ops_test" "$@"
with_failures run_ours alone fail-nth with_labs "$bin/fail_nth_test" "$@"
for noun in display scanout vram; do
	on_debug_too run_ours alone $noun "$bin/${noun}_test" "$@"
	for adapter in vga16 vga256 bochs256; do
		run_ours $adapter $adapter-$noun "$bin/${noun}_test" "$@"
	done
done
run alone vblank "$bin/vblank_test" "$@"
run_ours alone soft-mdev with_soft "$bin/mdev_test" "$@"
on_one_stock run_ours alone soft-vpci with_soft "$bin/vpci_test" "$@"
on_one_stock run_ours alone soft-mapping with_soft "$bin/mapping_test" "$@"
for noun in display scanout; do
	on_one_stock run_ours alone soft-$noun with_soft "$bin/${noun}_test" "$@"
done
run_ours alone soft-vram with_soft "$bin/vram_test" "$@"
# What the core refuses, race, mdev and core ask for
run alone samples fewer 'create_and_remove unload log' "$here/samples_test.sh" "$@"
on_one_stock run alone ctl "$testing/cli/real_test.sh" "$@"
run_ours peer peer with_peer "$bin/peer_test" "$@"
# Ours first: what comes after it is a kernel's end
run_ours faulty-peer leaf-split with_module vpci_lab "$bin/leaf_split_test" "$@"
run faulty-peer vfio-pci with_shmem "$bin/leaf_split_peer"
run_ours guests suspend "$bin/scanout_test" test_suspend_and_resume
on_stock run guests guest "$here/guest_test.sh" "$fbdraw" "$@"
on_stock run_ours guests screen "$here/screen_test.sh" "$fbdraw" "$@"
run firmware firmware "$here/firmware_test.sh" "$fbdraw" "$@"
run_ours hotplug surprise "$here/surprise_test.sh" "$bin/vram_test" "$@"
run_ours hotplug-guests surprise-guest fewer unplugged_under_a_guest "$here/surprise_guest_test.sh" "$@"
on_one_stock run_ours guests soft-screen with_soft "$here/screen_test.sh" "$fbdraw" "$@"
on_stock run_ours guests guest-bar with_module vpci_lab "$here/bar_guest_test.sh" "$bin/bar_guest" "$@"
on_stock run guests guest-mbochs "$here/guest_mbochs_test.sh" "$fbdraw" "$@"
if "$bin/mdev_test" --has-cdev; then
	export VFIO_PATH=cdev
	run_ours cdev removal-cdev "$bin/removal_test" "$@"
	run_ours cdev stall-cdev "$bin/stall_test" "$@"
	run_ours cdev race-cdev "$bin/race_test" "${@:-test_open*}"
	run cdev vpci-cdev "$bin/vpci_test" "$@"
	run cdev mapping-cdev "$bin/mapping_test" "$@"
	run_ours cdev function-cdev with_module testfn "$bin/function_test" "$@"
	run_ours cdev irq-cdev with_module irq_lab "$bin/irq_test" "$@"
	run_ours cdev reset-cdev with_module irq_lab "$bin/reset_test" "$@"
	run_ours cdev dma-cdev with_module dma_lab "$bin/dma_test" "$@"
	run_ours cdev dma-stall-cdev with_module dma_lab "$bin/dma_stall_test" "$@"
	run_ours cdev bar-cdev with_module vpci_lab "$bin/bar_test" "$@"
	run_ours cdev fault-cdev with_module vpci_lab "$bin/fault_test" "$@"
	run_ours cdev ops-cdev with_labs env "OPS_SECONDS=${OPS_SECONDS:-10}" "$bin/ops_test" "$@"
	with_failures run_ours cdev fail-nth-cdev with_labs "$bin/fail_nth_test" "$@"
	run_ours cdev display-cdev "$bin/display_test" "$@"
	run guests guest-cdev "$here/guest_test.sh" "$fbdraw" "$@"
	run_ours guests guest-bar-cdev with_module vpci_lab "$here/bar_guest_test.sh" "$bin/bar_guest" "$@"
fi
"$testing/lab/unload.sh" || echo 'not ok - the modules did not unload'
# They load both mdev cores, one after the other
if [[ -z ${LAB_MDEV_CORE-} ]]; then
	on_stock run alone abi "$here/abi_test.sh" "$@"
	on_stock run alone cores "$here/cores_test.sh" "$@"
fi
if [[ -z $only || $only == leaks ]]; then
	suite leaks "$testing/lab/leaks.sh"
fi
