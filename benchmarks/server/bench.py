"""What the server takes of its clients' time: requests while two jobs render, followers, leases.

Usage: bench.py PYTOON LEASE_TOOL [requests|followers|leases|previews] [--seconds N] [--followers N]
       [--jobs N]
`pytoon api` and one `pytoon worker` of two threads, PostgreSQL and Redis of their own; 2,000 jobs
wait. Without a name all of them, one JSON line each:

requests   200 a second for N (20) seconds while two jobs render, four of five GET (job, list), the
           rest POST of jobs, at times fixed before: one that is late counts from when it was due
followers  1,000 server-sent event streams on 10 jobs; from a change's answer to its arrival
previews   frames of a video that is not made: alone and in strips, with warm images
leases     1,000 simulated workers (lease_tool.cpp), evenly over time, of one tenant's jobs and of
           20 tenants'; then all of them at one moment

The load of the machine stands in each line; clients run on it, too, and take a share. Where others
work on it, `chrt -r 1` before the command keeps them out of the numbers.
"""

import http.client
import json
import os
import pathlib
import queue
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests/chaos", "tests/e2e")]
os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve())

from bench_fleet import BenchFleet  # noqa: E402
from harness import KEY, picture  # noqa: E402
from servers import free_port, wait_for  # noqa: E402

QUEUED = 2000
RATE = 200
CLIENTS = 16
WORKERS = 1000
WAITING = {"preset_id": "meme_smooth", "target_duration_seconds": 1, "prompt": "Wait",
           "priority": 0}
TICK = os.sysconf("SC_CLK_TCK")


