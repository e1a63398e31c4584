#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes the uncompressed kernel of a bzImage to stdout; exit 1 where that is not possible.

A QEMU boots an ELF kernel through its PVH entry point: no decompression on an emulated CPU. Where the payload is and
how long: Documentation/arch/x86/boot.rst, fields setup_sects, payload_offset and payload_length.
"""

import struct
import subprocess
import sys

TOOLS = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zXZ": ["xz", "-dc"], b"\x1f\x8b": ["gzip", "-dc"]}


def main():
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    if image[0x202:0x206] != b"HdrS":
        sys.exit(f"vmlinux.py: {sys.argv[1]} is not a bzImage")
    setup_sects = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sects + 1) * 512 + offset
    # the last four bytes are the unpacked size, appended by the kernel's build
    payload = image[start:start + length - 4]
    for magic, command in TOOLS.items():
        if payload.startswith(magic):
            done = subprocess.run(command, input=payload, stdout=subprocess.PIPE, check=False)
            if done.returncode == 0 and done.stdout.startswith(b"\x7fELF"):
                sys.stdout.buffer.write(done.stdout)
                return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
