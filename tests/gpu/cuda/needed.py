#!/usr/bin/env python3
"""No program may need the NVIDIA driver to start: it is found at run time.

usage: needed.py PROGRAM...
"""

import re
import subprocess
import sys

DRIVER = re.compile(r"^(libcuda|libnvcuvid|libnvidia-.*|libcudart)\.so")


def needed(program):
    """The libraries that the program's dynamic section names."""
    text = subprocess.run(["readelf", "-d", program], capture_output=True, check=True,
                          text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", text)


def main(programs):
    faults = 0
    for program in programs:
        libraries = needed(program)
        if not libraries:
            print(f"{program}: needs nothing at all? readelf was not understood")
            faults += 1
        for library in libraries:
            if DRIVER.match(library):
                print(f"{program}: needs {library}, so it can't start without a driver")
                faults += 1
    return 1 if faults or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
