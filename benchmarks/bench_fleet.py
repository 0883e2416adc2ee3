"""Processes of ours on a PostgreSQL and a Redis of their own, for benchmarks of the whole service.

PYTOON_BINARY says which program; whoever imports this has put tests/chaos and tests/e2e into
sys.path before.
"""

import os
import pathlib
import shutil
import subprocess

from client import Client
from harness import BINARY, KEY
from servers import Postgres, Redis, answers, fast_folder, free_port, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[1]


WORKER_NICENESS = 3  # about half of the weight, as compose and systemd give it


def yield_cores(pid, niceness):
    """Where the kernel shares cores out by session, as by container, niceness is the session's."""
    group = pathlib.Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text(str(niceness), "ascii")


class BenchFleet:
    """`pytoon api`, and as many workers as are started beside it, each in a session of its own.

    settings: of all of them.
    """

    def __init__(self, settings):
        self.folder = fast_folder("pytoon-bench-")
        self.database, self.redis = Postgres(), Redis()
        self.client = Client(free_port())
        self.settings, self.members = settings, []
        self.api = self.start("api", "api", self.client.port)

    @property
    def url(self):
        return f"postgresql://pytoon@127.0.0.1:{self.database.port}/chaos"

    def start(self, role, name, port, core=None):
        environment = {
            **os.environ, "API_KEY": KEY, "API_PORT": str(port), "WORKER_PORT": str(port),
            "API_HOST": "127.0.0.1", "STORAGE_ROOT": str(self.folder / "storage"),
            "DB_URL": self.url, "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "PYTOON_CONFIG_DIR": str(ROOT / "config"), "PYTOON_DEVICE": "cpu",
            "REUSE_SEGMENTS": "false",
            "PYTOON_CACHE_DIR": str(self.folder / f"cache-{name}"), **self.settings}
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        with open(self.folder / f"{name}.log", "ab") as log:
            member = subprocess.Popen([*pinned, BINARY, role], env=environment, stdout=log,
                                      stderr=log, cwd=self.folder, start_new_session=True)
        if role == "worker":
            yield_cores(member.pid, WORKER_NICENESS)
        self.members.append(member)
        wait_for(lambda: answers(port), 60, name)
        return member

    def close(self):
        for member in self.members:
            member.kill()
            member.wait()
        self.redis.close()
        self.database.close()
        for folder in (self.folder, self.database.folder, self.redis.folder):
            shutil.rmtree(folder, ignore_errors=True)
