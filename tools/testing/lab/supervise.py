#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the QEMU of a lab VM and turns what happens into an exit status; run.sh becomes this process.

QEMU gets one socket pair per channel, named as chardevs: "out" (the command's output, copied to our stdout until the
marker of agent.sh), "ctl" (one line per event, see agent.sh), "qmp" and, for --tty, "tty" (the developer's terminal).
The chardevs "monitor" and "port" are the two ends of one more pair: that is how a command in the VM speaks to QEMU.
Socket pairs need no paths, and QEMU is started with a parent-death signal: it cannot outlive this process, however
that ends.

Now and then (once in some fifty boots) an emulated machine stands still while it boots, with RCU stalls. Nothing
of the command has run then, so such a VM is thrown away, with a message, and booted again.

A VM that has hibernated is started again, as often as it does.

Later, a VM whose CPUs do not all tell that they are alive has frozen: what QEMU knows about its CPUs is put into
frozen.txt. TCG of QEMU 10.0 with two CPUs now and then loses a write to a local APIC (the interrupt of the timer stays
in service for ever, or the timer is never set again), most of all when a CPU comes up while the host is busy.

What QEMU itself and those of the guests in the VM said is compared with qemu-says.txt at the end.

Exit status: the command's; 1 when the kernel log shows a splat and the command succeeded or the VM froze, or when a QEMU
did not say what the list has and the command succeeded; 123 the VM froze; 124 time limit; 125 no verdict.
"""

import argparse
import contextlib
import fcntl
import glob
import json
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import tty

from kernel_log import find_splats, lines_of
from qemu_says import Bad, compare

FROZEN, LIMIT, DIED = 123, 124, 125
TAIL = 30
BOOT_ATTEMPTS = 3


class Stop(Exception):
    """The run is over with this status; the text says why."""

    def __init__(self, status, text=""):
        super().__init__(text)
        self.status = status


class BootHang(Exception):
    """The VM is alive but has not come to the command within the boot limit."""


class Output:
    """Copies the command's output up to the end marker."""

    def __init__(self, token):
        self.marker = b"\0lab-end:" + token.encode() + b"\0"
        self.rest = b""
        self.done = False

    def feed(self, data):
        if self.done:
            return
        data = self.rest + data
        end = data.find(self.marker)
        if end >= 0:
            self.done = True
            keep = len(data)
        else:
            # hold back what may be the beginning of the marker
            end = next((i for i in range(max(0, len(data) - len(self.marker) + 1), len(data))
                        if self.marker.startswith(data[i:])), len(data))
            keep = end
        self.rest = data[keep:]
        write_all(1, data[:end])


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def complain(text):
    print(f"run.sh: {text}", file=sys.stderr, flush=True)


class Supervisor:
    def __init__(self, args, deadline):
        self.args = args
        self.start = time.monotonic()
        self.deadline = deadline
        self.boot_deadline = self.start + args.boot_limit
        self.boot = None
        self.alive = {}
        self.verdict = None
        self.version = None
        self.dumping = False
        self.hibernated = False
        self.ctl_rest = b""
        self.qmp_rest = b""
        self.output = Output(args.token)
        self.selector = selectors.DefaultSelector()
        self.peers = {}
        self.qemu = None
        self.saved_tty = None

    def channel(self, name, handler):
        """Our end of a channel; returns the QEMU arguments for the other end."""
        ours, theirs = socket.socketpair()
        self.peers[name] = ours
        self.selector.register(ours, selectors.EVENT_READ, handler)
        return theirs, ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]

    def launch(self):
        """Starts QEMU, again if it has hibernated: its CPUs have the silence limit to come back."""
        self.hibernated = False
        self.alive = dict.fromkeys(self.alive, time.monotonic())
        self.ctl_rest = self.qmp_rest = b""
        handlers = {"out": self.on_out, "ctl": self.on_ctl, "qmp": self.on_qmp}
        if self.args.tty:
            handlers["tty"] = self.on_tty
        chardevs, theirs = [], []
        for name, handler in handlers.items():
            sock, words = self.channel(name, handler)
            theirs.append(sock)
            chardevs += words
        for name, sock in zip(("monitor", "port"), socket.socketpair()):
            theirs.append(sock)
            chardevs += ["-chardev", f"socket,id={name},fd={sock.fileno()}"]
        # The devices in the command line name the chardevs, so these come first.
        command = ["setpriv", "--pdeathsig", "KILL", self.args.qemu[0], *chardevs, *self.args.qemu[1:]]
        with open(self.args.out + "/qemu.log", "a") as log:
            self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         pass_fds=[s.fileno() for s in theirs])
        for sock in theirs:
            sock.close()
        self.selector.register(os.pidfd_open(self.qemu.pid), selectors.EVENT_READ, self.on_exit)

    def on_out(self, sock):
        data = sock.recv(65536)
        if data:
            self.output.feed(data)
        else:
            self.selector.unregister(sock)

    def on_ctl(self, sock):
        data = sock.recv(65536)
        if not data:
            self.selector.unregister(sock)
            return
        *lines, self.ctl_rest = (self.ctl_rest + data).split(b"\n")
        for line in lines:
            word, _, rest = line.decode(errors="replace").partition(" ")
            if word == "start":
                self.boot = time.monotonic() - self.start
                self.send_size()
            elif word == "alive":
                self.alive[rest] = time.monotonic()
            elif word == "exit":
                self.verdict = int(rest)
            elif word == "dumped":
                raise self.limit_reached()

    @staticmethod
    def command(sock, name):
        """For a QEMU that may have ended: on_exit finds that out."""
        with contextlib.suppress(BrokenPipeError):
            sock.sendall(json.dumps({"execute": name}).encode() + b"\n")

    def on_qmp(self, sock):
        """A VM that has suspended itself is woken up, or started again when it has hibernated: nobody else would."""
        data = sock.recv(65536)
        if not data:
            self.selector.unregister(sock)
            return
        *lines, self.qmp_rest = (self.qmp_rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "QMP" in message:
                version = message["QMP"]["version"]["qemu"]
                self.version = f"{version['major']}.{version['minor']}"
                self.command(sock, "qmp_capabilities")
            elif message.get("event") == "SUSPEND":
                self.command(sock, "system_wakeup")
            elif message.get("event") == "SUSPEND_DISK":
                self.hibernated = True

    def on_exit(self, pidfd):
        for name, handler in (("ctl", self.on_ctl), ("out", self.on_out), ("qmp", self.on_qmp)):
            sock = self.peers[name]
            while sock in self.selector.get_map():
                handler(sock)
        if self.verdict is None:
            status = self.qemu.wait()
            if self.hibernated:
                self.selector.unregister(pidfd)
                os.close(pidfd)
                self.launch()
                return
            raise Stop(DIED, f"the VM ended without a verdict (QEMU's exit status {status})")
        raise Stop(self.verdict)

    def on_tty(self, sock):
        data = sock.recv(65536)
        if data:
            write_all(1, data)
        else:
            self.selector.unregister(sock)

    def on_stdin(self, _):
        data = os.read(0, 4096)
        if data:
            self.peers["tty"].sendall(data)
        else:
            self.selector.unregister(0)

    def on_signal(self, fd):
        for number in os.read(fd, 64):
            if number == signal.SIGWINCH:
                self.send_size()
            elif number != signal.SIGCHLD:
                raise Stop(128 + number, f"stopped by {signal.Signals(number).name}")

    def send_size(self):
        if self.args.tty and self.boot is not None:
            packed = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
            rows, columns = struct.unpack("HHHH", packed)[:2]
            if rows and columns:
                self.peers["ctl"].sendall(f"winsize {rows} {columns}\n".encode())

    def frozen(self, cpu):
        """Saves the state of the CPUs, or that QEMU does not tell it."""
        sock = self.peers["qmp"]
        sock.settimeout(5)
        with open(self.args.out + "/frozen.txt", "w") as file:
            for words in ("info registers -a", *(f"info lapic {number}" for number in sorted(self.alive))):
                print(f"(qemu) {words}", self.ask_monitor(sock, words), sep="\n", file=file)
        return Stop(FROZEN, f"the VM froze: for {self.args.silence_limit:g} s there was nothing from its CPU {cpu}"
                            f" (LAB_SILENCE_LIMIT); the state of its CPUs is in {self.args.out}/frozen.txt")

    def ask_monitor(self, sock, words):
        request = {"execute": "human-monitor-command", "arguments": {"command-line": words}, "id": words}
        try:
            sock.sendall(json.dumps(request).encode() + b"\n")
            while data := sock.recv(65536):
                *lines, self.qmp_rest = (self.qmp_rest + data).split(b"\n")
                for message in map(json.loads, lines):
                    if message.get("id") == words:
                        return message.get("return", str(message)).replace("\r", "")
            return "QEMU closed its monitor"
        except OSError as error:
            return f"QEMU did not answer: {error}"

    def silent_cpu(self):
        """The CPU that has told nothing for longest, and how many seconds it still has."""
        cpu = min(self.alive, key=self.alive.get, default=None)
        if cpu is None or not self.args.silence_limit or self.dumping:
            return None, float("inf")
        return cpu, self.alive[cpu] + self.args.silence_limit - time.monotonic()

    def limit_reached(self):
        what = "CMD ran" if self.boot is not None else "the VM did not get as far as CMD; it ran"
        return Stop(LIMIT, f"time limit: {what} for more than {self.args.time_limit:g} s (--time-limit)")

    def loop(self):
        while not (self.verdict is not None and self.output.done):
            left = self.deadline - time.monotonic()
            if self.boot is None and left > 0:
                left = min(left, self.boot_deadline - time.monotonic())
                if left <= 0:
                    raise BootHang
            if left <= 0:
                if self.dumping or self.boot is None:
                    raise self.limit_reached()
                # give the VM a moment to tell which tasks hang where
                self.dumping = True
                self.deadline = time.monotonic() + 5
                self.peers["ctl"].sendall(b"dump\n")
                continue
            cpu, patience = self.silent_cpu()
            if patience <= 0:
                raise self.frozen(cpu)
            for key, _ in self.selector.select(min(left, patience, 3600)):
                # of a QEMU that has just ended nothing is left
                if key.fileobj in self.selector.get_map():
                    key.data(key.fileobj)
        raise Stop(self.verdict)

    def take_terminal(self):
        self.saved_tty = termios.tcgetattr(0)
        tty.setraw(0)
        self.selector.register(0, selectors.EVENT_READ, self.on_stdin)

    def run(self):
        wakeup_read, wakeup_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup_write)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
            signal.signal(number, lambda *_: None)
        self.selector.register(wakeup_read, selectors.EVENT_READ, self.on_signal)
        try:
            self.launch()
            if self.args.tty:
                self.take_terminal()
            self.loop()
        except Stop as stop:
            return stop
        except BrokenPipeError:
            return Stop(128 + signal.SIGPIPE, "nobody reads the output any more")
        finally:
            if self.saved_tty:
                termios.tcsetattr(0, termios.TCSADRAIN, self.saved_tty)
            if self.qemu:
                self.qemu.kill()
                self.qemu.wait()


