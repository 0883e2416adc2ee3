"""How a job's cost grows with its length and falls with cores, what starting costs, and what is not
done twice.

Usage: bench.py PYTOON [length|cores|start|lease|rerender|tenants] [--rounds N]
Without a name all six: some ten minutes on two quiet cores. N (3) rounds, each with one run of
every row in turn, so that a machine's moods hit all; one JSON line a row, medians of the rounds.

length    `pytoon render` of examples/product_hero_clean.json cut or stretched to 1 to 60 s: wall
          and CPU seconds, the largest process, all as ratios to the 15 s of the same round; what
          joining the segments took, as metadata.json says
cores     its 15 s on 1, 2, 4 ... of this machine's cores (taskset), as many threads as cores
start     from the exec of `pytoon serve` to the first 200 of /ready: cold (an empty cache folder)
          and warm (the same again)
lease     in a warm server, of a job's first segment: from its lease until its encoder has a first
          frame, as the log says; of images that the server prepared before, and of new ones
rerender  in one server, from a job's creation to its end: a new job of 15 s, the same again, the
          same with another call to action
tenants   in one server, ten jobs of 3 s at once, of one tenant and of ten, each with uploads of its
          own
"""

import datetime
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests/e2e")]
os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())

from harness import BINARY, Server  # noqa: E402
from measuring import measured, tell  # noqa: E402

EXAMPLE = ROOT / "examples/product_hero_clean.json"
LENGTHS = [1, 3, 6, 15, 30, 60]
USUAL = 15


def request(**changes):
    made = json.loads(EXAMPLE.read_text())
    made["image_uris"] = [str(ROOT / "examples" / name) for name in made["image_uris"]]
    return {**made, **changes}


