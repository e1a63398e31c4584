#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A minimal QMP client: runs one command of a QEMU and prints what it returned, as JSON.

usage: qmp.py [--time-limit SEC] MONITOR COMMAND [JSON-ARGUMENTS]

MONITOR is a socket, or, in the lab VM, the device $LAB_QMP. Behind that there is one conversation for as long as the
VM lives: what is left of an earlier client's is passed over, and one client at a time holds it.
"""

import argparse
import fcntl
import json
import os
import select
import socket
import stat
import sys
import time


class Monitor:
    def __init__(self, path, seconds):
        self.end = time.monotonic() + seconds
        self.rest = b""
        if stat.S_ISCHR(os.stat(path).st_mode):
            self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            fcntl.flock(self.fd, fcntl.LOCK_EX)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)
            self.fd = self.socket.fileno()

    def line(self):
        while b"\n" not in self.rest:
            if not select.select([self.fd], [], [], max(0, self.end - time.monotonic()))[0]:
                raise TimeoutError
            data = os.read(self.fd, 65536)
            if not data:
                raise ConnectionError("QEMU closed the connection")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def ask(self, command, arguments):
        """The answer to this very question; greeting, events and old answers are not for us."""
        token = os.urandom(8).hex()
        question = {"execute": command, "arguments": arguments, "id": token}
        os.write(self.fd, json.dumps(question).encode() + b"\n")
        while True:
            message = self.line()
            if message.get("id") == token:
                return message


def main():
    parser = argparse.ArgumentParser(prog="qmp.py")
    parser.add_argument("--time-limit", type=float, default=20, metavar="SEC")
    parser.add_argument("monitor")
    parser.add_argument("command")
    parser.add_argument("arguments", nargs="?", type=json.loads, default={}, help="a JSON object")
    args = parser.parse_args()
    try:
        monitor = Monitor(args.monitor, args.time_limit)
        # refused when an earlier client has done it
        monitor.ask("qmp_capabilities", {})
        reply = monitor.ask(args.command, args.arguments)
    except TimeoutError:
        sys.exit(f"qmp.py: {args.monitor}: no answer to '{args.command}' in {args.time_limit:g} s; QEMU hangs, or"
                 " another client holds the monitor")
    except OSError as error:
        sys.exit(f"qmp.py: {args.monitor}: {error.strerror or error}; is that QEMU running?")
    if "error" in reply:
        sys.exit(f"qmp.py: {args.command}: {reply['error']['desc']}")
    print(json.dumps(reply["return"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
