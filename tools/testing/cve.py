#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The tests that show that public faults of our kind are not ours: cve.txt, and the table in Documentation/security.rst.

  cve.py suites          the suites that have such tests
  cve.py tests SUITE     those of a suite
  cve.py lint            what is wrong with the list, a line each: a test that is nowhere in the sources; a fault, or a
                         test of it, that stands in one of the two only
  cve.py verify OUT LANE...   TAP: whether each test ran and passed in the run of check.sh whose logs are in OUT. What ran
                         nowhere is a failure if the lanes have a kernel of both kinds, stock and debug, else skipped
"""

import glob
import os
import re
import sys

TESTING = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(TESTING))
TABLE = TOP + "/Documentation/security.rst"
# Suites whose name does not stand beside their program in selftests/run.sh
SOURCES = {"config": "unit/*.c", "fail-nth": "selftests/nth_*.c", "lint": "lint.sh"}
# Only when it is asked for
ON_REQUEST = ["lint"]
STATES = ["skipped", "passed", "failed"]
RESULT = re.compile(r"(not )?ok \d+ - (\w+)(.*)")


def text_of(path):
    with open(path) as file:
        return file.read()


def listed():
    """Fault, suite and test of each line."""
    lines = text_of(TESTING + "/cve.txt").splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


def source_of(suite):
    if suite in SOURCES:
        return SOURCES[suite]
    found = re.search(rf'^\s*(?:\w+ )*\w+ {suite} .*"\$bin/(\w+_test)"', text_of(TESTING + "/selftests/run.sh"), re.M)
    return f"selftests/{found[1]}.c" if found else None


def has_test(suite, test):
    pattern = source_of(suite)
    paths = glob.glob(f"{TESTING}/{pattern}") if pattern else []
    definition = rf'name = "{test}"' if suite == "fail-nth" else rf"\b{test}\("
    return any(re.search(definition, text_of(path)) for path in paths)


def tabled():
    """Fault -> set of "SUITE TEST", empty where the table says why it cannot apply."""
    faults = {}
    for row in re.split(r"^   \* - ", text_of(TABLE), flags=re.M)[1:]:
        cells = re.split(r"^     - ", row.split("\n\n")[0], flags=re.M)
        for fault in re.findall(r"\b(?:CVE-\d+-\d+|XSA-\d+)\b", cells[0]):
            faults[fault] = {" ".join(name.split()) for name in re.findall(r"``([^`]*)``", cells[-1])}
            if not faults[fault] and "cannot apply" not in " ".join(cells[-1].split()):
                yield f"security.rst has neither a test nor a reason for {fault}"
    lines = {}
    for fault, suite, test in listed():
        lines.setdefault(fault, set()).add(f"{suite} {test}")
    for fault in sorted(faults.keys() | lines.keys()):
        for name in sorted(lines.get(fault, set()) - faults.get(fault, set())):
            yield f"security.rst does not name {name} for {fault}"
        for name in sorted(faults.get(fault, set()) - lines.get(fault, set())):
            yield f"cve.txt does not name {name} for {fault}"


def lint():
    wrong = [f"there is no {test} in the suite {suite}" for _, suite, test in listed() if not has_test(suite, test)]
    wrong += tabled()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return bool(wrong)


def results(out):
    """(suite, test) -> lane -> one of STATES, the last of them if it ran twice; what is on the host is of the lane "host"."""
    found = {}
    for path in glob.glob(glob.escape(out) + "/**/*.tap", recursive=True):
        where = os.path.relpath(path, out).split("/")
        if len(where) < 2 or any(part.endswith(".again") for part in where):
            continue
        suite = where[-1].removesuffix(".tap")
        for line in text_of(path).splitlines():
            if match := RESULT.match(line):
                state = "failed" if match[1] else "skipped" if "# SKIP" in match[3] else "passed"
                # those of tap.sh are told without the "test_"
                for name in (match[2], "test_" + match[2]):
                    lanes = found.setdefault((suite, name), {})
                    lanes[where[0]] = max(state, lanes.get(where[0], state), key=STATES.index)
    return found


def verify(out, lanes):
    found = results(out)
    all_kinds = {"stock", "debug"} <= {lane.partition("-")[0] for lane in lanes if not lane.endswith("-kernel-mdev")}
    tests = listed()
    print(f"1..{len(tests)}")
    for number, (fault, suite, test) in enumerate(tests, 1):
        states = found.get((suite, test), {})
        passed = sorted(lane for lane, state in states.items() if state == "passed")
        failed = sorted(lane for lane, state in states.items() if state == "failed")
        what = f"{number} - {fault}: {suite} {test}"
        if failed:
            print(f"not ok {what} failed ({', '.join(failed)})")
        elif passed:
            print(f"ok {what} ({', '.join(passed)})")
        elif all_kinds and suite not in ON_REQUEST:
            print(f"not ok {what} did not run")
        else:
            print(f"ok {what} # SKIP did not run on {' '.join(lanes)}")
    return 0


def main(argv):
    if argv == ["suites"]:
        print(*dict.fromkeys(suite for _, suite, _ in listed()))
    elif len(argv) == 2 and argv[0] == "tests":
        print(*dict.fromkeys(test for _, suite, test in listed() if suite == argv[1]))
    elif argv == ["lint"]:
        return lint()
    elif len(argv) >= 2 and argv[0] == "verify":
        return verify(argv[1], argv[2:])
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