def shown(times):
    times = sorted(times)
    if not times:
        return {"count": 0}
    at = lambda share: round(times[int(share * (len(times) - 1))] * 1000, 2)
    return {"count": len(times), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


class Fleet(BenchFleet):
    def __init__(self):
        super().__init__({
            "WORKER_CONCURRENCY": "2", "RATE_LIMIT_RPS": "1000000",
            "MAX_CONNECTIONS_PER_ADDRESS": "5000", "MAX_QUEUED_JOBS": "100000",
            "MAX_QUEUED_JOBS_PER_TENANT": "100000"})
        self.port = self.client.port

    def submit(self, request):
        answer = self.client.call("POST", "/api/v1/jobs", request)
        assert answer.status == 201, answer.body
        return answer.json()["job_id"]

    def fill(self):
        """The queue, by the way that clients have."""
        seed = self.submit(WAITING)
        self.database.sql(
            "INSERT INTO jobs (id, tenant, status, spec, priority, open_segments, created_at, "
            "updated_at) SELECT gen_random_uuid(), tenant, 'QUEUED', spec, 0, open_segments, "
            f"created_at, updated_at FROM jobs, generate_series(2, {QUEUED}) WHERE id = '{seed}'")
        self.database.sql(
            "INSERT INTO segments (job_id, idx, status, duration_seconds) SELECT j.id, 0, "
            "'PENDING', 1 FROM jobs j WHERE NOT EXISTS (SELECT FROM segments s WHERE s.job_id = "
            "j.id)")
        self.database.sql(
            "INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder) SELECT id, "
            "'prepare', -1, tenant, priority, seq, '' FROM jobs j WHERE NOT EXISTS "
            "(SELECT FROM tasks t WHERE t.job_id = j.id)")
        self.database.sql("ANALYZE")

    def waiting_jobs(self, count):
        return [row[0] for row in self.database.sql(
            f"SELECT id FROM jobs WHERE status = 'QUEUED' ORDER BY seq LIMIT {count}")]

    def render_two(self):
        image = self.client.upload(picture(7)).json()["uri"]
        self.worker = self.start("worker", "worker", free_port())
        first, _ = [self.submit({"preset_id": "overlay_classic", "image_uris": [image],
                                 "seed": seed, "target_duration_seconds": 60, "priority": 9})
                    for seed in (1, 2)]
        # Its segments take all threads; those of the second come between them.
        wait_for(lambda: self.renders(first), 60, "a job that renders")

    def renders(self, job):
        status = self.client.job(job).json()["status"]
        assert status in ("QUEUED", "PLANNING", "RENDERING_SEGMENTS"), status
        return status == "RENDERING_SEGMENTS"


class Requests:
    """So many clients on connections that stay open, each taking the next that is due."""

    def __init__(self, fleet, seconds):
        self.fleet, self.jobs = fleet, fleet.waiting_jobs(200)
        self.times, self.faults = {"GET": [], "POST": []}, []
        self.due = queue.Queue()
        begin = time.monotonic() + 0.5
        for i in range(RATE * seconds):
            self.due.put((begin + i / RATE, i))
        threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.fleet.port, timeout=30)
        while True:
            try:
                due, i = self.due.get_nowait()
            except queue.Empty:
                return connection.close()
            time.sleep(max(0, due - time.monotonic()))
            method, path, body = self._request(i)
            connection.request(method, path, body, {
                "X-API-Key": KEY, "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            self.times[method].append(time.monotonic() - due)
            if answer.status not in (200, 201):
                self.faults.append(answer.status)

    def _request(self, i):
        if i % 5 == 4:
            return "POST", "/api/v1/jobs", json.dumps(WAITING)
        if i % 5 == 3:
            return "GET", "/api/v1/jobs?limit=20", None
        return "GET", f"/api/v1/jobs/{self.jobs[i % len(self.jobs)]}", None


def requests(fleet, options):
    fleet.render_two()
    before, began = cpu_seconds(fleet.api.pid), time.monotonic()
    done = Requests(fleet, options["seconds"])
    took = time.monotonic() - began
    fleet.worker.send_signal(signal.SIGTERM)
    fleet.worker.wait()
    return {"rate": RATE, "seconds": options["seconds"], "get": shown(done.times["GET"]),
            "post": shown(done.times["POST"]), "refused": len(done.faults),
            "target": {"get_p99_ms": 20, "post_p99_ms": 50},
            "api_cpu": round((cpu_seconds(fleet.api.pid) - before) / took, 3)}


def followers(fleet, options):
    jobs = fleet.waiting_jobs(options["jobs"])
    count = options["followers"]
    selector = selectors.DefaultSelector()
    streams = []
    for i in range(count):
        stream = socket.create_connection(("127.0.0.1", fleet.port))
        path = f"/api/v1/jobs/{jobs[i % len(jobs)]}/events"
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        stream.setblocking(False)
        selector.register(stream, selectors.EVENT_READ, [i % len(jobs), b""])
        streams.append(stream)
    read_for(selector, 5, lambda text: b"data:" in text, count)
    before, began = cpu_seconds(fleet.api.pid), time.monotonic()
    time.sleep(5)
    idle_cpu = (cpu_seconds(fleet.api.pid) - before) / (time.monotonic() - began)
    changed, seen = {}, []
    reader = threading.Thread(target=lambda: seen.extend(
        read_for(selector, 20, lambda text: b"CANCELLED" in text, count)))
    reader.start()
    for i, job in enumerate(jobs):
        fleet.client.call("POST", f"/api/v1/jobs/{job}/cancel")
        changed[i] = time.monotonic()
        time.sleep(2 / len(jobs))
    reader.join()
    delays = [max(0, at - changed[job]) for job, at in seen]
    for stream in streams:
        stream.close()
    return {"followers": count, "jobs": len(jobs), "told": len(seen), "delay": shown(delays),
            "target": {"max_ms": 1000}, "api_cpu_idle": round(idle_cpu, 3)}


def read_for(selector, seconds, wanted, count):
    """(job, when) of each stream that said what was wanted."""
    seen, end = [], time.monotonic() + seconds
    said = set()
    while len(seen) < count and time.monotonic() < end:
        for key, _ in selector.select(0.1):
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
            key.data[1] = (key.data[1] + data)[-8192:]
            if key.fd not in said and wanted(key.data[1]):
                said.add(key.fd)
                seen.append((key.data[0], time.monotonic()))
    return seen


def lease_tool(fleet, seconds):
    done = subprocess.run([sys.argv[2], fleet.url, str(WORKERS), str(seconds)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    fleet.database.sql("UPDATE tasks SET worker_id = '', not_before = 0 WHERE worker_id <> ''")
    return json.loads(done.stdout)


def leases(fleet, options):
    one = lease_tool(fleet, 30)
    at_once = lease_tool(fleet, 0)
    fleet.database.sql("UPDATE tasks SET tenant = 'tenant' || (seq % 20)")
    fleet.database.sql("UPDATE jobs SET tenant = 'tenant' || (seq % 20)")
    return {**one, "of_20_tenants": lease_tool(fleet, 30)["lease"],
            "at_once": {"seconds": at_once["seconds"], "lease": at_once["lease"]},
            "target": {"lease_p99_ms": 10}}


def previews(fleet, _):
    """Single frames, and strips of twelve: wall and CPU milliseconds a frame."""
    uris = [fleet.client.upload(picture(seed)).json()["uri"] for seed in (7, 8)]
    request = {"preset_id": "overlay_glow", "image_uris": uris, "seed": 7,
               "target_duration_seconds": 12, "captions": {"hook": "First words", "cta": "Last"}}

    def draw(query, frames):
        before, began = cpu_seconds(fleet.api.pid), time.monotonic()
        answer = fleet.client.call("POST", "/api/v1/preview?" + query, request)
        assert answer.status == 200, answer.body
        return ((time.monotonic() - began) / frames,
                (cpu_seconds(fleet.api.pid) - before) / frames)

    cold = draw("at_seconds=1", 1)
    single = [draw(f"at_seconds={i / 4}", 1) for i in range(40)]
    strips = [draw(f"at_seconds={i}&frames=12&step_seconds=0.1", 12) for i in range(11)]
    milliseconds = lambda pairs: round(1000 * sum(cpu for _, cpu in pairs) / len(pairs), 1)
    return {"cold_ms": round(cold[0] * 1000), "frame": shown([wall for wall, _ in single]),
            "frame_cpu_ms": milliseconds(single), "of_strip": shown([wall for wall, _ in strips]),
            "of_strip_cpu_ms": milliseconds(strips), "target": {"frame_ms": 200}}


BENCHMARKS = {"requests": requests, "followers": followers, "leases": leases,
              "previews": previews}


def main():
    words = sys.argv[3:]
    options = {"seconds": 20, "followers": 1000, "jobs": 10}
    for name in options:
        if f"--{name}" in words:
            at = words.index(f"--{name}")
            options[name] = int(words[at + 1])
            del words[at:at + 2]
    for what in words or list(BENCHMARKS):
        fleet = Fleet()
        try:
            fleet.fill()
            found = BENCHMARKS[what](fleet, options)
            print(json.dumps({
                "benchmark": "server", "what": what, "queued": QUEUED, **found,
                "api_mib": resident_mib(fleet.api.pid), "cores": os.cpu_count(),
                "load": round(os.getloadavg()[0], 1)}), flush=True)
        finally:
            fleet.close()


if __name__ == "__main__":
    main()
