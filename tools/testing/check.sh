#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything and runs all suites, or those that were asked for:
#
#   check.sh LANES [SUITE [TEST]]
#
# LANES are kernels, see lab/kernel.sh: "stock debug-new"; in the environment,
# KVER is the stock one that "make" builds for. What needs no kernel runs once;
# with LANES empty nothing else does. A lane "stock-kernel-mdev" is the kernel of
# "stock" with the mdev.ko that it brings instead of ours; with MDEV_CORE=kernel in
# the environment all lanes are like that. ALSO in the environment has suites that
# run only when they are named: lint, fresh-bookworm, fresh-trixie, cve-vfio-pci. The suite "cve" is
# the tests of others that cve.txt names; whenever all suites have run, it only tells of these.
#
# Suites are put together to jobs, which run side by side, see jobs.sh. A job of a lane
# is a boot of the lab VM; LANE-build comes before. Of two jobs at once no one may write
# what the other reads: hence "after make", which builds for the kernel's mdev core, too,
# and hence all packages are installed before the first job begins.
#
# The output is TAP-like; the last line is "N passed, N failed", and ", N skipped" if any
# are. Full logs are in build/check.

set -uo pipefail

testing=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$testing/../.." && pwd)
# shellcheck source=tools/testing/suite.sh
. "$testing/suite.sh"
# shellcheck source=tools/testing/jobs.sh
. "$testing/jobs.sh"
# shellcheck source=tools/testing/lab/common.sh
. "$testing/lab/common.sh"
cd "$top" || exit 1

read -r -a lanes <<< "$1"
read -r -a asked <<< "${2-}"
read -r -a also <<< "${ALSO-}"
only=${asked[0]-}
tests=("${asked[@]:1}")
out=$top/build/check
all=$out/all.tap
if [[ ${MDEV_CORE-} == kernel ]]; then
	lanes=("${lanes[@]%-kernel-mdev}")
	lanes=("${lanes[@]/%/-kernel-mdev}")
fi
unset MDEV_CORE ALSO
# Statuses of lab/run.sh and of lab/kernel.sh
FROZEN=123
GONE=77

# Suites by where they run: on this machine, in a part of a lab VM (see selftests/run.sh), or with VMs of their own
engine='config config-qemu config-lspci area edid edid-decode'
on_host="jobs make probes suite setup kernels $engine coverage config-fuzz cli ctl-fuzz fresh"
on_request='lint fresh-bookworm fresh-trixie cve-vfio-pci'
alone='mdev core removal race module vpci mapping function irq irq-race reset dma dma-stall misuse bar fault leaf-race leaf-split stress ops fail-nth display scanout vram vblank
	soft-mdev soft-vpci soft-mapping soft-display soft-scanout soft-vram samples abi cores ctl leaks'
cdev='removal-cdev stall-cdev race-cdev vpci-cdev mapping-cdev function-cdev irq-cdev reset-cdev dma-cdev dma-stall-cdev bar-cdev fault-cdev ops-cdev fail-nth-cdev display-cdev'
hotplug='surprise'
hotplug_guests='surprise-guest'
guests='suspend guest screen soft-screen guest-bar guest-mbochs guest-cdev guest-bar-cdev'
adapters='vga16-display vga16-scanout vga16-vram vga256-display vga256-scanout vga256-vram
	bochs256-display bochs256-scanout bochs256-vram'
own='lab planted mdevctl libvirt peer uefi firmware hibernate'
with_samples='samples abi cores guest-mbochs'
in_vms="$alone $cdev $hotplug $hotplug_guests $guests $adapters $own"
selected=$only
if [[ $only == cve ]]; then selected=$("$testing/cve.py" suites); fi

# wanted SUITE...: one of them is asked for, or nothing is
wanted() {
	local name
	[[ -n $only ]] || return 0
	for name in $selected; do [[ " ${*//[[:space:]]/ } " != *" $name "* ]] || return 0; done
	return 1
}

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

everything() { make -j"$(nproc)" all tests && make -s -C tools/mdev-ctl SAN=1; }

