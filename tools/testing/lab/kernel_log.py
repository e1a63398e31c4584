# SPDX-License-Identifier: GPL-2.0-only
"""Finds in the kernel log of a lab VM what the kernel complained about."""

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
    hits = [i for i, line in enumerate(lines) if SPLAT.search(line) and not HARMLESS.search(line)]
    shown = sorted({j for i in hits for j in range(i, min(i + 20, len(lines)))})
    return path, len(hits), [lines[j] for j in shown][:120]
