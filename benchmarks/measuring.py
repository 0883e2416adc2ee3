"""What commands cost, for benchmarks of whole programs."""

import os
import subprocess
import sys
import time


def measured(commands, environment=None):
    """(wall s, CPU s, peak MiB of the largest process) of commands one after the other."""
    began, cpu, peak = time.monotonic(), 0.0, 0.0
    for command in commands:
        process = subprocess.Popen(list(map(str, command)), env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"bench: {' '.join(map(str, command))} failed:\n{errors.decode()}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
    return time.monotonic() - began, cpu, peak
