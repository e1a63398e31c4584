# SPDX-License-Identifier: GPL-2.0-only
"""Finds in the kernel log of a lab VM what the kernel complained about."""

import functools
import glob
import os
import re

SPLAT = re.compile(
    r"WARNING:|BUG:|BUG at |\bOops\b|KASAN|KCSAN|KMSAN|KFENCE|UBSAN|Kernel panic|general protection fault"
    r"|possible circular locking|possible recursive locking|possible irq lock inversion|inconsistent lock state"
    r"|bad unlock balance|held lock freed|suspicious RCU usage|DEBUG_LOCKS_WARN_ON|non-static key"
    r"|lockdep: |refcount_t: |list_(add|del) corruption|unable to handle|Bad page|bad p[4mug]d|unreferenced object"
    r"|blocked for more than \d+ seconds|sleeping function called|scheduling while atomic")
# Lines that match but say that a checker is there, not that it found something.
HARMLESS = re.compile(r"kasan: KernelAddressSanitizer initialized|KFENCE: initialized|lockdep: (?:is )?enabled"
                      r"|Lock dependency validator", re.I)
# The functions that race, each with its module in brackets if it is in one; then two stacks, each after a line about the access
RACE = re.compile(r"BUG: KCSAN: [a-z: -]+ in (?P<functions>.*)")
ACCESS = re.compile(r"to 0x[0-9a-f]+ of \d+ bytes by ")
FRAME = re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(?P<module>\w+)\])?$")
# How far up the function may be that has called one of the kernel's, say of a tree
NEAR = 4
REPO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")


@functools.cache
def our_modules():
    """Those that the Kbuild files of this tree build, by the names that the kernel has for them."""
    names = set()
    for directory in ("drivers/**", "samples/**", "tools/testing/modules", "tools/testing/lab/planted"):
        for path in glob.glob(f"{REPO}/{directory}/Kbuild", recursive=True):
            for line in lines_of(path):
                if match := re.match(r"obj-m\s*[:+]?=(.*)", line):
                    names.update(name[:-2].replace("-", "_") for name in match[1].split() if name.endswith(".o"))
    return names


def stacks_of(report):
    """The modules of the innermost frames of each stack in the lines that follow the title of a race."""
    stacks = []
    for line in report:
        if "=====" in line:
            break
        if ACCESS.search(line):
            stacks.append([])
        elif stacks and (match := FRAME.search(line)) and len(stacks[-1]) < NEAR:
            stacks[-1].append(match["module"])
    return stacks


def is_our_race(functions, report):
    """
    KCSAN finds races everywhere in a kernel, and of those that are not ours there are many. Ours is one if it is in our
    code, or if on both sides our code has called what it is in, such as a function of a list or of a tree without its lock.
    """
    if not our_modules().isdisjoint(re.findall(r"\[(\w+)\]", functions)):
        return True
    stacks = stacks_of(report)
    return len(stacks) == 2 and all(not our_modules().isdisjoint(stack) for stack in stacks)


def is_splat(lines, i):
    if not SPLAT.search(lines[i]) or HARMLESS.search(lines[i]):
        return False
    race = RACE.search(lines[i])
    return not race or is_our_race(race["functions"], lines[i + 1:i + 100])


def lines_of(path):
    try:
        with open(path, errors="replace") as file:
            return file.read().replace("\r", "").splitlines()
    except OSError:
        return []


def find_splats(out):
    """Lines of the kernel log that show a splat, each with what follows; from the console if the VM saved no log."""
    path = out + "/dmesg.txt"
    lines = lines_of(path)
    if not lines:
        path = out + "/console.log"
        # a panic replays the whole log on the console (panic_print): show nothing twice
        lines = list(dict.fromkeys(lines_of(path)))
    hits = [i for i in range(len(lines)) if is_splat(lines, i)]
    shown = sorted({j for i in hits for j in range(i, min(i + 20, len(lines)))})
    return path, len(hits), [lines[j] for j in shown][:120]
