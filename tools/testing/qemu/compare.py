#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The config space of our engine against that of QEMU's devices, as TAP.

    compare.py FUNCTION [TEST...]

FUNCTION is the program of function.c. Both sides get the same accesses; every
read is compared, but for the bits that differences.py names.
"""

import os
import random
import struct
import subprocess
import sys

from differences import DIFFERENCES, SCRATCH, masks
from qtest import Qemu, version

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lab'))
import qemu_says

# name: (-device, is PCI Express, bytes of config space, offset of the PCIe capability)
DEVICES = {
    'bochs-display': ('bochs-display', True, 4096, 0x80),
    'edu': ('edu', False, 256, None),
    'nvme': ('nvme,serial=1', True, 4096, 0x80),
    'igb': ('igb,romfile=,netdev=net', True, 4096, 0xa0),
}
STEPS = 4000

# MSI enabled, MSI-X enabled, D3hot
BEFORE_FLR = {
    'nvme': [(0x42, b'\x00\xc0'), (0x64, b'\x03')],
    'igb': [(0x52, b'\x01\x00'), (0x54, b'\xff' * 10), (0x60, b'\xff'), (0x72, b'\x00\xc0'), (0x44, b'\x03')],
}

# For each device, which bits of which dword differed, in all tests
seen = {name: {} for name in DEVICES}


class Ours:
    def __init__(self, program, name):
        self.process = subprocess.Popen([program, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _command(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f'our side went away at "{line}"')
        return answer

    def read(self, offset, length):
        return bytes.fromhex(self._command(f'r {offset:x} {length:x}'))

    def write(self, offset, data):
        self._command(f'w {offset:x} {data.hex()}')

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Pair:
    """The two sides of one device."""

    def __init__(self, program, name):
        device, express, self.size, self.exp = DEVICES[name]
        self.name = name
        self.equal = masks(DIFFERENCES[name], self.size)
        self.seen = seen[name]
        self.ours = Ours(program, name)
        self.qemu = Qemu(device, express)
        self.reads = 0
        self.history = []

    def close(self):
        self.ours.close()
        self.qemu.close()

    def write(self, offset, data):
        self.history.append(f'write {offset:#x} {data.hex()}')
        self.ours.write(offset, data)
        self.qemu.write(offset, data)

    def compare(self, offset, length):
        """Whole dwords around the range, and the range itself in one access."""
        self.reads += 1
        ours, qemu = self.ours.read(offset, length), self.qemu.read(offset, length)
        for i in range(length):
            at = offset + i
            bits = self.equal[at // 4] >> 8 * (at % 4) & 0xff
            differ = ours[i] ^ qemu[i]
            self.seen[at & ~3] = self.seen.get(at & ~3, 0) | differ << 8 * (at % 4)
            if differ & bits:
                raise AssertionError(
                    f'at {at:#05x}: ours {ours[i]:02x}, QEMU {qemu[i]:02x}, to be equal {bits:02x}; '
                    f'read {offset:#x} {length} after: ' + '; '.join(self.history[-4:]))

    def compare_all(self):
        for offset in range(0, self.size, 64):
            self.compare(offset, 64)

    def driven(self):
        """Dwords that are written: all but ranges of differences; of those, one each if QEMU lets us."""
        dwords = [4 * i for i, bits in enumerate(self.equal) if bits]
        return dwords + [where[0] for where, _bits, reason in DIFFERENCES[self.name]
                         if isinstance(where, tuple) and reason == SCRATCH]


def safe(pair, offset, data):
    """Without what is a test of its own (FLR), and without ARI and SR-IOV, which ours has not."""
    data = bytearray(data)
    for i in range(len(data)):
        if pair.exp is not None and offset + i == pair.exp + 9:
            data[i] &= 0x7f
    return bytes(data)


def test_dump(pair):
    pair.compare_all()


def test_each_dword(pair):
    """Ones, zeros and a pattern into each dword, in each width and at each place in it."""
    for at in pair.driven():
        for width in (1, 2, 4):
            for place in range(0, 4, width):
                for value in (0xffffffff, 0, 0xa5c3960f):
                    data = struct.pack('<I', value)[:width]
                    pair.write(at + place, safe(pair, at + place, data))
                    pair.compare(at, 4)
        pair.compare(0, 64)
    pair.compare_all()


def test_random(pair):
    rng = random.Random(20260901)
    places = pair.driven()
    for step in range(STEPS):
        length = rng.choice((1, 1, 2, 4, 4, 3, 5, 6, 7, 8))
        offset = min(rng.choice(places) + rng.randrange(4), pair.size - length)
        if pair.name == 'igb' and 0x150 - length < offset < 0x1a0:
            continue
        if rng.random() < 0.7:
            value = rng.choice((rng.randbytes(length), b'\xff' * length, bytes(length)))
            pair.write(offset, safe(pair, offset, value))
        pair.compare(offset, length)
        if step % 100 == 99:
            pair.compare_all()
    pair.compare_all()


def test_sizing(pair):
    """As firmware does it: decode off, ones, read, an address, decode on."""
    pair.write(4, b'\0\0')
    for at in (0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30):
        old = pair.ours.read(at, 4)
        pair.write(at, b'\xff' * 4)
        pair.compare(0x10, 0x24)
        pair.write(at, old)
    pair.write(4, b'\x07\x00')
    pair.compare_all()


def test_flr(pair):
    if pair.name not in BEFORE_FLR:
        return
    for one_byte in (False, True):
        pair.write(4, b'\x07\x05')
        pair.write(0x10, b'\x00\x00\x00\xfe')
        pair.write(0x3c, b'\x0b')
        for at, data in BEFORE_FLR[pair.name]:
            pair.write(at, data)
        pair.compare_all()
        if one_byte:
            pair.write(pair.exp + 9, b'\x80')
        else:
            pair.write(pair.exp + 8, b'\x00\x80')
        pair.compare_all()


def check_entries(name, entries, observed):
    """What an entry allows must have been seen: each bit, or in a range some of them."""
    for where, bits, reason in entries:
        if isinstance(where, tuple):
            if not any(observed.get(at) for at in range(*where, 4)):
                yield f'{name} {where[0]:#x}..{where[1] - 1:#x}: nothing differs: {reason}'
        elif bits & ~observed.get(where, 0):
            yield f'{name} {where:#x}: {bits:08x}, but only {observed.get(where, 0) & bits:08x} differ: {reason}'


def unused_entries():
    for name in DEVICES:
        yield from check_entries(name, DIFFERENCES[name], seen[name])


TESTS = [test_dump, test_sizing, test_each_dword, test_random, test_flr]


def main():
    program, names = sys.argv[1], sys.argv[2:]
    qemu_version = version()
    print(f'# QEMU {qemu_version}')
    number = failed = 0
    for device in DEVICES:
        for test in TESTS:
            name = f'{device}: {test.__name__[5:]}'
            if names and test.__name__ not in names and name not in names:
                continue
            number += 1
            pair = Pair(program, device)
            try:
                test(pair)
                wrong = list(qemu_says.compare(pair.qemu.said(), qemu_version, []))
                if wrong:
                    raise AssertionError('; '.join(wrong))
                print(f'# {pair.reads} reads compared')
                print(f'ok {number} - {name}')
            except (AssertionError, RuntimeError, OSError) as error:
                failed += 1
                print(f'not ok {number} - {name}\n# {error}')
            finally:
                pair.close()
    if not names:
        number += 1
        unused = list(unused_entries())
        failed += bool(unused)
        print(f'{"not " if unused else ""}ok {number} - no difference is allowed that there is not')
        for line in unused:
            print('# ' + line)
    print('# differences that are allowed:')
    for device, entries in DIFFERENCES.items():
        for where, bits, reason in entries:
            place = f'{where[0]:#05x}..{where[1] - 1:#05x}' if isinstance(where, tuple) else f'{where:#05x}'
            print(f'#   {device} {place} {bits:08x} {reason}')
    print(f'1..{number}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