cli() {
	local script name
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

# host JOB: on this machine
host() {
	export SUITE_OUT=$out/host
	mkdir -p "$SUITE_OUT"
	case $1 in
	build)
		suite build build everything
		built build
		;;
	# a job that is never ended would hold up what tests it
	jobs) suite jobs timeout 60 "$testing/jobs_test.sh" "${tests[@]}" ;;
	make) suite make "$testing/build_test.sh" "${tests[@]}" ;;
	probes) suite probes "$testing/probes_test.sh" "${tests[@]}" ;;
	setup) suite setup "$testing/lab/setup_test.sh" "${tests[@]}" ;;
	suite) suite suite "$testing/suite_test.sh" "${tests[@]}" ;;
	kernels) suite kernels "$testing/lab/kernels_test.sh" "${tests[@]}" ;;
	fresh) suite fresh "$testing/fresh/fresh_test.sh" "${tests[@]}" ;;
	engine)
		if [[ $only == cve ]]; then
			suite config each_test "$("$testing/cve.py" tests config)" build/unit/config_test
		elif wanted config; then
			suite config build/unit/config_test "${tests[@]}"
		fi
		if wanted area; then suite area build/unit/area_test "${tests[@]}"; fi
		if wanted edid; then suite edid build/unit/edid_test "${tests[@]}"; fi
		if wanted edid-decode; then suite edid-decode "$testing/unit/edid_decode.sh" build/unit/edid_test "${tests[@]}"; fi
		if wanted config-qemu; then suite config-qemu "$testing/qemu/compare.py" build/qemu/function "${tests[@]}"; fi
		if wanted config-lspci; then suite config-lspci "$testing/qemu/lspci_test.sh" "$top/build/qemu/function" "${tests[@]}"; fi
		;;
	coverage) suite coverage "$testing/unit/coverage.sh" ;;
	config-fuzz) suite config-fuzz "$testing/fuzz/fuzz.sh" "${tests[@]}" ;;
	cli) cli "${tests[@]}" ;;
	ctl-fuzz) suite ctl-fuzz "$testing/cli/fuzz/fuzz.sh" "${tests[@]}" ;;
	lab) suite lab "$testing/lab/selftest.sh" "${tests[@]}" ;;
	# our tool beside that of Debian
	mdevctl) suite mdevctl "$testing/cli/mdevctl_test.sh" "${tests[@]}" ;;
	lint) suite lint make -s lint ;;
	fresh-*) make -s fresh SUITE="${1#fresh-}" || echo "not ok - $1: status $?; logs: $top/build/fresh" ;;
	esac
}

# The kernel that LANE boots
lane_kver() { cat "$out/$1/kver"; }

# The lanes whose kernels are built here, with checkers that slow them down
slow_lane() { [[ $1 == @(debug|kcsan|kmsan)-* ]]; }

# lane_build LANE CORE: its kernel, and modules for it
lane_build() {
	local lane=$1 core=$2 kver status=0 kernel=${1%-kernel-mdev}
	export SUITE_OUT=$out/$lane
	mkdir -p "$SUITE_OUT"
	# shellcheck disable=SC2053 # a glob
	if [[ $kernel == stock && ${KVER-} == ${KVER_GLOB%%.\**}.* ]]; then
		kver=$KVER
	else
		"$testing/lab/kernel.sh" "$kernel" 2>&1 > "$SUITE_OUT/kernel" | tee "$SUITE_OUT/kernel.log" >&2
		status=${PIPESTATUS[0]}
		kver=$(<"$SUITE_OUT/kernel")
		if ((status == GONE)); then
			echo "ok - $lane # SKIP $(tail -n 1 "$SUITE_OUT/kernel.log")"
		elif ((status)); then
			echo "not ok - $lane: there is no kernel"
		fi
		((status == 0)) || return 1
	fi
	echo "$kver" > "$SUITE_OUT/kver"
	echo "# lane $lane: $kver"
	if [[ $lane != stock || $kver != "${KVER-}" ]]; then
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
}

# boot LANE CORE PART [OPTION...]: one boot of the lab VM, see selftests/run.sh
boot() {
	local lane=$1 core=$2 part=$3 limit=1800
	shift 3
	if slow_lane "$lane"; then limit=4000; fi
	# four devices, and what it takes to begin and end their rounds
	limit=$((limit + 5 * ${OPS_SECONDS:-0}))
	mkdir -p "$SUITE_OUT"
	echo "# part $lane $part"
	MDEV_CORE=$core "$testing/lab/run.sh" "$@" --name "$lane" --time-limit "$limit" --kver "$(lane_kver "$lane")" \
		--out "$SUITE_OUT" -- env "LAB_LANE=$lane" "OPS_SECONDS=${OPS_SECONDS-}" "OPS_SEED=${OPS_SEED-}" \
		tools/testing/selftests/run.sh "$("$testing/lab/initramfs.sh" fbdraw-path)" "$part" \
		${only:+"$only"} "${tests[@]}" < /dev/null
}

