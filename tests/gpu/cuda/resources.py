#!/usr/bin/env python3
"""What the kernels take of a multiprocessor, read from ptxas -v: registers within a bound, next to
nothing spilled, no local memory, for every kernel and every code.

usage: resources.py REPORT CODE...      e.g. resources.py cuda_kernels.o.resources sm_75 compute_75
"""

import re
import sys

KERNELS = {"frame_kernel": 51, "convert_kernel": 64}  # registers at most: 5 and 4 blocks of 256
SPILL_BYTES_MAX = 16  # a register or two around a loop, which no measurement sees
_ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers.*")
_LOCAL = re.compile(r"(\d+) bytes lmem")


def read(text):
    """{(kernel, code): {"registers", "stack", "spills", "local"}}"""
    found, current = {}, None
    for line in text.splitlines():
        entry, stack, used = _ENTRY.search(line), _STACK.search(line), _USED.search(line)
        if entry:
            name = next((k for k in KERNELS if k in entry.group(1)), entry.group(1))
            current = found.setdefault((name, entry.group(2)), {"local": 0})
        elif stack and current is not None:
            numbers = [int(n) for n in stack.groups()]
            current["stack"], current["spills"] = numbers[0], numbers[1] + numbers[2]
        elif used and current is not None:
            current["registers"] = int(used.group(1))
            local = _LOCAL.search(line)
            current["local"] = int(local.group(1)) if local else 0
    return found


def main(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        found = read(file.read())
    codes = [code for code in arguments[1:] if code.startswith("sm_")]
    faults = 0 if codes else 1
    for code in codes:
        for kernel, most in KERNELS.items():
            registers_max = 64 if code == "sm_75" else most  # 4 blocks fill its 1024 threads
            took = found.get((kernel, code))
            good = took is not None and took.get("registers", 999) <= registers_max and \
                took.get("stack", 999) <= SPILL_BYTES_MAX and \
                took.get("spills", 999) <= 2 * SPILL_BYTES_MAX and took["local"] == 0
            print(f"{'ok  ' if good else 'FAIL'} {kernel} {code}: {took}")
            faults += not good
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
