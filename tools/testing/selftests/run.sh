#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Suites of the lab VM: run.sh FBDRAW PART [SUITE [TEST...]]
#
# PART is "alone" or "guests", for the suites that start nested guests. With SUITE
# only that one runs.
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

run() {
	local in=$1 name=$2
	shift 2
	[[ $in == "$part" ]] || return 0
	[[ -n $only && $name != "$only" ]] || suite "$name" "$@"
}

"$testing/lab/load.sh" || { echo 'not ok - the modules did not load'; exit 1; }
export VFIO_PATH=group
run alone mdev "$bin/mdev_test" "$@"
run alone removal "$bin/removal_test" "$@"
run alone race "$bin/race_test" "$@"
run alone module "$here/module_test.sh" "$bin/removal_test" "$@"
run alone vpci "$bin/vpci_test" "$@"
run alone ctl "$testing/cli/real_test.sh" "$@"
run guests guest "$here/guest_test.sh" "$fbdraw" "$@"
if "$bin/mdev_test" --has-cdev; then
	export VFIO_PATH=cdev
	run alone removal-cdev "$bin/removal_test" "$@"
	run alone race-cdev "$bin/race_test" "$@"
	run alone vpci-cdev "$bin/vpci_test" "$@"
	run guests guest-cdev "$here/guest_test.sh" "$fbdraw" "$@"
fi
rmmod mgpu vfio_vpci mdev || echo 'not ok - the modules did not unload'
if [[ -z $only || $only == leaks ]]; then
	suite leaks "$testing/lab/leaks.sh"
fi
