#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A minimal QMP client: runs one command of a QEMU and prints what it returned, as JSON.

usage: qmp.py [--time-limit SEC] SOCKET COMMAND [JSON-ARGUMENTS]
"""

import argparse
import json
import socket
import sys


def reply_of(stream):
    """The next answer; events in between are not for us."""
    for line in stream:
        message = json.loads(line)
        if "event" not in message:
            return message
    raise ConnectionError("QEMU closed the connection")


def main():
    parser = argparse.ArgumentParser(prog="qmp.py")
    parser.add_argument("--time-limit", type=float, default=20, metavar="SEC")
    parser.add_argument("socket")
    parser.add_argument("command")
    parser.add_argument("arguments", nargs="?", type=json.loads, help="a JSON object")
    args = parser.parse_args()
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(args.time_limit)
            sock.connect(args.socket)
            stream = sock.makefile("rw")
            reply_of(stream)    # the greeting
            for message in ({"execute": "qmp_capabilities"},
                            {"execute": args.command, "arguments": args.arguments or {}}):
                stream.write(json.dumps(message) + "\n")
                stream.flush()
                reply = reply_of(stream)
                if "error" in reply:
                    sys.exit(f"qmp.py: {message['execute']}: {reply['error']['desc']}")
    except TimeoutError:
        sys.exit(f"qmp.py: {args.socket}: no answer to '{args.command}' in {args.time_limit:g} s; QEMU hangs, or"
                 " another client holds the monitor")
    except OSError as error:
        sys.exit(f"qmp.py: {args.socket}: {error.strerror or error}; is that QEMU running?")
    print(json.dumps(reply["return"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
