"""A fleet under test: one `pytoon api`, two `pytoon worker`, on shared storage, behind gates to
their PostgreSQL and Redis. Members are killed, stopped and started again by the rows.
"""

import json
import os
import shutil
import signal
import subprocess
import time

from harness import BINARY, KEY, ROOT, WEBHOOK_SECRET, ask
from servers import CommitGate, Gate, Postgres, Redis, answers, fast_folder, free_port, wait_for

LEASE_SECONDS = 2


class Member:
    """One process of the fleet: the same place and port at every start."""

    def __init__(self, fleet, role, name):
        self.fleet, self.role, self.name = fleet, role, name
        self.port = free_port()
        self.process = None
        self.starts = 0
        self.extra = {}  # of its environment

    def environment(self):
        gate = self.fleet.api_gate if self.role == "api" else self.fleet.worker_gate
        return {**os.environ, "API_KEY": KEY, "API_PORT": str(self.port),
                "WORKER_PORT": str(self.port), "API_HOST": "127.0.0.1",
                "STORAGE_ROOT": str(self.fleet.storage),
                "DB_URL": f"postgresql://pytoon@127.0.0.1:{gate.port}/chaos",
                "REDIS_URL": f"redis://127.0.0.1:{self.fleet.redis_gate.port}",
                "PYTOON_CONFIG_DIR": os.environ.get("PYTOON_CONFIG_DIR", str(ROOT / "config")),
                "PYTOON_DEVICE": "cpu",
                "PYTOON_CACHE_DIR": str(self.fleet.folder / f"cache-{self.name}"),
                "LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_CONCURRENCY": "1",
                "RATE_LIMIT_RPS": "1000000", "MAX_QUEUED_JOBS": "100000",
                "MAX_QUEUED_JOBS_PER_TENANT": "100000",
                "WEBHOOK_SECRET": WEBHOOK_SECRET, "WEBHOOKS_ALLOW_PRIVATE": "true",
                "WEBHOOK_RETRY_SECONDS": ",".join(["1"] * 20), **self.extra}

    @property
    def log(self):
        return self.fleet.folder / f"{self.name}.log"

    def begin(self):
        """Starts the process; serving() waits for it."""
        self.starts += 1
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([BINARY, self.role], env=self.environment(),
                                            stdout=out, stderr=out, cwd=self.fleet.folder)

    def serving(self, seconds=60):
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended by itself:\n" + self.tail())
            return answers(self.port)
        wait_for(look, seconds, self.name)

    def start(self):
        self.begin()
        self.serving()
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def drain(self):
        """SIGTERM; the seconds until it was gone."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not obey SIGTERM within 40 s") from None
        return time.monotonic() - began

    def tail(self, lines=20):
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def events(self, name):
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            if f'"event":"{name}"' in line:
                found.append(json.loads(line))
        return found

    def get(self, path):
        return ask(self.port, "GET", path, key=None, timeout=10)

    def burden(self):
        """What it uses of the machine: open files, threads, resident MiB."""
        base = f"/proc/{self.process.pid}"
        with open(f"{base}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        return {"files": len(os.listdir(f"{base}/fd")), "threads": len(os.listdir(f"{base}/task")),
                "resident_mib": pages * os.sysconf("SC_PAGE_SIZE") >> 20}


class Fleet:
    def __init__(self, tcp_gate):
        self.folder = fast_folder("pytoon-chaos-")
        self.storage = self.folder / "storage"
        self.database = Postgres()
        self.redis = Redis()
        self.commit_gate = CommitGate(self.database.port)
        self.api_gate = Gate(tcp_gate, self.commit_gate.port)
        self.worker_gate = Gate(tcp_gate, self.database.port)
        self.redis_gate = Gate(tcp_gate, self.redis.port)
        self.api = Member(self, "api", "api")
        self.workers = [Member(self, "worker", f"worker-{i}") for i in (1, 2)]

    @property
    def members(self):
        return [self.api, *self.workers]

    def start(self):
        self.api.start()  # it brings the schema up to date
        for worker in self.workers:
            worker.begin()
        for worker in self.workers:
            worker.serving()

    def heal(self):
        """Everybody up, every gate open."""
        for gate in (self.api_gate, self.worker_gate, self.redis_gate):
            gate.say("pass")
        self.commit_gate.arm("")
        if self.redis.process.poll() is not None:
            self.redis.start()
        if self.database.process.poll() is not None:
            self.database.start()
        for member in self.members:
            if member.alive():
                member.signal(signal.SIGCONT)
            else:
                member.start()

    def renew_workers(self):
        """What killed workers left staged goes when a worker starts."""
        for worker in self.workers:
            worker.drain()
            worker.begin()
        for worker in self.workers:
            worker.serving()

    def staged(self):
        folder = self.storage / ".tmp"
        return [str(p.relative_to(folder)) for p in folder.rglob("*")
                if p.is_file() and p.suffix != ".lock"] if folder.exists() else []

    def close(self, keep=False):
        for member in self.members:
            if member.alive():
                member.signal(signal.SIGCONT)
                member.kill()
        for one in (self.api_gate, self.worker_gate, self.redis_gate, self.commit_gate,
                    self.redis, self.database):
            one.close()
        if not keep:
            for folder in (self.folder, self.database.folder, self.redis.folder):
                shutil.rmtree(folder, ignore_errors=True)
