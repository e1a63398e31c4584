#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: one TAP test, that nothing was leaked, where the kernel can tell.

set -u
kmemleak=/sys/kernel/debug/kmemleak

echo '1..1'
if [[ ! -e $kmemleak ]]; then
	echo 'ok 1 - nothing was leaked # SKIP this kernel has no kmemleak'
	exit 0
fi
# kmemleak reports nothing younger than 5 s, and reports what two scans find.
sleep 6
if ! echo scan > $kmemleak || ! echo scan > $kmemleak; then
	echo '# kmemleak has switched itself off; the kernel log says why'
	echo 'not ok 1 - nothing was leaked'
	exit 1
fi
report=$(<$kmemleak)
if [[ -z $report ]]; then
	echo 'ok 1 - nothing was leaked'
else
	echo "${report//$'\n'/$'\n# '}" | sed '1s/^/# /'
	echo 'not ok 1 - nothing was leaked'
fi
