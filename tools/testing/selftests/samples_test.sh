#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parent drivers that come with the kernel (mtty, mdpy, mbochs), unmodified, on an mdev core that is loaded, in the
# lab VM. They were written for the kernel's core: what they rely on is what ours must keep.
#
#   samples_test.sh [NAME...]

set -u

# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
# shellcheck source=tools/testing/selftests/samples.sh
. "$here/samples.sh"

A=aaaaaaaa-5a3b-4e11-8e11-000000000001
B=bbbbbbbb-5a3b-4e11-8e11-000000000002

setup() {
	local name parameters
	for name in "${SAMPLES[@]}"; do
		last="insmod $name"
		# room for one of the largest type
		parameters=()
		if [[ $name == mbochs ]]; then parameters=(count=64); fi
		[[ -d /sys/module/$name ]] || load_sample "$name" "${parameters[@]}" 2>"$work/err" || fail "$(<"$work/err")"
	done
}

# for_each_type COMMAND: with $sample, $type (its directory) and $last set. for_each_sample is quicker: first types only
for_each_type() {
	for sample in "${SAMPLES[@]}"; do
		for type in "$(parent_of "$sample")"/mdev_supported_types/*; do
			last=${type##*/}
			"$@"
		done
	done
}

for_each_sample() {
	for sample in "${SAMPLES[@]}"; do
		type=$(printf '%s\n' "$(parent_of "$sample")"/mdev_supported_types/* | head -n 1)
		last=${type##*/}
		"$@"
	done
}

available() { cat "$1/available_instances"; }

type_files() {
	local file
	expect_equal "$sample-" "${last:0:${#sample}+1}" 'prefix of the type'
	for file in name device_api available_instances description; do
		if [[ $file == description && -n ${LAB_MDEV_CORE-} ]]; then continue; fi
		grep -qs . "$type/$file" || fail "$last/$file is empty or not there"
	done
	expect_equal vfio-pci "$(<"$type/device_api")" 'device_api'
	expect_equal '' "$(ls "$type/devices")" 'devices'
}
test_types() { for_each_type type_files; }

create_and_remove() {
	local before
	before=$(available "$type")
	((before > 0)) || fail 'nothing is available'
	expect_equal '' "$(error_of "$A" "$type/create")" create
	expect_equal "$(realpath "$type")" "$(realpath "$DEVICES/$A/mdev_type")" mdev_type
	expect_equal "$(realpath "$DEVICES/$A")" "$(realpath "$type/devices/$A")" 'link in devices'
	expect_equal "$sample" "$(basename "$(realpath "$DEVICES/$A/driver")")" driver
	[[ -d $(parent_of "$sample")/$A ]] || fail 'it is not below its parent'
	[[ -e $DEVICES/$A/iommu_group ]] || fail 'VFIO does not know it'
	(($(available "$type") < before)) || fail 'available_instances has not gone down'
	expect_equal '' "$(error_of 1 "$DEVICES/$A/remove")" remove
	[[ ! -e $DEVICES/$A ]] || fail 'it is still there'
	expect_equal "$before" "$(available "$type")" 'available_instances afterwards'
}
test_create_and_remove() { for_each_type create_and_remove; }

# As many as available_instances said, then an error that changes nothing, and all of them come back
fill() {
	local before made=0 uuid said=''
	before=$(available "$type")
	while ((made <= before)); do
		uuid=$(printf 'ffffffff-5a3b-4e11-8e11-%012x' "$made")
		said=$(error_of "$uuid" "$type/create")
		[[ -z $said ]] || break
		made=$((made + 1))
	done
	expect_equal "$before" "$made" 'instances that could be created'
	# mdpy counts by max_instances, the others themselves
	if [[ $sample == mdpy ]]; then
		expect_equal 'Too many users' "$said" 'one too many'
	else
		expect_equal 'No space left on device' "$said" 'one too many'
	fi
	[[ ! -e $DEVICES/$uuid ]] || fail 'the one too many is there'
	expect_equal 0 "$(available "$type")" available_instances
	while ((made--)); do
		echo 1 >"$DEVICES/$(printf 'ffffffff-5a3b-4e11-8e11-%012x' "$made")/remove" || fail "remove of $made"
	done
	expect_equal "$before" "$(available "$type")" 'available_instances afterwards'
}
test_fill() { for_each_sample fill; }

