#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# build.sh KVER: builds the modules of the tests for kernel KVER, in
# build/modules/KVER, against what "make" or lab/lane.sh built for it.

set -euo pipefail
# shellcheck source=tools/testing/lab/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/common.sh"

kver=$1
root=$(kernel_root "$kver") || die "there is no kernel $kver; see tools/testing/lab/kernel.sh"
kdir=${root%/}/lib/modules/$kver/build
out=$REPO/build/modules/$kver
tree=$(modules_dir "$kver" '')
[[ -e $tree/Module.symvers ]] || die "the modules for $kver are not built; run \"make\" or tools/testing/lab/lane.sh $kver"

mkdir -p "$out"
ln -sfn "$REPO/include" "$out/include"
ln -sf "$REPO"/tools/testing/modules/{Kbuild,*.c,*.h} "$out/"
# Kbuild does not see that the versions of symbols of others have changed
[[ $out/Module.symvers -nt $tree/Module.symvers ]] || rm -f "$out/Module.symvers"
# shellcheck disable=SC2046 # a word or none
make $(clang_of "$kdir") --no-print-directory -C "$kdir" M="$out" W=1 KBUILD_EXTRA_SYMBOLS="$tree/Module.symvers" modules
