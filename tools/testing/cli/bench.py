# SPDX-License-Identifier: GPL-2.0-only
"""Measures OURS beside THEIRS on plain files in /sys and /etc/mdevctl.d: bench.py OURS THEIRS COUNT

Each figure is the least of several runs, the two programs by turns, from the start of the process to its end."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

ours, theirs, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
PARENT = '0000:00:10.0'
SYS, ETC = pathlib.Path('/sys'), pathlib.Path('/etc/mdevctl.d')
device = SYS / 'devices/pci0000:00' / PARENT
script = ETC / 'scripts.d/callouts/nothing'
failed = False


def uuid(number):
    return f'{number:08x}-0000-4000-8000-000000000000'


def make(instances):
    """That many active and that many defined instances; half of them are the same"""
    for base in SYS, ETC:
        for path in base.iterdir():
            shutil.rmtree(path)
    kind = device / 'mdev_supported_types/bench-1'
    kind.mkdir(parents=True)
    for name, text in (('create', ''), ('available_instances', '1000'), ('device_api', 'vfio-pci')):
        (kind / name).write_text(text + '\n')
    (SYS / 'class/mdev_bus').mkdir(parents=True)
    (SYS / 'class/mdev_bus' / PARENT).symlink_to(f'../../devices/pci0000:00/{PARENT}')
    (SYS / 'bus/mdev/devices').mkdir(parents=True)
    (ETC / PARENT).mkdir()
    # without these, theirs does nothing at all
    for name in 'callouts', 'notifiers':
        (ETC / 'scripts.d' / name).mkdir(parents=True)
    for i in range(instances):
        name = uuid(i)
        (device / name).mkdir()
        (device / name / 'mdev_type').symlink_to('../mdev_supported_types/bench-1')
        (SYS / 'bus/mdev/devices' / name).symlink_to(f'../../../devices/pci0000:00/{PARENT}/{name}')
        (ETC / PARENT / uuid(i + instances // 2)).write_text(
            '{\n  "mdev_type": "bench-1",\n  "start": "manual",\n  "attrs": []\n}')


def run(program, args):
    start = time.perf_counter()
    done = subprocess.run([program, *args], stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - start, done.stdout


def compare(what, args, goal, runs):
    """Both print the same, and ours takes a goal'th of the time at most."""
    global failed
    times = {ours: [], theirs: []}
    outputs = {}
    for _ in range(runs):
        for program in (ours, theirs):
            seconds, outputs[program] = run(program, args)
            times[program].append(seconds)
    a, b = min(times[ours]) * 1000, min(times[theirs]) * 1000
    verdict = 'ok' if b / a >= goal else 'MISSED'
    # that of mdevctl before 1.4 ends with a newline
    if outputs[ours] != outputs[theirs].rstrip():
        verdict += ', OUTPUT DIFFERS'
    failed |= verdict != 'ok'
    print(f'{what:44} {a:8.2f} ms {b:9.2f} ms {b / a:7.1f} x   (goal {goal} x) {verdict}')


def look_up(instances, args):
    make(instances)
    return min(run(ours, [*args, '-u', uuid(instances - 1)])[0] for _ in range(50)) * 1000


make(count)
version = subprocess.run([theirs, '--version'], capture_output=True, text=True).stdout.strip()
print(f'{count} active and {count} defined instances{"":18} mdev-ctl   {version}')
compare('list --dumpjson', ['list', '--dumpjson'], 3, 15)
compare('list -d --dumpjson', ['list', '-d', '--dumpjson'], 3, 15)
for body in 'exit 0', 'exit 2':
    script.write_text(f'#!/bin/sh\n{body}\n')
    script.chmod(0o755)
    compare(f'list --dumpjson, a script that does "{body}"', ['list', '--dumpjson'], 10, 5)

print('\nlook-up of one UUID, mdev-ctl                 10 instances   ' f'{count} instances')
for args in ['list', '--dumpjson'], ['list', '-d', '--dumpjson']:
    few, many = look_up(10, args), look_up(count, args)
    verdict = 'ok' if many <= few * 1.25 else 'MISSED'
    failed |= verdict != 'ok'
    print(f'{" ".join(args) + " -u UUID":44} {few:8.2f} ms {many:12.2f} ms   (goal 1.25 x) {verdict}')
sys.exit(failed)
