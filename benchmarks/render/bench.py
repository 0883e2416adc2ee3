"""What a whole job costs, against only encoding its finished frames with the same x264 settings.

Usage: bench.py PYTOON FRAME_TOOL [RUNS]
The frames are encoded in pieces as the job's are, on as many threads, all of them until the last.
For each archetype: RUNS (default 3) pairs of a 15 s `pytoon render` and of encoding the same
frames from a file, in turn, so that a machine's moods hit both. One JSON line each: medians of
wall and CPU seconds, the job's peak memory, and the median of the pairwise ratios.
"""

import os
import pathlib
import shutil
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

from measuring import EXAMPLES, measured, tell  # noqa: E402


def bench(archetype, preset, pytoon, frame_tool, runs):
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
        folder = pathlib.Path(name)
        request = ROOT / "examples" / f"{preset}.json"
        environment = dict(os.environ, PYTOON_CONFIG_DIR=str(ROOT / "config"),
                           PYTOON_CACHE_DIR=str(folder / "cache"))
        frames = folder / "frames.nv12"
        compose = measured([[frame_tool, "compose", request, frames]], environment)
        jobs, floors = [], []
        for run in range(runs):
            out = folder / f"out-{run}"
            jobs.append(measured([[pytoon, "render", request, "--out", out]], environment))
            shutil.rmtree(out)
            floors.append(measured([[frame_tool, "encode", frames, folder / "floor.mp4"]],
                                   environment))

    def median(rows, index):
        return round(statistics.median(row[index] for row in rows), 2)

    def ratio(index):
        return round(statistics.median(j[index] / f[index] for j, f in zip(jobs, floors)), 3)

    return {"benchmark": "render", "archetype": archetype, "preset": preset, "seconds": 15,
            "runs": runs, "job_wall_s": median(jobs, 0), "job_cpu_s": median(jobs, 1),
            "job_peak_mib": median(jobs, 2), "encode_only_wall_s": median(floors, 0),
            "encode_only_cpu_s": median(floors, 1), "compose_only_cpu_s": round(compose[1], 2),
            "wall_ratio": ratio(0), "cpu_ratio": ratio(1)}


def main():
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    for archetype, preset in EXAMPLES.items():
        tell(bench(archetype, preset, sys.argv[1], sys.argv[2], runs))


if __name__ == "__main__":
    main()
