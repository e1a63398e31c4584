#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mdev-ctl beside Debian's mdevctl, with many instances: bench.sh [COUNT]
#
# Both run on the same plain files, which a mount namespace puts in the place of /sys and /etc/mdevctl.d, because
# Debian's mdevctl cannot be told another root. Prints a line per case, and fails if a goal is missed.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
count=${1:-1000}

if [[ -z ${BENCH_NAMESPACE-} ]]; then
	command -v mdevctl >/dev/null ||
		{ echo "bench.sh: there is no mdevctl to compare with; tools/testing/lab/setup.sh libvirt installs it" >&2; exit 1; }
	work=$(mktemp -d /dev/shm/bench-ctl.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work"/{sys,etc}
	# in a chroot there are no user namespaces, and without one only root may do that
	how=-m
	unshare -m true 2>/dev/null || how=-rm
	BENCH_NAMESPACE=$work unshare $how "$0" "$count"
	exit
fi

work=$BENCH_NAMESPACE
mount --bind "$work/sys" /sys
mount --bind "$work/etc" /etc/mdevctl.d
exec /usr/bin/python3 -B "$here/bench.py" "$here/../../mdev-ctl/mdev-ctl" "$(command -v mdevctl)" "$count"
