#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is left of instances when the machine has hibernated, in a lab VM that does:
#
#   hibernate.sh KVER [TEST]

set -eu

kver=$1
shift
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/common.sh"
built=$(modules_dir "$kver" '')
client=$REPO/build/selftests/hibernate_test

# The kernel that brings the VM back has nothing of ours: there the client is somebody else who draws on the adapter
# shellcheck disable=SC2016 # for the VM's shell
"$LAB_DIR/run.sh" --hibernate --name hibernate --mem 512M --time-limit 300 --kver "$kver" --out "$SUITE_OUT" \
	--with "$client" --with "$built/drivers/vfio/mdev/mdev-core.ko" --with "$built/drivers/vfio/vpci/vfio-vpci.ko" \
	--with "$built/samples/vfio-mdev/mgpu.ko" -- \
	sh -c '[ -n "${LAB_RESUMES-}" ] || tools/testing/lab/load.sh && exec "$@"' sh "$client" "$@"
