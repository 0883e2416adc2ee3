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


def probes_stack(program):
    """The compiler's probe of a new page of the stack, which nothing else would write."""
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", program],
                          stdout=subprocess.PIPE, text=True) as listing:
        found = any(re.search(r"orq\s+\$0x0,\(%rsp\)", line) for line in listing.stdout)
        listing.kill()
    return found


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
    checks["stack clash protection: large frames touch each page"] = probes_stack(program)
    return [name for name, good in checks.items() if not good]


def main():
    faults = faults_of(sys.argv[1])
    for fault in faults:
        print(f"{sys.argv[1]} lacks: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
