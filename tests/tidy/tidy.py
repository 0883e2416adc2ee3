#!/usr/bin/env python3
"""Checks the rules that a compiler can't: doors between rooms, sizes, banned words, true docs.

usage: tidy.py [ROOT]

Prints file:line: [rule] message for every violation; exit status 1 when there is one.
"""

import os
import sys

import doors
import map_check
import sizes
import terms
import words
from tree import read_tree


def check_tree(root):
    files = read_tree(root)
    found = []
    for rules in (doors, sizes, words, terms, map_check):
        found += rules.check(files)
    return files, sorted(found)


def main(arguments):
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__.strip())
        return 0 if arguments[0] in ("-h", "--help") else 2
    here = os.path.dirname(os.path.abspath(__file__))
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(here))
    files, found = check_tree(root)
    for finding in found:
        print(finding)
    print(f"tidy: {len(files)} files, {len(found)} violations")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
