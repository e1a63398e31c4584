#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: play with each device that "ops" has, until one of them shows something. To be sourced for
# their names.

# shellcheck disable=SC2034 # of the script that sources this
TARGETS=(lab irq dma mgpu)
[[ ${BASH_SOURCE[0]} == "$0" ]] || return 0

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
tools/testing/lab/load.sh || exit 1
for module in vpci_lab irq_lab dma_lab; do
	insmod "build/modules/$(uname -r)/$module.ko" || exit 1
done
SECONDS=0
for target in "${TARGETS[@]}"; do
	build/selftests/ops_test "test_$target" || { echo "# ended after $SECONDS s"; exit 1; }
done
