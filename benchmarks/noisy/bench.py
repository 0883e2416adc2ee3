"""What a noisy tenant costs a quiet one: its GET and its job, alone and beside the noise.

Usage: bench.py PYTOON [--seconds N] [--jobs N]
`pytoon api` and one `pytoon worker` of two threads, PostgreSQL and Redis of their own, the limits
of the plan `default` but for the length of the queue. The noisy tenant has N (2,000) jobs waiting,
100 sockets that say a byte every second (half in their heads, half in uploads) and four clients
that upload hostile files without a pause; the quiet one asks 20 times a second for its jobs, from
an address of its own, for N (20) seconds at least and as long as three jobs of its own take.

One JSON line. Times of requests count from when they were due. The load of the machine stands in
it; clients run on it, too, and take a share, the noisy one at nice 10.
"""

import collections
import contextlib
import http.client
import json
import multiprocessing
import os
import pathlib
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests/chaos", "tests/e2e")]
os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())

from bench_fleet import BenchFleet, yield_cores  # noqa: E402
from measuring import tell  # noqa: E402
from harness import PNG_SIGNATURE, form, picture, png_chunk  # noqa: E402
from servers import free_port  # noqa: E402

QUIET, NOISY = "quiet-key-0123456789abcdef", "noisy-key-0123456789abcdef"
GETS_A_SECOND = 20
SLOW_SOCKETS = 100
UPLOADERS = 4
JOBS_TIMED = 3
NOISE_NICENESS = 10


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def hostile_files():
    head = struct.pack(">IIBBBBB", 4096, 4096, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * (4096 * (1 + 3 * 4096)), 9)
    notes = b"".join(png_chunk(b"zTXt", b"k%d\0\0" % i + zlib.compress(b"\0" * 900_000))
                     for i in range(1000))
    table = struct.pack(">IIIIIII", 0, 1, 0x7FFFFFFF, 1, 0, 4, 0x7FFFFFFF)
    movie = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", box(
        b"stts", table[:16]) + box(b"stsz", table[16:]))))))
    return [
        ("image", PNG_SIGNATURE + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", rows[:-9])),
        ("image", PNG_SIGNATURE + png_chunk(b"IHDR", head) + notes + png_chunk(b"IDAT", rows)),
        ("image", PNG_SIGNATURE + png_chunk(b"IHDR", struct.pack(">II", 60000, 60000) + head[8:])),
        ("audio", box(b"ftyp", b"M4A \0\0\0\0M4A ") + movie + box(b"mdat", b"\0" * 4000)),
        ("video", box(b"ftyp", b"isom\0\0\0\0isom") + movie + box(b"mdat", b"\0" * 4000)),
        ("audio", b"RIFF\xff\xff\xff\x7fWAVEfmt " + b"\xff" * 3000),
    ]


class Tenant:
    """Speaks to the API with its key, from its address, on one connection."""

    def __init__(self, port, key, address):
        self.key = key
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60,
                                                     source_address=(address, 0))

    def call(self, method, path, body=None, headers=None):
        if isinstance(body, dict):
            body, headers = json.dumps(body), {"Content-Type": "application/json"}
        self.connection.request(method, path, body, {"X-API-Key": self.key, **(headers or {})})
        answer = self.connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None


class Noise:
    """All that the noisy tenant does, until it is stopped; in a process of its own, which yields
    the cores that a stranger's machine would not take.
    """

    def __init__(self, port, jobs):
        context = multiprocessing.get_context("fork")
        self.result, theirs = context.Pipe()
        self.process = context.Process(target=make_noise, args=(port, jobs, theirs))
        self.process.start()
        assert self.result.recv() == "loud"

    def stop(self):
        self.result.send("stop")
        self.answers, self.reopened = self.result.recv()
        self.process.join()


def make_noise(port, jobs, pipe):
    os.setsid()
    os.nice(NOISE_NICENESS)
    yield_cores("self", NOISE_NICENESS)
    noisy = NoisyTenant(port, jobs)
    pipe.send("loud")
    pipe.recv()
    noisy.stop()
    pipe.send((dict(noisy.answers), noisy.reopened))


class NoisyTenant:
    def __init__(self, port, jobs):
        self.port, self.over = port, threading.Event()
        self.answers, self.reopened = collections.Counter(), 0
        self.forms = [form(*one) for one in hostile_files()]
        tenant = Tenant(port, NOISY, "127.0.0.1")
        taken = 0
        while taken < jobs:
            status, _ = tenant.call("POST", "/api/v1/jobs", {
                "preset_id": "meme_smooth", "target_duration_seconds": 3, "prompt": "Noise",
                "priority": 9})
            taken += status == 201
            if status == 429:
                time.sleep(0.2)
        self.threads = [threading.Thread(target=self._upload, args=(i,)) for i in range(UPLOADERS)]
        self.threads.append(threading.Thread(target=self._drip))
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _upload(self, first):
        tenant = Tenant(self.port, NOISY, "127.0.0.1")
        i = first
        while not self.over.is_set():
            i += 1
            try:
                status, _ = tenant.call("POST", "/api/v1/assets/upload",
                                        *self.forms[i % len(self.forms)])
            except (OSError, http.client.HTTPException):
                status = 0
                tenant.connection.close()
            self.answers[status] += 1

    def _open(self, i):
        connection = socket.create_connection(("127.0.0.1", self.port))
        line = b"POST /api/v1/assets/upload HTTP/1.1\r\nHost: a\r\n"
        if i % 2:
            line += (f"X-API-Key: {NOISY}\r\nContent-Length: 20000000\r\nContent-Type: "
                     "multipart/form-data; boundary=b\r\n\r\n--b\r\n").encode()
        connection.sendall(line)
        return connection

    def _drip(self):
        sockets = [self._open(i) for i in range(SLOW_SOCKETS)]
        while not self.over.wait(1):
            for i, one in enumerate(sockets):
                try:
                    one.sendall(b"x")
                except OSError:
                    one.close()
                    self.reopened += 1
                    with contextlib.suppress(OSError):
                        sockets[i] = self._open(i)
        for one in sockets:
            one.close()