# Where 7.3's KVM emulates an access, it looks for the type of an event that AMD's processors were delivering to the guest,
# but not whether there was one. QEMU, when it emulates such a processor, leaves the type of the last exception there until
# the guest exits. So a guest stops that touches a device right after an exception of its own.
emulator_failed() {
	[[ $(cat "$SUITE_OUT/accel") == tcg ]] && grep -qs 'KVM internal error. Suberror: 3' "$SUITE_OUT"/*.qemu.log
}

# Why a part that ended with status $1 is no part that has failed; prints nothing if it is
disturbed() {
	if (($1 == FROZEN)) && ! grep -qs '^not ok ' "$SUITE_OUT"/*.tap; then
		echo 'the VM froze'
	elif emulator_failed; then
		echo 'the emulator failed a guest'
	fi
}

# part LANE CORE PART [OPTION...]: twice more if the emulator failed, by itself: the VM froze, with no test failed before,
# or a guest stopped for a reason that can be told
part() {
	local status=0 why again=0
	export SUITE_OUT=$out/$1/$3
	boot "$@" || status=$?
	while why=$(disturbed "$status") && [[ -n $why ]] && ((again++ < 2)); do
		rm -rf "$SUITE_OUT.again"
		mv "$SUITE_OUT" "$SUITE_OUT.again"
		echo "# $why, this part runs again; logs: $SUITE_OUT.again"
		status=0
		boot "$@" || status=$?
	done
	((status == 0)) || echo "not ok - $1: the lab VM ended with status $status; logs: $SUITE_OUT"
}

# Device nodes are a matter of the kernel's configuration
cdev_part() {
	local kver
	kver=$(lane_kver "$1")
	if grep -qs '^CONFIG_VFIO_DEVICE_CDEV=y' "$(kernel_root "$kver")/boot/config-$kver"; then part "$@"; fi
}

# libvirt LANE: with our tool as mdevctl, and with that of Debian
libvirt() {
	local lane=$1 status=0
	export SUITE_OUT=$out/$lane/libvirt
	mkdir -p "$SUITE_OUT"
	"$testing/lab/run.sh" --nested --name libvirt --time-limit 2400 --kver "$(lane_kver "$lane")" --out "$SUITE_OUT" -- \
		tools/testing/libvirt/run.sh "$("$testing/lab/initramfs.sh" fbdraw-path)" "${tests[@]}" < /dev/null || status=$?
	((status == 0)) || echo "not ok - libvirt: the lab VM ended with status $status; logs: $SUITE_OUT"
}

# hibernate LANE: in a VM that has nothing but its memory, so what it says is kept here
hibernate() {
	export SUITE_OUT=$out/$1/hibernate
	mkdir -p "$SUITE_OUT"
	suite hibernate "$testing/selftests/hibernate.sh" "$(lane_kver "$1")" "${tests[@]}"
}

# firmware LANE: the kernels of its guests are made here, because the lab VM forgets them
firmware() {
	local kver
	for kver in $("$testing/lab/kernel.sh" guest-6.1) $(kernel_versions '*+deb*-amd64' | head -n 1); do
		"$testing/lab/initramfs.sh" nested "$kver" && "$testing/lab/initramfs.sh" vmlinux "$kver"
	done >/dev/null
	part "$1" '' firmware --nested
}

# faulty_peer LANE: what is a fault of vfio-pci, and not of ours; the VM ends by it
faulty_peer() {
	export SUITE_OUT=$out/$1/cve-vfio-pci
	mkdir -p "$SUITE_OUT"
	suite cve-vfio-pci "$testing/lab/faulty_peer.sh" "$(lane_kver "$1")" "$SUITE_OUT"
}

planted() {
	export SUITE_OUT=$out/$1
	suite "planted-$1" "$testing/lab/planted.sh" "$(lane_kver "$1")" "${tests[@]}"
}

# host_job NAME CPUS SECONDS AFTER [SUITE...]: if one of the suites is wanted, which is NAME by default
host_job() {
	local name=$1 cpus=$2 seconds=$3 after=$4
	shift 4
	if wanted "${@:-$name}"; then job "$name" "$cpus" "$seconds" "$after" host "$name"; fi
}

# lane_jobs LANE: seconds are those of two cores that emulate. A VM with two processors keeps one busy most of the time.
lane_jobs() {
	local lane=$1 core='' slow=1 after='build' vm=vm
	if [[ $lane == *-kernel-mdev ]]; then core=kernel after='build make'; fi
	if slow_lane "$lane"; then slow=4; fi
	if [[ $lane == kmsan-* ]]; then vm=big-vm; fi
	job "$lane-build" 1 $((30 * slow * slow)) "$after" lane_build "$lane" "$core"
	after=$lane-build
	if wanted "$alone"; then job "$lane-alone" $vm:1 $((200 * slow)) "$after" part "$lane" "$core" alone; fi
	if [[ -z $core ]] && slow_lane "$lane" && wanted planted; then job "$lane-planted" $vm:1 100 "$after" planted "$lane"; fi
	if [[ " ${also[*]} " == *' cve-vfio-pci '* && -z $core ]] && ! slow_lane "$lane"; then
		job "$lane-cve-vfio-pci" vm:1 60 "$after" faulty_peer "$lane"
	fi
	# KMSAN sees by the one path what it would see by the other. KCSAN sees nothing in a VM with one processor
	[[ $lane != kmsan-* ]] || return 0
	if [[ $lane != kcsan-* ]] && wanted "$guests"; then job "$lane-guests" vm:1 $((200 * slow)) "$after" part "$lane" "$core" guests --nested; fi
	# see "What is not tested twice" in testing.rst
	[[ -z $core && $lane != stock-new ]] || return 0
	if wanted "$cdev"; then job "$lane-cdev" vm:1 $((50 * slow)) "$after" cdev_part "$lane" '' cdev; fi
	[[ $lane != kcsan-* ]] || return 0
	if wanted "$hotplug"; then job "$lane-hotplug" vm:1 $((20 * slow)) "$after" part "$lane" '' hotplug --hotplug; fi
	if wanted "$hotplug_guests"; then
		job "$lane-hotplug-guests" vm:1 $((60 * slow)) "$after" part "$lane" '' hotplug-guests --hotplug --nested
	fi
	if [[ $lane == stock ]]; then stock_jobs "$after"; fi
}

# What one kernel is enough for
stock_jobs() {
	local newest=''
	host_job lab vm:1 120 build
	host_job mdevctl 1 30 build
	if wanted libvirt; then job libvirt vm:1 200 "$1" libvirt stock; fi
	if wanted peer; then job peer vm:1 25 "$1" part stock '' peer --iommu --nic; fi
	if wanted hibernate; then job hibernate vm:1 60 "$1" hibernate stock; fi
	if wanted uefi; then job uefi vm:1 50 "$1" part stock '' uefi --firmware uefi; fi
	if wanted firmware; then
		if [[ " ${lanes[*]} " == *' stock-new '* ]]; then newest=' stock-new-build'; fi
		job firmware vm:1 120 "$1$newest" firmware stock
	fi
	# the other adapters that QEMU makes
	if [[ -z $only || $only == vga16-* ]]; then
		job vga16 vm:1 40 "$1" part stock '' vga16 --suspend --device secondary-vga
	fi
	if [[ -z $only || $only == vga256-* ]]; then
		job vga256 vm:1 40 "$1" part stock '' vga256 --suspend --device secondary-vga --vram 256M
	fi
	if [[ -z $only || $only == bochs256-* ]]; then
		job bochs256 vm:1 40 "$1" part stock '' bochs256 --suspend --vram 256M
	fi
}

# What the jobs need of packages
setup() {
	if [[ " ${lanes[*]}" == *" "@(debug|kcsan)-* ]]; then "$testing/lab/setup.sh" debug || return; fi
	# without that compiler its lane is skipped, which kernel.sh says
	if [[ " ${lanes[*]}" == *" kmsan-"* ]]; then "$testing/lab/setup.sh" kmsan || true; fi
	if [[ " ${also[*]} " == *' lint '* ]]; then "$testing/lab/setup.sh" lint || return; fi
	if [[ " ${lanes[*]} " == *' stock '* ]] && wanted mdevctl libvirt; then "$testing/lab/setup.sh" libvirt || return; fi
	if [[ " ${lanes[*]} " == *' stock '* ]] && wanted uefi firmware; then "$testing/lab/setup.sh" firmware || return; fi
}

suites() {
	local lane name after
	if ! wanted "cve $on_host $on_request $in_vms"; then
		# shellcheck disable=SC2086 # words
		echo "not ok - there is no suite '$only'; there are:" $on_host cve $on_request $in_vms
		return
	fi
	if [[ -n $only && " $on_request " == *" $only "* ]]; then also=("$only"); fi
	for lane in "${lanes[@]}"; do
		[[ ${lane%-kernel-mdev} == @(stock|stock-new|@(debug|kcsan|kmsan)-@(new|+([0-9]).+([0-9]))) ]] || {
			echo "not ok - there is no lane '$lane'; there are stock, stock-new, debug-new, kcsan-new, kmsan-new, these three also with a" \
				"series like debug-6.12, and each also as stock-kernel-mdev"
			return
		}
	done
	for name in "${also[@]}"; do
		[[ " $on_request " == *" $name "* ]] || { echo "not ok - ALSO names '$name'; there are: $on_request"; return; }
	done
	setup || { echo 'not ok - what the suites need could not be installed'; return; }
	job build "$(nproc)" 60 '' host build
	host_job jobs 1 5 build
	host_job make 1 30 build
	host_job probes 1 40 build
	host_job suite 1 1 build
	host_job setup 1 25 build
	host_job kernels 1 20 build
	host_job fresh 1 20 build
	# shellcheck disable=SC2086 # words
	host_job engine 1 10 build $engine
	host_job coverage 1 5 build
	host_job config-fuzz 1 35 build
	host_job cli 1 100 build
	host_job ctl-fuzz 1 25 build
	for name in "${also[@]}"; do
		[[ $name != cve-vfio-pci ]] || continue
		after=build
		# checkpatch and kernel-doc come with the source of a debug kernel
		if [[ $name == lint ]]; then for lane in "${lanes[@]}"; do after+=" $lane-build"; done; fi
		job "$name" 1 400 "$after" host "$name"
	done
	if wanted "$in_vms" || [[ " ${also[*]} " == *' cve-vfio-pci '* ]]; then
		for lane in "${lanes[@]}"; do lane_jobs "$lane"; done
	fi
	jobs_run "$out/jobs" || return 0
	account
}

# What was asked for and did not run has not passed
account() {
	local lane ran booted=()
	for lane in "${lanes[@]}"; do
		[[ -e $out/$lane/kver ]] || continue
		booted+=("$lane")
		ran=$(find "$out/$lane" -path '*.again' -prune -o -name '*.tap' -exec grep -h '^ok ' {} + | grep -vc '# SKIP')
		((ran)) || echo "not ok - $lane: everything was skipped"
	done
	if ((${#booted[@]})) && [[ -z $only || $only == cve ]]; then
		SUITE_OUT=$out suite cve "$testing/cve.py" verify "$out" "${booted[@]}"
	fi
	if [[ $only == cve ]]; then
		return
	elif [[ -z $only ]]; then
		if ((${#lanes[@]} && !${#booted[@]})); then echo "not ok - no lane of '${lanes[*]}' could be run"; fi
	elif [[ -z $(find "$out" -name "$only.tap" -o -name "$only-*.tap") ]]; then
		echo "not ok - the suite '$only' has not run: it is not part of ${lanes[*]:-what needs no VM}; see testing.rst"
	fi
}

rm -rf "$out"
mkdir -p "$out"
{ suites || echo 'not ok - check.sh ended before its time; see above'; } 2>&1 | tee -i "$all"

# The slowest suites, and the jobs
echo '# the slowest suites'
find "$out" -name '*.again' -prune -o -name suite-times -print | while read -r file; do
	dir=${file%/suite-times}
	sed "s|\$| ${dir#"$out/"}|" "$file"
done | sort -rn | head -n 15 | while read -r seconds name where; do
	printf '# %6d s  %s (%s)\n' "$seconds" "$name" "$where"
done
jobs_table "$out/jobs"
echo "# $SECONDS s in all, with $(nproc) processors"

# Of a part that ran twice only the second time counts
awk '
	function flush(i) { for (i = 0; i < n; i++) print held[i]; n = 0 }
	/^# part / { flush() }
	/^# .*, this part runs again; / { n = 0 }
	{ held[n++] = $0 }
	END { flush() }' "$all" > "$out/counted.tap"
read -r passed failed skipped < <(awk '
	/^not ok / { failed++ }
	/^ok / { if (/# SKIP/) skipped++; else passed++ }
	END { print passed + 0, failed + 0, skipped + 0 }' "$out/counted.tap")
if ((failed)); then
	echo "# failed:"
	grep '^not ok ' "$out/counted.tap" | sed 's/^/#   /'
	echo "# full logs: $out"
fi
if ((skipped)); then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
((failed == 0 && passed > 0))
