#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All suites of the lab VM, or one: run.sh FBDRAW [SUITE [TEST...]]

set -uo pipefail

fbdraw=$1 only=${2-}
shift; shift || true
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
testing=$here/..
bin=$testing/../../build/selftests
export SUITE_OUT=$LAB_OUT
# shellcheck source=tools/testing/suite.sh
. "$testing/suite.sh"

run() {
	local name=$1
	shift
	[[ -n $only && $name != "$only" ]] || suite "$name" "$@"
}

"$testing/lab/load.sh" || { echo 'not ok - the modules did not load'; exit 1; }
run mdev "$bin/mdev_test" "$@"
run vpci "$bin/vpci_test" "$@"
run ctl "$testing/cli/real_test.sh" "$@"
run guest "$here/guest_test.sh" "$fbdraw" "$@"
rmmod mgpu vfio_vpci mdev || echo 'not ok - the modules did not unload'
