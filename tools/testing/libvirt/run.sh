#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The suites with libvirt, in the lab VM: run.sh FBDRAW TOOL [TEST...]

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SUITE_OUT=$LAB_OUT
# shellcheck source=tools/testing/suite.sh
. "$here/../suite.sh"

"$here/../lab/load.sh" || { echo 'not ok - the modules did not load'; exit 1; }
suite "libvirt-$2" "$here/libvirt_test.sh" "$@"
