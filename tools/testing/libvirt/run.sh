#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The suites with libvirt, in the lab VM, with our tool as mdevctl and then with that of Debian:
#
#   run.sh FBDRAW [TEST...]

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SUITE_OUT=$LAB_OUT
# shellcheck source=tools/testing/suite.sh
. "$here/../suite.sh"

"$here/../lab/load.sh" || { echo 'not ok - the modules did not load'; exit 1; }
fbdraw=$1
shift
for tool in ours debian; do
	suite "libvirt-$tool" "$here/libvirt_test.sh" "$fbdraw" $tool "$@"
done
