"""What a second worker brings: one 60 s job on one worker and on two, each worker pinned to a core.

Usage: bench.py PYTOON [RUNS]
RUNS (default 3) pairs in turn, so that a machine's moods hit both: a new job each time, since
finished segments are used again. One JSON line: medians of the seconds from the job's creation to
its end, and the median of the pairwise ratios.
"""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "chaos"), str(ROOT / "tests" / "e2e")]
os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())

from client import Client  # noqa: E402
from harness import BINARY, KEY, picture  # noqa: E402
from servers import Postgres, Redis, answers, fast_folder, free_port, wait_for  # noqa: E402


class Fleet:
    """`pytoon api` with as many workers as wanted, on a PostgreSQL and a Redis of its own."""

    def __init__(self):
        self.folder = fast_folder("pytoon-bench-")
        self.database = Postgres()
        self.redis = Redis()
        self.client = Client(free_port())
        self.members = [self.start("api", "api", self.client.port, None)]

    def start(self, role, name, port, core):
        environment = {
            **os.environ, "API_KEY": KEY, "API_PORT": str(port), "WORKER_PORT": str(port),
            "API_HOST": "127.0.0.1", "STORAGE_ROOT": str(self.folder / "storage"),
            "DB_URL": f"postgresql://pytoon@127.0.0.1:{self.database.port}/chaos",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "PYTOON_CONFIG_DIR": str(ROOT / "config"), "PYTOON_DEVICE": "cpu",
            "PYTOON_CACHE_DIR": str(self.folder / f"cache-{name}"), "WORKER_CONCURRENCY": "1"}
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        with open(self.folder / f"{name}.log", "ab") as log:
            member = subprocess.Popen([*pinned, BINARY, role], env=environment, stdout=log,
                                      stderr=log, cwd=self.folder)
        wait_for(lambda: answers(port), 60, name)
        return member

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

    def close(self):
        for member in self.members:
            member.kill()
            member.wait()
        self.redis.close()
        self.database.close()
        for folder in (self.folder, self.database.folder, self.redis.folder):
            shutil.rmtree(folder, ignore_errors=True)


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    fleet = Fleet()
    try:
        pairs = [(fleet.seconds_of_job(1, 10 + run), fleet.seconds_of_job(2, 110 + run))
                 for run in range(runs)]
    finally:
        fleet.close()
    print(json.dumps({
        "benchmark": "fleet", "preset": "overlay_classic", "seconds": 60, "runs": runs,
        "one_worker_s": round(statistics.median(one for one, _ in pairs), 2),
        "two_workers_s": round(statistics.median(two for _, two in pairs), 2),
        "ratio": round(statistics.median(two / one for one, two in pairs), 3),
        "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
