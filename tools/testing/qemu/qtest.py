# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU that runs nothing but is driven through its qtest socket, and the config
space of one device in it, by ECAM."""

import os
import socket
import subprocess
import tempfile

ECAM = 0xb0000000
PORT = 4  # slot of the root port
SLOT = 5  # slot of a device that is not behind it
TIMEOUT = 60


def version():
    """10.0.2, of 'QEMU emulator version 10.0.2 (...)'"""
    said = subprocess.run(['qemu-system-x86_64', '--version'], stdout=subprocess.PIPE, check=True, text=True).stdout
    return said.split()[3]


class Qemu:
    """`device` is what -device gets; `express` puts it behind a root port. A network card names the
    network "net": QEMU complains of one that has none, and of a network that has no card."""

    def __init__(self, device, express):
        self.dir = tempfile.TemporaryDirectory()
        path = os.path.join(self.dir.name, 'qtest')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(TIMEOUT)
        network = []
        if 'netdev=net' in device:
            network = ['-netdev', f'stream,id=net,server=on,addr.type=unix,addr.path={self.dir.name}/net']
        place = ',bus=root0,addr=0' if express else f',bus=pcie.0,addr={SLOT:#x}'
        self.stderr = open(os.path.join(self.dir.name, 'stderr'), 'w+', encoding='utf-8', errors='replace')
        self.process = subprocess.Popen(
            ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg', '-S',
             '-nodefaults', '-display', 'none', '-m', '64M',
             '-qtest', f'unix:{path}', '-qtest-log', '/dev/null',
             *network,
             '-device', f'pcie-root-port,id=root0,addr={PORT:#x},chassis=1',
             '-device', device + place],
            stdin=subprocess.DEVNULL, stderr=self.stderr)
        try:
            self.socket = listener.accept()[0]
        except TimeoutError as error:
            self.process.kill()
            raise TimeoutError(f'QEMU does not connect; it says: {self.said()}') from error
        self.socket.settimeout(TIMEOUT)
        self.stream = self.socket.makefile('rw', encoding='ascii')
        listener.close()
        self._enable_ecam()
        if express:
            # Secondary and subordinate bus are 1
            self._command(f'writel {ECAM + (PORT << 15) + 0x18:#x} 0x00010100')
            self.base = ECAM + (1 << 20)
        else:
            self.base = ECAM + (SLOT << 15)

    def _command(self, line):
        self.stream.write(line + '\n')
        self.stream.flush()
        while True:
            answer = self.stream.readline().split()
            if not answer:
                raise RuntimeError(f'QEMU went away at "{line}"')
            if answer[0] == 'OK':
                return answer[1] if len(answer) > 1 else ''
            if answer[0] != 'IRQ':
                raise RuntimeError(f'QEMU answers "{answer}" to "{line}"')

    def _enable_ecam(self):
        """PCIEXBAR of the host bridge, by the ports"""
        for offset, value in ((0x64, 0), (0x60, ECAM | 1)):
            self._command(f'outl 0xcf8 {0x80000000 | offset:#x}')
            self._command(f'outl 0xcfc {value:#x}')

    def read(self, offset, length):
        return bytes.fromhex(self._command(f'read {self.base + offset:#x} {length}')[2:])

    def write(self, offset, data):
        self._command(f'write {self.base + offset:#x} {len(data)} 0x{data.hex()}')

    def said(self):
        """What it has said on stderr"""
        self.stderr.seek(0)
        return self.stderr.read()

    def close(self):
        self.stream.close()
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.stderr.close()
        self.dir.cleanup()