class Renders:
    """`pytoon render`, in a folder of its own with a cache that an earlier run filled."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ, PYTOON_CONFIG_DIR=str(ROOT / "config"),
                                PYTOON_CACHE_DIR=str(folder / "cache"))
        self.run(1)

    def run(self, seconds, pinned=(), threads=os.cpu_count()):
        order, out = self.folder / "request.json", self.folder / "out"
        order.write_text(json.dumps(request(target_duration_seconds=seconds)))
        shutil.rmtree(out, ignore_errors=True)
        row = measured([[*pinned, BINARY, "render", order, "--out", out]],
                       {**self.environment, "WORKER_CONCURRENCY": str(threads)})
        timings = json.loads((out / "metadata.json").read_text())["timings"]
        return (*row, timings["assembly_seconds"])


def median(rows, index, digits=2):
    return round(statistics.median(row[index] for row in rows), digits)


def ratio(rows, usual, index):
    return round(statistics.median(row[index] / base[index] for row, base in zip(rows, usual)), 3)


def common(what, rounds):
    return {"benchmark": "scaling", "what": what, "preset": "product_hero_clean", "runs": rounds}


def length(folder, rounds):
    renders, rows = Renders(folder), {seconds: [] for seconds in LENGTHS}
    for _ in range(rounds):
        for seconds in LENGTHS:
            rows[seconds].append(renders.run(seconds))
    for seconds in LENGTHS:
        own = rows[seconds]
        tell({**common("length", rounds), "seconds": seconds, "wall_s": median(own, 0),
              "cpu_s": median(own, 1), "peak_mib": median(own, 2),
              "assembly_ms": round(median(own, 3, 4) * 1000, 1),
              "wall_ratio_to_15_s": ratio(own, rows[USUAL], 0),
              "cpu_ratio_to_15_s": ratio(own, rows[USUAL], 1),
              "peak_ratio_to_15_s": ratio(own, rows[USUAL], 2)})


def cores(folder, rounds):
    counts = [2 ** i for i in range(12) if 2 ** i <= len(os.sched_getaffinity(0))]
    mine = sorted(os.sched_getaffinity(0))
    renders, rows = Renders(folder), {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            pinned = ["taskset", "-c", ",".join(map(str, mine[:count]))]
            rows[count].append(renders.run(USUAL, pinned, count))
    for count in counts:
        speedup = statistics.median(one[0] / row[0] for one, row in zip(rows[1], rows[count]))
        tell({**common("cores", rounds), "seconds": USUAL, "on_cores": count,
              "wall_s": median(rows[count], 0), "cpu_s": median(rows[count], 1),
              "speedup": round(speedup, 2), "efficiency": round(speedup / count, 3)})


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready_after(folder, port):
    """Seconds from exec to the first 200 of /ready."""
    environment = {**os.environ, "API_KEY": "bench-key-0123456789abcdef", "API_PORT": str(port),
                   "API_HOST": "127.0.0.1", "STORAGE_ROOT": str(folder / "storage"),
                   "DB_URL": f"sqlite:///{folder / 'pytoon.db'}",
                   "PYTOON_CONFIG_DIR": str(ROOT / "config"),
                   "PYTOON_CACHE_DIR": str(folder / "cache")}
    began = time.monotonic()
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([BINARY, "serve"], env=environment, stdout=log, stderr=log)
    try:
        while server.poll() is None and time.monotonic() - began < 60:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/ready")
                if connection.getresponse().status == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.002)
        sys.exit("bench: the server did not get ready:\n" + (folder / "log").read_text())
    finally:
        server.terminate()
        server.wait()


def start(folder, rounds):
    cold, warm = [], []
    for number in range(3 * rounds):
        own = folder / str(number)
        own.mkdir()
        cold.append([ready_after(own, free_port())])
        warm.append([ready_after(own, free_port())])
    for name, rows in (("cold", cold), ("warm", warm)):
        tell({**common("start", 3 * rounds), "cache": name,
              "ready_ms": round(median(rows, 0, 4) * 1000, 1)})


def first_frame_after(server, order):
    job, _ = server.finish(**order)
    return [line["first_frame_seconds"] for line in server.log_lines()
            if line["event"] == "segment_rendered" and line["job_id"] == job["job_id"]]


def lease(folder, rounds):
    rows = {"known": [], "new": []}
    server = Server(folder).start()
    try:
        photographs = [pathlib.Path(path).read_bytes() for path in request()["image_uris"]]
        known = [server.asset(photograph) for photograph in photographs]
        first_frame_after(server, request(image_uris=known, target_duration_seconds=3, seed=1000))
        for number in range(3 * rounds):
            # Bytes behind a JPEG's end are another file with the same picture.
            new = [server.asset(photograph + bytes([number])) for photograph in photographs]
            for name, images in (("known", known), ("new", new)):
                order = request(image_uris=images, target_duration_seconds=3, seed=number)
                rows[name].append([min(first_frame_after(server, order))])
    finally:
        server.stop()
    for name in rows:
        tell({**common("lease", 3 * rounds), "seconds": 3, "images": name,
              "first_frame_ms": round(median(rows[name], 0, 4) * 1000, 1)})


def seconds_of(server, order):
    job, _ = server.finish(**order)
    created, ended = (datetime.datetime.fromisoformat(job[key].replace("Z", "+00:00"))
                      for key in ("created_at", "updated_at"))
    return (ended - created).total_seconds(), job["segments_reused"]


def rerender(folder, rounds):
    names = ("new", "same_again", "another_cta")
    rows = {name: [] for name in names}
    server = Server(folder).start()
    try:
        images = [server.asset(pathlib.Path(path).read_bytes()) for path in request()["image_uris"]]
        seconds_of(server, request(image_uris=images, target_duration_seconds=3, seed=1000))
        for number in range(rounds):
            new = request(image_uris=images, seed=number)
            changed = {**new, "captions": {**new["captions"], "cta": f"Meet it {number}"}}
            for name, order in zip(names, (new, new, changed)):
                rows[name].append(seconds_of(server, order))
    finally:
        server.stop()
    for name in names:
        tell({**common("rerender", rounds), "seconds": USUAL, "job": name,
              "wall_s": median(rows[name], 0, 3), "segments_reused": median(rows[name], 1, 0),
              "wall_ratio_to_new": ratio(rows[name], rows["new"], 0)})


class Tenants:
    """A server with a key for each of ten tenants, and the same photographs uploaded by each."""

    def __init__(self, folder):
        self.keys = [f"bench-tenant-{number}-0123456789abcdef" for number in range(10)]
        file = folder / "keys"
        file.write_text("".join(f"{key} tenant{number} submit,read\n"
                                for number, key in enumerate(self.keys)))
        self.server = Server(folder, {"API_KEYS_FILE": str(file)}).start()
        photographs = [pathlib.Path(path).read_bytes() for path in request()["image_uris"]]
        self.images = {key: [self.server.upload(photograph, key=key).json()["uri"]
                             for photograph in photographs] for key in self.keys}
        self.seed = 0

    def seconds(self, keys):
        """Of a job by each of the keys, none like one before: (wall, the server's CPU)."""
        began, spent = time.monotonic(), self.cpu()
        waiting = []
        for key in keys:
            self.seed += 1
            answer = self.server.call("POST", "/api/v1/jobs", request(
                image_uris=self.images[key], target_duration_seconds=3, seed=self.seed), key=key)
            waiting.append((answer.json()["job_id"], key))
        for job, key in waiting:
            while (status := self.status(job, key)) != "DONE":
                assert status != "FAILED", job
                time.sleep(0.02)
        return time.monotonic() - began, self.cpu() - spent

    def status(self, job, key):
        return self.server.call("GET", f"/api/v1/jobs/{job}", key=key).json()["status"]

    def cpu(self):
        stat = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text()
        user, system = stat.rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def tenants(folder, rounds):
    ten = Tenants(folder)
    rows = {1: [], 10: []}
    try:
        ten.seconds(ten.keys[:1])
        for _ in range(rounds):
            rows[1].append(ten.seconds(ten.keys[:1] * 10))
            rows[10].append(ten.seconds(ten.keys))
    finally:
        ten.server.stop()
    for count, own in rows.items():
        tell({**common("tenants", rounds), "seconds": 3, "jobs": 10, "tenants": count,
              "wall_s": median(own, 0), "cpu_s": median(own, 1),
              "wall_ratio_to_one": ratio(own, rows[1], 0),
              "cpu_ratio_to_one": ratio(own, rows[1], 1)})


def main():
    words, rounds = sys.argv[2:], 3
    if "--rounds" in words:
        at = words.index("--rounds")
        rounds = int(words[at + 1])
        del words[at:at + 2]
    known = {"length": length, "cores": cores, "start": start, "lease": lease,
             "rerender": rerender, "tenants": tenants}
    for word in words:
        if word not in known:
            sys.exit(f"bench: {word} is none of {', '.join(known)}")
    for word in words or known:
        with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
            known[word](pathlib.Path(name), rounds)


if __name__ == "__main__":
    main()