def show_tail(path):
    lines = lines_of(path)[-TAIL:]
    if lines:
        print(f"---- last {len(lines)} lines of {path}", *lines, "----", sep="\n", file=sys.stderr, flush=True)


def says(sup, out):
    """What the QEMUs said, the lab's own and those of guests, that is not as the list has it."""
    qemus = [(out + "/qemu.log", [sup.version, "lab"])] if sup.version else []
    for path in sorted(glob.glob(glob.escape(out) + "/*.qemu.given")):
        qemus.append((path.removesuffix("given") + "log", " ".join(lines_of(path)).split()))
    for path, (version, *given) in qemus:
        for line in compare("\n".join(lines_of(path)), version, given):
            yield f"{line} ({path})"


def report(sup, stop, out):
    """Says on stderr what there is to say; returns the exit status."""
    status = stop.status
    if str(stop):
        complain(str(stop))
    if sup.verdict is None and status in (FROZEN, LIMIT, DIED):
        for path in (out + "/qemu.log", out + "/console.log"):
            show_tail(path)
    path, count, lines = find_splats(out)
    if count:
        complain(f"the kernel complained, {count} line(s) of {path}; the run has failed whatever CMD said:")
        print(*lines, sep="\n", file=sys.stderr, flush=True)
        status = 1 if status == FROZEN else status or 1
    try:
        said = list(says(sup, out))
    except (Bad, ValueError) as error:
        said = [str(error)]
    if said:
        complain("not as qemu-says.txt has it; the run has failed whatever CMD said:")
        print(*said, sep="\n", file=sys.stderr, flush=True)
        status = status or 1
    if sup.verdict is None and stop.status in (FROZEN, LIMIT, DIED):
        logs = [path for path in (out + "/console.log", out + "/dmesg.txt") if os.path.exists(path)]
        complain(f"whole log: {' '.join(logs)}")
    boot = f"CMD started after {sup.boot:.1f} s, " if sup.boot is not None else ""
    complain(f"{sup.args.name}: {boot}{time.monotonic() - sup.start:.1f} s in all, status {status}, logs in {out}")
    return status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True, help="directory for logs, shared with the VM")
    parser.add_argument("--work", required=True, help="scratch directory, removed at the end")
    parser.add_argument("--token", required=True, help="in the end marker of the output")
    parser.add_argument("--time-limit", type=float, required=True)
    parser.add_argument("--boot-limit", type=float, required=True, help="seconds until the command must have started")
    parser.add_argument("--silence-limit", type=float, required=True,
                        help="seconds that a CPU may be silent until the VM counts as frozen; 0: for ever")
    parser.add_argument("--tty", action="store_true", help="connect the terminal to the chardev 'tty'")
    parser.add_argument("qemu", nargs="+")
    args = parser.parse_args()
    deadline = time.monotonic() + args.time_limit
    console = args.out + "/console.log"
    try:
        for attempt in range(1, BOOT_ATTEMPTS + 1):
            sup = Supervisor(args, deadline)
            try:
                stop = sup.run()
                break
            except BootHang:
                stop = Stop(DIED, f"the VM hung while booting, {attempt} of {BOOT_ATTEMPTS} attempts;"
                                  f" CMD did not start within {args.boot_limit:g} s (LAB_BOOT_LIMIT)")
                if attempt < BOOT_ATTEMPTS:
                    complain(f"{stop}; booting again, its console is in {console}.{attempt}")
                    os.replace(console, f"{console}.{attempt}")
    finally:
        shutil.rmtree(args.work, ignore_errors=True)
    return report(sup, stop, args.out)


if __name__ == "__main__":
    sys.exit(main())
