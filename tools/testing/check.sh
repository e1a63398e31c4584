#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything and runs all suites, or those that were asked for:
#
#   check.sh LANES [SUITE [TEST]]
#
# LANES are kernels, see lab/kernel.sh: "stock debug-7.2"; in the environment,
# KVER is the stock one that "make" builds for. What needs no kernel runs once;
# with LANES empty nothing else does. A lane "stock-kernel-mdev" is the kernel of
# "stock" with the mdev.ko that it brings instead of ours; with MDEV_CORE=kernel in
# the environment all lanes are like that. The output is TAP-like; the
# last line is "N passed, N failed", and ", N skipped" if any are. Full logs are in
# build/check.

set -uo pipefail

testing=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$testing/../.." && pwd)
# shellcheck source=tools/testing/suite.sh
. "$testing/suite.sh"
cd "$top" || exit 1

read -r -a lanes <<< "$1"
read -r -a asked <<< "${2-}"
only=${asked[0]-}
tests=("${asked[@]:1}")
out=$top/build/check
all=$out/all.tap
if [[ ${MDEV_CORE-} == kernel ]]; then
	lanes=("${lanes[@]%-kernel-mdev}")
	lanes=("${lanes[@]/%/-kernel-mdev}")
fi
unset MDEV_CORE
# A status of lab/run.sh
FROZEN=123

# Suites by where they run: on this machine, in a part of a lab VM (see selftests/run.sh), or with VMs of their own
on_host='make suite config config-qemu config-lspci config-fuzz area edid edid-decode cli ctl-fuzz fresh'
alone='mdev removal race module vpci mapping function irq irq-race reset dma bar fault stress display scanout vram vblank
	soft-mdev soft-vpci soft-mapping soft-display soft-scanout soft-vram samples abi ctl leaks
	removal-cdev stall-cdev race-cdev vpci-cdev mapping-cdev function-cdev irq-cdev reset-cdev dma-cdev bar-cdev fault-cdev display-cdev'
hotplug='surprise'
hotplug_guests='surprise-guest'
guests='suspend guest screen soft-screen guest-bar guest-mbochs guest-cdev guest-bar-cdev'
adapters='vga16-display vga16-scanout vga16-vram vga256-display vga256-scanout vga256-vram
	bochs256-display bochs256-scanout bochs256-vram'
own='lab planted mdevctl libvirt'
with_samples='samples abi guest-mbochs'
in_vms="$alone $hotplug $hotplug_guests $guests $adapters $own"

# wanted SUITE...: one of them is asked for, or nothing is
wanted() { [[ -z $only || " ${*//[[:space:]]/ } " == *" $only "* ]]; }

# build COMMAND...: a build as a test; it succeeds, and without a warning.
build() {
	local status=0 log=$SUITE_OUT/build.log
	"$@" > "$log" 2>&1 || status=$?
	echo '1..1'
	if ((status == 0)) && ! grep 'warning:' "$log"; then
		echo 'ok 1 - it builds without a warning (W=1)'
	else
		tail -n 40 "$log"
		echo "# the whole log: $log"
		echo 'not ok 1 - it builds without a warning (W=1)'
	fi
}

built() { ! grep -q '^not ok' "$SUITE_OUT/$1.tap"; }

