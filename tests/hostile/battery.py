"""Mutated uploads and malformed requests against one real server, from several clients at once.

usage: battery.py PYTOON [--uploads N] [--requests N] [--clients N] [--seed N]

Green when the server lives through all of it: no answer of 500, nothing unanswered for 10 s, the
same process at the end, with no more memory than it took for a first job and a fifth of the time
(and a quarter and 64 MiB), /health at once, and a job that ends DONE. Uploads begin with small
files of every kind that is taken, requests with good ones; what is done to them is drawn from the
seed, and makes jobs of some: hence the job at the start. One JSON line.
"""

import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_GROWTH, MEMORY_SLACK_MIB = 1.25, 64
FAULTS_SHOWN = 20
FULL_MACHINE_SECONDS = 6  # a job of several pieces, that takes as much memory as any


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text("ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


class Memory(threading.Thread):
    """The server's resident memory, looked at ten times a second until it is told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.seen, self.done = pid, [], threading.Event()

    def run(self):
        while not self.done.wait(0.1):
            self.seen.append(resident_mib(self.pid))

    def verdict(self):
        self.done.set()
        self.join()
        fifth = max(1, len(self.seen) // 5)
        early, late = max(self.seen[:fifth]), max(self.seen)
        return early, late, late <= early * MEMORY_GROWTH + MEMORY_SLACK_MIB


class Tally:
    """What the clients saw: answers by status, the slowest, and what must not be."""

    def __init__(self):
        self.answers, self.faults, self.slowest = collections.Counter(), [], 0.0

    def add(self, part):
        self.answers.update(part["answers"])
        self.faults += part["faults"]
        self.slowest = max(self.slowest, part["slowest"])


def share(count, clients, client):
    return count // clients + (client < count % clients)


def attack(server, options, folder):
    seeds = clients.media_seeds(folder)
    tally = Tally()
    work = [(server.port, options.seed * 1000 + i, share(options.uploads, options.clients, i),
             share(options.requests, options.clients, i), seeds, options.findings)
            for i in range(options.clients)]
    with multiprocessing.Pool(options.clients) as pool:
        for part in pool.imap_unordered(clients.play, work):
            tally.add(part)
    return tally


def patient_config(folder):
    """The shipped configuration, for a tenant who may send as many bad files as it likes."""
    shutil.copytree(harness.ROOT / "config", folder)
    plans = (folder / "plans.yaml").read_text()
    patient = re.sub(r"(refused_uploads_per_minute:) \d+", r"\1 1000000", plans)
    assert patient != plans
    (folder / "plans.yaml").write_text(patient)
    return folder


def main():
    parser = argparse.ArgumentParser(prog="scripts/dev hostile", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pytoon")
    parser.add_argument("--uploads", type=int, default=300)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=pathlib.Path, default=pathlib.Path("build/hostile"),
                        help="folder for what was answered wrongly")
    options = parser.parse_args()
    options.findings.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pytoon-hostile-") as name:
        folder = pathlib.Path(name)
        server = harness.Server(environment={
            "PYTOON_CONFIG_DIR": str(patient_config(folder / "config")),
            "RATE_LIMIT_RPS": "1000000", "MAX_CONNECTIONS_PER_ADDRESS": "100000",
            "TRUSTED_PROXIES": "127.0.0.1", "WORKER_CONCURRENCY": "2", "LOG_LEVEL": "info"})
        try:
            server.start()
            memory = Memory(server.process.pid)
            memory.start()
            faults = render_one(server, FULL_MACHINE_SECONDS)
            tally = attack(server, options, folder)
            early, late, flat = memory.verdict()
            faults += tally.faults + after(server)
            if not flat:
                faults.append(f"memory went from {early:.0f} to {late:.0f} MiB")
        finally:
            server.stop()
            server.remove()
    print(json.dumps({
        "bench": "hostile", "seed": options.seed, "uploads": options.uploads,
        "requests": options.requests, "clients": options.clients,
        "answers": dict(sorted(tally.answers.items())), "slowest_s": round(tally.slowest, 2),
        "memory_first_fifth_mib": round(early), "memory_peak_mib": round(late),
        "wall_s": round(time.monotonic() - began), "faults": len(faults)}))
    for fault in faults[:FAULTS_SHOWN]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def after(server):
    """What is wrong with a server that went through all that."""
    faults = []
    if server.process.poll() is not None:
        return [f"the server ended with {server.process.returncode}"]
    began = time.monotonic()
    if server.call("GET", "/health").status != 200 or time.monotonic() - began > 1:
        faults.append("/health is not well at once")
    return faults + render_one(server)


def render_one(server, seconds=1):
    picture = server.asset(harness.picture(40))
    job = server.wait(server.submit(preset_id="product_hero_clean", image_uris=[picture],
                                    prompt="Light", target_duration_seconds=seconds))
    return [] if job["status"] == "DONE" else [f"a good job ended {job['status']}: {job['error']}"]


if __name__ == "__main__":
    os.environ["PYTOON_BINARY"] = str(pathlib.Path(sys.argv[1]).resolve()) if sys.argv[1:] else ""
    sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
    import clients
    import harness
    sys.exit(main())
