#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares what a QEMU said on stderr with the list of what it may and must say, qemu-says.txt.

usage: qemu_says.py [--list FILE] LOG VERSION [GIVEN...]

LOG is QEMU's stderr ("-": ours), VERSION its version, such as 11.1.3, and the words GIVEN say what it was started with; see
the list. Prints what is wrong, one line each, and fails then. Status 2: it cannot be compared.
"""

import argparse
import os
import re
import sys

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "qemu-says.txt")
FIELDS = ("versions", "given", "says", "reason")
# The message, or what it says of an option of the command line
PREFIX = r"qemu-system-x86_64: (?:-\S+ \S+: )?"


class Bad(Exception):
    """The list cannot be read, or the version is none."""


def series(text):
    """11.1 of 11.1.3, as numbers"""
    found = re.match(r"(\d+)\.(\d+)(?:\.|$)", text)
    if not found:
        raise Bad(f"'{text}' is no version of QEMU")
    return int(found[1]), int(found[2])


class Entry:
    def __init__(self, where, fields):
        missing = [name for name in FIELDS if not fields.get(name)]
        if missing or len(fields) != len(FIELDS):
            raise Bad(f"{where}: an entry has the fields {', '.join(FIELDS)}; this one has {', '.join(fields)}")
        self.where, self.given, self.says, self.versions = where, fields["given"], fields["says"], fields["versions"]
        self.ranges = []
        for item in self.versions.split():
            found = re.fullmatch(r"(\d+\.\d+)(?:-(\d+\.\d+))?(\+?)", item)
            if not found:
                raise Bad(f"{where}: '{item}' is neither 10.0 nor 10.0-11.1 nor 11.1+")
            self.ranges.append((series(found[1]), series(found[2] or found[1]), bool(found[3])))
        try:
            self.pattern = re.compile(PREFIX + "(?:" + self.says + ")")
        except re.error as error:
            raise Bad(f"{where}: '{self.says}' is no regular expression: {error}") from error

    def must(self, version):
        return any(first <= version <= last for first, last, _ in self.ranges)

    def may(self, version):
        return self.must(version) or any(later and version > last for _, last, later in self.ranges)


def read_list(path):
    entries, fields, name, where = [], {}, None, ""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise Bad(f"{path}: {error.strerror}") from error
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("#"):
            continue
        field = re.match(r"([a-z]+):\s*(.*)", line)
        if not line.strip():
            if fields:
                entries.append(Entry(where, fields))
            fields, name = {}, None
        elif line[0].isspace() and name:
            fields[name] += " " + line.strip()
        elif field:
            name = field[1]
            where = where if fields else f"{path}:{number}"
            fields[name] = field[2].strip()
        else:
            raise Bad(f"{path}:{number}: '{line}' is neither a field nor the rest of one")
    return entries


def compare(text, version, given, path=LIST):
    """What is wrong with this output of a QEMU of this version, in lines."""
    now = series(version)
    entries = [entry for entry in read_list(path) if entry.given in given]
    unheard = [entry for entry in entries if entry.must(now)]
    for line in text.replace("\r", "").splitlines():
        heard = [entry for entry in entries if entry.may(now) and entry.pattern.fullmatch(line)]
        if not heard:
            yield f"QEMU {version} says: {line}"
        unheard = [entry for entry in unheard if entry not in heard]
    for entry in unheard:
        yield (f"QEMU {version} does not say '{entry.says}' any more, which {entry.where} lists for {entry.versions};"
               " end its versions there")


def main():
    parser = argparse.ArgumentParser(prog="qemu_says.py")
    parser.add_argument("--list", default=LIST, metavar="FILE")
    parser.add_argument("log")
    parser.add_argument("version")
    parser.add_argument("given", nargs="*")
    args = parser.parse_args()
    try:
        with open(0 if args.log == "-" else args.log, errors="replace", encoding="utf-8") as file:
            wrong = list(compare(file.read(), args.version, args.given, args.list))
    except (Bad, OSError) as error:
        print(f"qemu_says.py: {error}", file=sys.stderr)
        return 2
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
