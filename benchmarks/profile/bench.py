"""Where the processor's time of a 15 s job goes, of the whole process tree.

Usage: bench.py PYTOON
For each archetype: `perf record` samples a `pytoon render` by processor time (Linux's perf; Debian:
linux-perf). One JSON line each: percent of the samples by part.

x264      the encoder
frames    its threads besides: handing it frames, and its memory
composing
sound     decoding, mixing, mastering, AAC
pictures  decoders and libvips
start     linking the libraries
rest
"""

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

from measuring import EXAMPLES, tell  # noqa: E402

SAMPLES_A_SECOND = 1999
# The program's own name, threads of GStreamer's, libvips' and confined decoders.
OURS, QUEUES, COMPOSITOR, VIPS, DECODER = "pytoon", "queue", "pytooncomposito", "libvips", "exe"
SOUND = ("libavfilter", "libswresample", "libavcodec", "libm.so")


def part(thread, where):
    """where: symbol and library of a sample."""
    if "libx264" in where:
        return "x264"
    if thread.startswith(QUEUES):
        return "frames"
    if thread.startswith(COMPOSITOR) or "pytoon::gpu::loops" in where or "PlanePainter" in where:
        return "composing"
    if thread.startswith((DECODER, VIPS)):
        return "pictures"
    if thread == OURS and any(library in where for library in SOUND):
        return "sound"
    return "start" if "ld-linux" in where else "rest"


def profile(preset, pytoon):
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
        folder = pathlib.Path(name)
        environment = dict(os.environ, PYTOON_CONFIG_DIR=str(ROOT / "config"),
                           PYTOON_CACHE_DIR=str(folder / "cache"))
        samples = folder / "samples"
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND),
                        "-o", str(samples), "--", pytoon, "render",
                        str(ROOT / "examples" / f"{preset}.json"), "--out", str(folder / "out")],
                       env=environment, check=True, stdout=subprocess.DEVNULL)
        said = subprocess.run(["perf", "script", "-i", str(samples), "-F", "comm,ip,sym,dso",
                               "--no-inline"], check=True, capture_output=True, text=True).stdout
    counts = collections.Counter()
    for line in said.splitlines():
        thread, _, where = line.strip().partition(" ")
        counts[part(thread, where)] += 1
    return {"samples": counts.total(),
            "percent": {name: round(100 * count / counts.total(), 1)
                        for name, count in counts.most_common()}}


def main():
    if shutil.which("perf") is None:
        sys.exit("bench: perf is missing: apt-get install linux-perf")
    for archetype, preset in EXAMPLES.items():
        tell({"benchmark": "profile", "archetype": archetype, "preset": preset, "seconds": 15,
              **profile(preset, sys.argv[1])})


if __name__ == "__main__":
    main()