cli() {
	local script name
	make -s -C tools/mdev-ctl SAN=1
	for script in "$testing"/cli/*_test.sh; do
		name=$(basename "$script" _test.sh)
		# they need the lab, and Debian's mdevctl
		[[ $name != real && $name != mdevctl ]] || continue
		suite "cli-$name" "$script" "$@"
		# some thousand runs, which sanitizers make slow; valgrind does the same as they
		[[ $name != crash && $name != valgrind ]] || continue
		MDEV_CTL=$top/tools/mdev-ctl/mdev-ctl-san \
			suite "cli-san-$name" "$script" "$@"
	done
}

host() {
	export SUITE_OUT=$out/host
	mkdir -p "$SUITE_OUT"
	suite build build make all tests
	built build || return
	if wanted make; then suite make "$testing/build_test.sh" "${tests[@]}"; fi
	if wanted suite; then suite suite "$testing/suite_test.sh" "${tests[@]}"; fi
	if wanted config; then suite config build/unit/config_test "${tests[@]}"; fi
	if wanted area; then suite area build/unit/area_test "${tests[@]}"; fi
	if wanted edid; then suite edid build/unit/edid_test "${tests[@]}"; fi
	if wanted edid-decode; then suite edid-decode "$testing/unit/edid_decode.sh" build/unit/edid_test "${tests[@]}"; fi
	if wanted config-qemu; then suite config-qemu "$testing/qemu/compare.py" build/qemu/function "${tests[@]}"; fi
	if wanted config-lspci; then suite config-lspci "$testing/qemu/lspci_test.sh" "$top/build/qemu/function" "${tests[@]}"; fi
	if wanted config-fuzz; then suite config-fuzz "$testing/fuzz/fuzz.sh" "${tests[@]}"; fi
	if wanted cli; then cli "${tests[@]}"; fi
	if wanted fresh; then suite fresh "$testing/fresh/fresh_test.sh" "${tests[@]}"; fi
	if wanted ctl-fuzz; then suite ctl-fuzz "$testing/cli/fuzz/fuzz.sh" "${tests[@]}"; fi
}

# Our tool beside that of Debian
beside_mdevctl() {
	"$testing/lab/setup.sh" libvirt || { echo 'not ok - mdevctl could not be installed'; return; }
	export SUITE_OUT=$out/stock
	suite mdevctl "$testing/cli/mdevctl_test.sh" "${tests[@]}"
}

# libvirt KVER: with our tool as mdevctl, and with that of Debian
libvirt() {
	local kver=$1 status=0
	"$testing/lab/setup.sh" libvirt || { echo 'not ok - libvirt could not be installed'; return; }
	export SUITE_OUT=$out/stock/libvirt
	mkdir -p "$SUITE_OUT"
	"$testing/lab/run.sh" --nested --name libvirt --time-limit 1500 --kver "$kver" --out "$SUITE_OUT" -- \
		tools/testing/libvirt/run.sh "$("$testing/lab/initramfs.sh" fbdraw-path)" "${tests[@]}" < /dev/null || status=$?
	((status == 0)) || echo "not ok - libvirt: the lab VM ended with status $status; logs: $SUITE_OUT"
}

# boot LANE KVER PART [OPTION...]: one boot of the lab VM, see selftests/run.sh.
# Uses core of its caller.
boot() {
	local lane=$1 kver=$2 part=$3 limit=900
	shift 3
	if [[ $lane == debug-* ]]; then limit=3000; fi
	mkdir -p "$SUITE_OUT"
	echo "# part $lane $part"
	MDEV_CORE=$core "$testing/lab/run.sh" "$@" --name "$lane" --time-limit "$limit" --kver "$kver" --out "$SUITE_OUT" -- \
		tools/testing/selftests/run.sh "$("$testing/lab/initramfs.sh" fbdraw-path)" "$part" \
		${only:+"$only"} "${tests[@]}" < /dev/null
}

# part LANE KVER PART [OPTION...]: once more if the VM froze, which an emulator may do by itself; not if a test failed
# before it did
part() {
	local status=0
	export SUITE_OUT=$out/$1/$3
	boot "$@" || status=$?
	if ((status == FROZEN)) && ! grep -qs '^not ok ' "$SUITE_OUT"/*.tap; then
		rm -rf "$SUITE_OUT.frozen"
		mv "$SUITE_OUT" "$SUITE_OUT.frozen"
		echo "# the VM froze, this part runs again; logs: $SUITE_OUT.frozen"
		status=0
		boot "$@" || status=$?
	fi
	((status == 0)) || echo "not ok - $1: the lab VM ended with status $status; logs: $SUITE_OUT"
}

# adapters LANE KVER: the other ones that QEMU makes
adapters() {
	if [[ -z $only || $only == vga16-* ]]; then part "$@" vga16 --suspend --device secondary-vga; fi
	if [[ -z $only || $only == vga256-* ]]; then part "$@" vga256 --suspend --device secondary-vga --vram 256M; fi
	if [[ -z $only || $only == bochs256-* ]]; then part "$@" bochs256 --suspend --vram 256M; fi
}

lane() {
	local lane=$1 kver ran core='' kernel=${1%-kernel-mdev}
	export SUITE_OUT=$out/$lane
	mkdir -p "$SUITE_OUT"
	echo "# lane $lane"
	if [[ $lane != "$kernel" ]]; then core=kernel; fi
	if [[ $kernel == stock && -n ${KVER-} ]]; then
		kver=$KVER
	else
		kver=$("$testing/lab/kernel.sh" "$kernel") || { echo "not ok - $lane: there is no kernel"; return; }
	fi
	if [[ $lane == stock ]]; then
		if wanted lab; then suite lab "$testing/lab/selftest.sh" "${tests[@]}"; fi
	else
		MDEV_CORE=$core suite "build-$lane" build "$testing/lab/lane.sh" "$kver"
		built "build-$lane" || return
	fi
	if [[ -z $core ]]; then
		suite "modules-$lane" build "$testing/modules/build.sh" "$kver"
		built "modules-$lane" || return
	fi
	if wanted "$with_samples"; then
		# shellcheck disable=SC2086 # one word or two
		suite "build-samples-$lane" build "$testing/lab/samples.sh" "$kver" ${core:-ours kernel}
		built "build-samples-$lane" || return
	fi
	if wanted "$alone"; then part "$lane" "$kver" alone; fi
	if wanted "$hotplug"; then part "$lane" "$kver" hotplug --hotplug; fi
	if wanted "$hotplug_guests"; then part "$lane" "$kver" hotplug-guests --hotplug --nested; fi
	if wanted "$guests"; then part "$lane" "$kver" guests --nested; fi
	if [[ $lane == stock ]]; then
		adapters "$lane" "$kver"
		if wanted mdevctl; then beside_mdevctl; fi
		if wanted libvirt; then libvirt "$kver"; fi
	fi
	if [[ $lane == debug-* && -z $core ]] && wanted planted; then
		suite "planted-$lane" "$testing/lab/planted.sh" "$kver" "${tests[@]}"
	fi
	ran=$(find "$out/$lane" -path '*.frozen' -prune -o -name '*.tap' -exec grep -h '^ok ' {} + | grep -vc '# SKIP')
	((ran)) || echo "not ok - $lane: everything was skipped"
}

suites() {
	local lane
	if ! wanted "$on_host $in_vms"; then
		# shellcheck disable=SC2086 # words
		echo "not ok - there is no suite '$only'; there are:" $on_host $in_vms
		return
	fi
	host
	if grep -q '^not ok' "$out/host/build.tap" || ! wanted "$in_vms"; then return; fi
	for lane in "${lanes[@]}"; do lane "$lane"; done
}

rm -rf "$out"
mkdir -p "$out"
suites 2>&1 | tee "$all"

# What ran twice counts once
read -r passed failed skipped < <(awk '
	/^# part / { ok = passed; skip = skipped }
	/^# the VM froze, / { passed = ok; skipped = skip }
	/^not ok / { failed++ }
	/^ok / { if (/# SKIP/) skipped++; else passed++ }
	END { print passed + 0, failed + 0, skipped + 0 }' "$all")
if ((failed)); then
	echo "# failed:"
	grep '^not ok ' "$all" | sed 's/^/#   /'
	echo "# full logs: $out"
fi
if ((skipped)); then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
((failed == 0 && passed > 0))
