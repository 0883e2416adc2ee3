"""A whole 15 s job against the tools that people use now, at the same x264 preset.

Usage: bench.py PYTOON [RUNS] [RIVAL,...]
For each archetype, RUNS (default 3) rounds of a `pytoon render` and of each rival (recipes.py;
those named, or all), in turn, so that a machine's moods hit all. One JSON line for each archetype
and renderer: medians of wall and CPU seconds, the largest process, the file's size, and the median
of the rounds' ratios to ours.
ssim_to_own_frames is that of ours and of the filter graph's to what each encoded, so that it can be
seen that speed is not bought with quality; ours are composed by the render benchmark's frame_tool
that was built with that PYTOON. melt is asked where it is installed (Debian: melt).
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import recipes

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

from measuring import measured, tell  # noqa: E402

CRF = 20


def ssim(video, reference, *form):
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-i", str(video), *form, "-i", str(reference), "-lavfi",
         "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];[a][b]ssim", "-f", "null", "-"],
        check=True, capture_output=True, text=True)
    return round(float(re.search(r"All:([0-9.]+)", said.stderr)[1]), 4)


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

    def rivals(self, asked):
        for name in asked:
            commands = self.commands(name, CRF, self.folder / f"{name}.mp4")
            missing = recipes.programs_missing(commands) if commands else []
            if missing:
                print(f"bench: no {name}: {', '.join(missing)} is not installed", file=sys.stderr)
            elif commands:
                yield name

    def quality(self, name, video):
        """None where frame_tool can't compose the same: it knows no masks."""
        if name == "ours" and "mask_uri" in self.request:
            return None
        if name == "ours":
            frames = self.folder / "frames.nv12"
            tool = pathlib.Path(self.pytoon).parent / "benchmarks/render/frame_tool"
            measured([[tool, "compose", self.request_file, frames]], self.environment)
            return ssim(video, frames, "-f", "rawvideo", "-pix_fmt", "nv12", "-s", "1080x1920",
                        "-r", str(recipes.FPS))
        without_loss = self.folder / "lossless.mkv"
        measured(self.commands(name, None, without_loss))
        return ssim(video, without_loss)


def bench(preset, pytoon, runs, asked):
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
        contest = Contest(preset, pytoon, pathlib.Path(name))
        rivals = list(contest.rivals(asked))
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
                    "wall_ratio_to_ours": ratio(0), "cpu_ratio_to_ours": ratio(1)}
            if rival in ("ours", "filter_graph"):
                line["ssim_to_own_frames"] = contest.quality(rival, videos[rival])
            tell(line)


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    asked = sys.argv[3].split(",") if len(sys.argv) > 3 else list(recipes.RIVALS)
    for name in asked:
        if name not in recipes.RIVALS:
            sys.exit(f"bench: {name} is none of {', '.join(recipes.RIVALS)}")
    for preset in recipes.KINDS:
        bench(preset, sys.argv[1], runs, asked)


if __name__ == "__main__":
    main()
