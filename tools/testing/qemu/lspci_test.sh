#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What lspci makes of our config space: lspci_test.sh FUNCTION [TEST...]

function=$1
shift
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

# decode NAME BYTES [ACCESS...]: a dump of the function, after the accesses, as lspci reads it
decode() {
	local name=$1 size=$2
	shift 2
	{
		echo '00:05.0 Function'
		printf '%s\n' "$@" "r 0 $size" | "$function" "$name" | tail -n 1 |
			fold -w 32 | awk '{ gsub(/../, " &"); printf "%02x:%s\n", 16 * (NR - 1), $0 }'
	} >"$work/dump"
	lspci -vvv -nn -F "$work/dump" >"$work/decoded" 2>&1 || fail 'lspci failed'
	last="lspci -F of $name"
}

has() {
	local text
	for text; do expect_has decoded "$text"; done
}

test_all() {
	decode all 1000
	has '[1234:1111] (rev 02)' 'Subsystem: ' 'Cap+' 'INTx-' \
		'Interrupt: pin A' \
		'Capabilities: [40] Power Management version 3' \
		'Status: D0 NoSoftRst- PME-Enable- DSel=0 DScale=0 PME-' \
		'Flags: PMEClk- DSI- D1- D2- AuxCurrent=0mA PME(D0-,D1-,D2-,D3hot-,D3cold-)' \
		'Capabilities: [48] MSI: Enable- Count=1/4 Maskable+ 64bit+' \
		'Capabilities: [60] MSI-X: Enable- Count=65 Masked-' \
		'Vector table: BAR=2 offset=00000000' 'PBA: BAR=2 offset=00000800' \
		'Capabilities: [6c] Express (v2) Endpoint' \
		'FLReset+' 'LnkCap:	Port #0, Speed 2.5GT/s, Width x1' 'Speed 2.5GT/s' \
		'Capabilities: [a8] Vendor Specific Information: Len=0c' \
		'Capabilities: [100 v2] Advanced Error Reporting' \
		'UESta:	DLP- SDES- TLP- FCP-' 'UESvrt:	DLP+ SDES- TLP- FCP+' 'CEMsk:	RxErr- BadTLP- BadDLLP- Rollover- Timeout- AdvNonFatalErr+' \
		'Capabilities: [12c v1] Device Serial Number 11-22-33-44-55-66-77-88' \
		'Capabilities: [138 v1] Vendor Specific Information: ID=1234 Rev=5 Len=010' \
		'Capabilities: [148 v1] Physical Resizable BAR' 'BAR 0: current size: 16MB, supported: 4MB 8MB 16MB'
	! grep -q 'unknown\|malformed\|<chain broken\|<access denied' "$work/decoded" || fail "$(cat "$work/decoded")"
}

test_programmed() {
	decode all 1000 'w 4 0704' 'w 10 0c0000fe02000000' 'w 18 00f0bffe' 'w 1c 01c0' 'w 30 0100befe' 'w 4a 2100' 'w 63 c0' 'w 44 03'
	has 'Control: I/O+ Mem+ BusMaster+' 'DisINTx+' \
		'Region 0: Memory at 2fe000000 (64-bit, prefetchable)' \
		'Region 2: Memory at febff000 (32-bit, non-prefetchable)' \
		'Region 3: I/O ports at c000' \
		'Expansion ROM at febe0000' \
		'MSI: Enable+ Count=4/4' 'MSI-X: Enable+ Count=65 Masked+' 'Status: D3'
}

test_edu() {
	decode edu 100
	has '[00ff]: Device [1234:11e8] (rev 10)' 'Capabilities: [40] MSI: Enable- Count=1/1 Maskable- 64bit+'
}

tap_main "$@"