refuse_nonsense() {
	local before text
	before=$(available "$type")
	for text in '' 1 nonsense "${A%?}" "${A%?}g" "{$A}" "${A//-/}" "$A and more" "../$A"; do
		# bash does not write nothing at all
		expect_equal 'Invalid argument' "$(error_of "$text"$'\n' "$type/create")" "create of '$text'"
	done
	expect_equal '' "$(error_of "$A" "$type/create")" create
	for text in nonsense -1x ''; do
		expect_equal 'Invalid argument' "$(error_of "$text"$'\n' "$DEVICES/$A/remove")" "remove of '$text'"
	done
	expect_equal '' "$(error_of 0 "$DEVICES/$A/remove")" 'remove of 0'
	[[ -e $DEVICES/$A/remove ]] || fail 'it is gone, or cannot be removed any more'
	expect_equal '' "$(error_of 1 "$DEVICES/$A/remove")" remove
	expect_equal "$before" "$(available "$type")" 'available_instances afterwards'
}
test_nonsense() { for_each_sample refuse_nonsense; }

# A name is taken on the whole machine, whatever the parent
refuse_taken() {
	local before
	before=$(available "$type")
	expect_equal 'File exists' "$(error_of "$A" "$type/create")" create
	expect_equal "$before" "$(available "$type")" 'available_instances'
}
test_uuid_of_another_parent() {
	local owner owners
	# with the first type of each; mgpu, too
	owners=("$(parent_of mtty)" "$(parent_of mdpy)" "$(parent_of mbochs)" "/sys/bus/pci/devices/$LAB_PARENT")
	for owner in "${owners[@]}"; do
		owner=$(printf '%s\n' "$owner"/mdev_supported_types/* | head -n 1)
		last=$owner
		expect_equal '' "$(error_of "$A" "$owner/create")" create
		for_each_sample refuse_taken
		expect_equal "$(realpath "$owner")" "$(realpath "$DEVICES/$A/mdev_type")" 'owner afterwards'
		expect_equal '' "$(error_of 1 "$DEVICES/$A/remove")" remove
	done
}

# Unloading a driver takes its instances along, and nobody else's
test_unload() {
	local name
	echo "$A" >"$(parent_of mbochs)/mdev_supported_types/mbochs-small/create" || fail 'create'
	echo "$B" >"$(parent_of mtty)/mdev_supported_types/mtty-1/create" || fail 'create'
	rmmod mbochs || fail 'rmmod mbochs'
	[[ ! -e $DEVICES/$A ]] || fail 'the instance has outlived its driver'
	[[ -e $DEVICES/$B ]] || fail 'the instance of another driver has gone'
	[[ ! -e /sys/class/mdev_bus/mbochs ]] || fail 'the parent is still listed'
	# the name is free again
	expect_equal '' "$(error_of "$A" "$(parent_of mdpy)/mdev_supported_types/mdpy-vga/create")" create
	for name in mtty mdpy; do rmmod $name || fail "rmmod $name"; done
	for name in "${SAMPLES[@]}"; do
		[[ ! -e /sys/bus/mdev/drivers/$name ]] || fail "$name is still registered"
	done
	[[ ! -e $DEVICES/$A && ! -e $DEVICES/$B ]] || fail 'an instance has outlived its driver'
}

# Nothing that these tests did is worth more than information in the kernel's log
test_log() {
	[[ -z ${LAB_MDEV_CORE-} ]] || skip "the driver core logs errors of a probe with the kernel's core"
	dmesg --level=emerg,alert,crit,err,warn | tail -n "+$((log_before + 1))" | grep -E 'mdev|mtty|mdpy|mbochs|5a3b-4e11' |
		grep -v 'taint' >"$work/lines"
	[[ ! -s $work/lines ]] || { fail 'lines in the log'; show log: "$work/lines"; }
}

# Other suites of this boot make allocations fail, which the kernel logs
log_before=$(dmesg --level=emerg,alert,crit,err,warn | wc -l)
trap 'unload_samples; rm -rf "$work"' EXIT
tap_main "$@"
