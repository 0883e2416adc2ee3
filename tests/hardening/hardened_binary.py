"""Whether a program has what the toolchain gives against attacks on memory: read from the file as
the kernel and the loader will read it. usage: hardened_binary.py PROGRAM

Not asked for: IBT and SHSTK (CET). The linker marks a program only when all that is linked has the
mark, and Debian 12's start files (Scrt1.o) lack it.
"""

import re
import subprocess
import sys


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], check=True, capture_output=True,
                          text=True).stdout


def faults_of(program):
    header, segments, dynamic = (readelf(option, program) for option in ("-h", "-l", "-d"))
    symbols = readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK.*", segments)
    loads = re.findall(r"^\s+LOAD\s+(?:0x\S+\s+){5}([R ][W ][E ])", segments, re.M)
    checks = {
        "position-independent (ASLR)": re.search(r"Type:\s+DYN", header)
                                       and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "RELRO": "GNU_RELRO" in segments,
        "full RELRO: bound at the start": re.search(r"FLAGS_1.*\bNOW\b", dynamic),
        "no executable stack": stack and "E" not in stack.group().split()[6],
        "nothing both writable and executable": loads and not any(
            "W" in flags and "E" in flags for flags in loads),
        "no code that the loader rewrites": "TEXTREL" not in dynamic,
        "no search path of its own": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
        "stack protector": "__stack_chk_fail" in symbols,
        "FORTIFY": re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", "")),
    }
    return [name for name, good in checks.items() if not good]


def main():
    faults = faults_of(sys.argv[1])
    for fault in faults:
        print(f"{sys.argv[1]} lacks: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
