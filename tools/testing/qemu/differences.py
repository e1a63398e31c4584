# SPDX-License-Identifier: GPL-2.0-only
"""Where our config space and QEMU's may differ, and why.

Each entry is a device, the offset of a dword or a range of them, the bits, and the
reason. What no entry names must be equal at every moment.
"""

ALL = 0xffffffff

SCRATCH = 'QEMU: what nobody describes is memory that a guest can write; ours is zero (check 64)'
SPEEDS = 'policy: no extended tags; no ASPM'
DEVCTL = ('policy: what errors to report, relaxed ordering, no snoop and the size of requests can be set, as in '
          'an endpoint of hardware; QEMU has no bits for them')
LNKCTL = 'policy: clock configuration, read completion boundary and extended synch can be set'
DEVCAP2 = 'policy: completion timeouts can be disabled; QEMU shows prefixes of TLPs, which no guest sends here'
LNKCAP2 = 'QEMU: says version 2 of the capability, but not which speeds it has'
MSI_COUNT = 'QEMU: a count above the maximum is kept while MSI is disabled (check 72)'
PM_OLD = 'QEMU: PM 1.1 with device-specific initialization; policy: PM 1.2 without'
PM_RESET = ('policy, of the description: No_Soft_Reset, because QEMU keeps the state from D3hot to D0 '
            'and does not say so')
PM_PME = 'policy: no PME is delivered, so it cannot be enabled, and there are no data to select'
AER = 'policy: the errors that an endpoint without optional features can have; QEMU offers all'
AER_LOG = 'policy: no ECRC'
SRIOV = 'policy: neither ARI nor SR-IOV, so they are not in the list'


def express(at, devctl, devctl2):
    """A PCI Express capability of version 2 at `at`."""
    return [
        (at + 0x04, 0x20, SPEEDS),
        (at + 0x08, devctl, DEVCTL),
        (at + 0x0c, 0x400, SPEEDS),
        (at + 0x10, 0xc8, LNKCTL),
        (at + 0x24, 0x300010, DEVCAP2),
        (at + 0x28, devctl2, DEVCAP2),
        (at + 0x2c, 0x2, LNKCAP2),
    ]


def scratch(first, end):
    return [((first, end), ALL, SCRATCH)]


DIFFERENCES = {
    'bochs-display': express(0x80, 0x781f, 0x8010) + scratch(0x40, 0x80) + scratch(0xbc, 0x100) + scratch(0x104, 0x1000),
    'edu': [
        (0x40, 0x00700000, MSI_COUNT),
        # The upper half of the dword with the data is reserved
        (0x4c, 0xffff0000, SCRATCH),
    ] + scratch(0x50, 0x100),
    'nvme': express(0x80, 0x7810, 0x8010) + scratch(0x4c, 0x60) + scratch(0x68, 0x80) + scratch(0xbc, 0x100) +
    scratch(0x104, 0x1000),
    'igb': express(0xa0, 0x781f, 0x8010) + [
        (0x40, 0x00210000, PM_OLD),
        (0x44, 0x00000008, PM_RESET),
        (0x44, 0x00001f00, PM_PME),
        (0x50, 0x00700000, MSI_COUNT),
        (0x100, 0x15000000, SRIOV),
        (0x100, 0x00030000, 'policy: version 2 of AER; QEMU says 1'),
        (0x108, 0x03e80020, AER), (0x10c, 0x03e80020, AER), (0x114, 0x0000c000, AER),
        (0x118, 0x000001e0, AER_LOG),
        ((0x150, 0x1a0), ALL, SRIOV),
    ] + scratch(0x48, 0x50) + scratch(0x68, 0x70) + scratch(0x7c, 0xa0) + scratch(0xdc, 0x100) +
    scratch(0x140, 0x150) + scratch(0x1a0, 0x1000),
}


def masks(entries, size):
    """For each dword, the bits that must be equal."""
    equal = [ALL] * (size // 4)
    for where, bits, _reason in entries:
        first, end = where if isinstance(where, tuple) else (where, where + 4)
        for offset in range(first, end, 4):
            equal[offset // 4] &= ~bits & ALL
    return equal
