"""A whole 15 s job against the tools that people use now, at the same x264 settings.

Usage: bench.py PYTOON [RUNS]
For each archetype, RUNS (default 3) rounds of a `pytoon render` and of each rival (recipes.py), in
turn, so that a machine's moods hit all. One JSON line for each archetype and rival: medians of wall
and CPU seconds, the largest process, the file's size, and the median of the rounds' ratios to ours.
ssim is that of a video to the same tool's frames without loss; ours and a rival's are to be
compared, so that speed is not bought with quality. melt is asked where it is installed (Debian: melt).
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import recipes

ROOT = pathlib.Path(__file__).resolve().parents[2]
CRF = 20


def measured(commands, environment=None):
    """(wall s, CPU s, peak MiB of the largest process) of commands in turn."""
    began, cpu, peak = time.monotonic(), 0.0, 0.0
    for command in commands:
        process = subprocess.Popen(list(map(str, command)), env=environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"bench: {command[0]} failed:\n{errors.decode()}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
    return time.monotonic() - began, cpu, peak


def ssim(video, reference):
    said = subprocess.run(["ffmpeg", "-hide_banner", "-i", str(video), "-i", str(reference),
                           "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"],
                          check=True, capture_output=True, text=True)
    return float(re.search(r"All:([0-9.]+)", said.stderr)[1])


class Contest:
    """One archetype's rounds."""

    def __init__(self, preset, pytoon, folder):
        self.request_file = ROOT / "examples" / f"{preset}.json"
        self.request = json.loads(self.request_file.read_text())
        self.kind = recipes.KINDS[preset]
        self.pytoon = pytoon
        self.folder = folder
        self.environment = dict(os.environ, PYTOON_CONFIG_DIR=str(ROOT / "config"),
                                PYTOON_CACHE_DIR=str(folder / "cache"))
        recipes.copy_inputs(self.request, ROOT / "examples", folder)

    def ours(self):
        out = self.folder / "ours"
        return out / "output.mp4", measured(
            [[self.pytoon, "render", self.request_file, "--out", out]], self.environment)

    def rival(self, name):
        out = self.folder / f"{name}.mp4"
        return out, measured(self.commands(name, CRF, out))

    def commands(self, name, crf, out):
        return recipes.RIVALS[name](self.kind, self.request, self.folder, crf, out)

    def rivals(self):
        for name in recipes.RIVALS:
            commands = self.commands(name, CRF, self.folder / f"{name}.mp4")
            missing = recipes.programs_missing(commands) if commands else []
            if missing:
                print(f"bench: no {name}: {', '.join(missing)} is not installed", file=sys.stderr)
            elif commands:
                yield name

    def quality(self, name, video):
        """Of a rival: to the same filters without loss."""
        reference = self.folder / "lossless.mp4"
        measured(self.commands(name, 0, reference))
        return round(ssim(video, reference), 4)


def bench(preset, pytoon, runs):
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
        contest = Contest(preset, pytoon, pathlib.Path(name))
        rivals = list(contest.rivals())
        times, videos = {"ours": [], **{rival: [] for rival in rivals}}, {}
        for _ in range(runs):
            videos["ours"], row = contest.ours()
            times["ours"].append(row)
            for rival in rivals:
                videos[rival], row = contest.rival(rival)
                times[rival].append(row)
        for rival in times:
            def median(index):
                return round(statistics.median(row[index] for row in times[rival]), 2)

            def ratio(index):
                return round(statistics.median(
                    row[index] / ours[index]
                    for row, ours in zip(times[rival], times["ours"])), 2)

            line = {"benchmark": "against", "preset": preset, "seconds": recipes.SECONDS,
                    "renderer": rival, "runs": runs, "wall_s": median(0), "cpu_s": median(1),
                    "peak_mib": median(2), "bytes": videos[rival].stat().st_size,
                    "wall_ratio_to_ours": ratio(0), "cpu_ratio_to_ours": ratio(1),
                    "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
            if rival == "filter_graph":
                line["ssim_to_own_frames"] = contest.quality(rival, videos[rival])
            print(json.dumps(line), flush=True)


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for preset in recipes.KINDS:
        bench(preset, sys.argv[1], runs)


if __name__ == "__main__":
    main()
