"""What commands cost, for benchmarks of whole programs, and how a result is told."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The example that stands for each archetype.
EXAMPLES = {"PRODUCT_HERO": "product_hero_clean", "OVERLAY": "overlay_glow",
            "MEME_TEXT": "meme_smooth"}


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


def commit():
    """Of the tree that is measured; "-modified" when it holds what no commit does."""
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)

    named = git("rev-parse", "--short", "HEAD").stdout.strip()
    changed = git("status", "--porcelain", "--", ":!benchmarks/history", ":!docs").stdout.strip()
    return (named or "unknown") + ("-modified" if changed else "")


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine


def tell(line):
    """One line of the history: what was measured, of which commit, on what machine, how busy."""
    print(json.dumps({**line, "commit": commit(), "cpu": cpu_model(), "cores": os.cpu_count(),
                      "load": round(os.getloadavg()[0], 1)}), flush=True)