class Quiet:
    """What the quiet tenant meets: times of its GETs and of its jobs."""

    def __init__(self, port, seconds, hue):
        self.port, self.gets, self.jobs, self.faults = port, [], [], collections.Counter()
        self.last, self.over = None, False
        asking = threading.Thread(target=self._ask)
        began = time.monotonic()
        asking.start()
        tenant = Tenant(port, QUIET, "127.0.0.2")
        for i in range(JOBS_TIMED):
            self.jobs.append(self._make(tenant, hue + i))
        time.sleep(max(0, seconds - (time.monotonic() - began)))
        self.over = True
        asking.join()

    def _make(self, tenant, hue):
        began = time.monotonic()
        status, asset = tenant.call("POST", "/api/v1/assets/upload", *form("image", picture(hue)))
        assert status == 201, (status, asset)
        status, job = tenant.call("POST", "/api/v1/jobs", {
            "preset_id": "product_hero_clean", "target_duration_seconds": 9, "prompt": "Quiet",
            "seed": hue, "image_uris": [asset["uri"]]})
        assert status == 201, (status, job)
        self.last = job["job_id"]
        while True:
            status, job = tenant.call("GET", f"/api/v1/jobs/{self.last}")
            if job["status"] == "DONE":
                return time.monotonic() - began
            assert job["status"] not in ("FAILED", "CANCELLED"), job
            time.sleep(0.1)

    def _ask(self):
        tenant = Tenant(self.port, QUIET, "127.0.0.2")
        due = time.monotonic()
        while not self.over:
            due += 1 / GETS_A_SECOND
            time.sleep(max(0, due - time.monotonic()))
            path = f"/api/v1/jobs/{self.last}" if self.last and len(self.gets) % 2 else \
                "/api/v1/jobs?limit=20"
            status, _ = tenant.call("GET", path)
            self.gets.append(time.monotonic() - due)
            if status != 200:
                self.faults[status] += 1

    def told(self):
        times = sorted(self.gets)
        at = lambda share: round(times[int(share * (len(times) - 1))] * 1000, 1)
        return {"gets": len(times), "get_p50_ms": at(0.5), "get_p99_ms": at(0.99),
                "get_max_ms": at(1), "not_200": sum(self.faults.values()),
                "job_seconds": [round(seconds, 2) for seconds in self.jobs]}


def measure(options):
    folder = tempfile.TemporaryDirectory(prefix="pytoon-noisy-")
    keys = pathlib.Path(folder.name) / "keys"
    keys.write_text(f"{QUIET} quiet submit,read\n{NOISY} noisy submit,read\n")
    keys.chmod(0o600)
    fleet = BenchFleet({"WORKER_CONCURRENCY": "2", "API_KEYS_FILE": str(keys),
                        "MAX_QUEUED_JOBS_PER_TENANT": str(options["jobs"] + 100)})
    try:
        fleet.start("worker", "worker", free_port())
        port = fleet.client.port
        alone = Quiet(port, options["seconds"], 1)
        noise = Noise(port, options["jobs"])
        try:
            beside = Quiet(port, options["seconds"], 101)
        finally:
            noise.stop()
        waiting = int(fleet.database.sql(
            "SELECT count(*) FROM jobs WHERE tenant = 'noisy' AND status = 'QUEUED'")[0][0])
        ratio = statistics.median(beside.jobs) / statistics.median(alone.jobs)
        return {"alone": alone.told(), "beside": beside.told(), "job_ratio": round(ratio, 2),
                "target": {"get_p99_ms": 50, "job_ratio": 2},
                "noise": {"jobs": options["jobs"], "still_queued": waiting,
                          "slow_sockets": SLOW_SOCKETS, "reopened": noise.reopened,
                          "uploads": {str(k): v for k, v in sorted(noise.answers.items())}}}
    finally:
        fleet.close()
        folder.cleanup()


def main():
    options = {"seconds": 20, "jobs": 2000}
    words = sys.argv[2:]
    while words:
        options[words[0].removeprefix("--")] = int(words[1])
        words = words[2:]
    tell({"benchmark": "noisy", **measure(options)})


if __name__ == "__main__":
    main()
