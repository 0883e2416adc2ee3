"""What a second worker brings: one 60 s job on one worker and on two, each worker pinned to a core.

Usage: bench.py PYTOON [RUNS]
RUNS (default 3) pairs in turn, so that a machine's moods hit both: a new job each time. One JSON
line: medians of the seconds from the job's creation to
its end, and the median of the pairwise ratios.
"""

import os
import pathlib
import signal
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests/chaos", "tests/e2e")]
os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())

from bench_fleet import BenchFleet  # noqa: E402
from harness import picture  # noqa: E402
from measuring import tell  # noqa: E402
from servers import free_port, wait_for  # noqa: E402


class Fleet(BenchFleet):
    """With as many workers as wanted, of one thread each."""

    def __init__(self):
        super().__init__({"WORKER_CONCURRENCY": "1"})

    def seconds_of_job(self, workers, seed):
        pool = [self.start("worker", f"worker-{core}", free_port(), core)
                for core in range(workers)]
        image = self.client.upload(picture(seed % 256)).json()["uri"]
        request = {"preset_id": "overlay_classic", "image_uris": [image], "seed": seed,
                   "target_duration_seconds": 60, "captions": {"hook": "Two are faster"}}
        job = self.client.call("POST", "/api/v1/jobs", request).json()["job_id"]
        wait_for(lambda: self.status(job) == "DONE", 600, f"a 60 s job on {workers} workers")
        for worker in pool:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
        return float(self.database.sql(
            f"SELECT (completed_at - created_at) / 1e6 FROM jobs WHERE id = '{job}'")[0][0])

    def status(self, job):
        return self.client.job(job).json()["status"]


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    fleet = Fleet()
    try:
        pairs = [(fleet.seconds_of_job(1, 10 + run), fleet.seconds_of_job(2, 110 + run))
                 for run in range(runs)]
    finally:
        fleet.close()
    tell({
        "benchmark": "fleet", "preset": "overlay_classic", "seconds": 60, "runs": runs,
        "one_worker_s": round(statistics.median(one for one, _ in pairs), 2),
        "two_workers_s": round(statistics.median(two for _, two in pairs), 2),
        "ratio": round(statistics.median(two / one for one, two in pairs), 3)})


if __name__ == "__main__":
    main()
