"""What a block of the page finds when it is typed: a shell in a folder of its own, a PostgreSQL
and a Redis, free ports in place of the well-known ones, and what a direction asks for: trouble
that an operator does not make.
"""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/chaos"))
from servers import Postgres, Redis, free_port  # noqa: E402

END = "--end of block--"


class BlockError(Exception):
    pass


class Shell:
    """One bash for the whole page, so that what a block sets the next one has. With job control
    off its children are in its group, and end with it.
    """

    def __init__(self, folder, environment):
        self.folder = folder
        self.blocks = 0
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=folder, env=environment, start_new_session=True)
        self._say("set -uo pipefail")

    def _say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def run(self, text, seconds):
        """What it printed. Raises when a command of it fails, or it takes too long."""
        self.blocks += 1
        block = self.folder / f".block-{self.blocks}.sh"
        out = self.folder / f".block-{self.blocks}.out"
        block.write_text("set -e\n" + text + "\nset +e\n", "utf-8")
        self._say(f"source {block} >{out} 2>&1 </dev/null; echo '{END}'")
        end, heard = time.monotonic() + seconds, b""
        while END.encode() not in heard:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.1)
            more = os.read(self.process.stdout.fileno(), 4096) if ready else None
            if more == b"":
                self.process.wait()
                raise BlockError(f"a command failed with status {self.process.returncode}",
                                 self._read(out))
            heard += more or b""
            if time.monotonic() > end:
                raise BlockError(f"it was not done within {seconds} s", self._read(out))
        return self._read(out)

    @staticmethod
    def _read(out):
        return out.read_text("utf-8", "replace") if out.exists() else ""

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Stage:
    def __init__(self, binary):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pytoon-runbook-"))
        programs = self.folder / ".bin"
        programs.mkdir()
        (programs / "pytoon").symlink_to(pathlib.Path(binary).resolve())
        self.database = Postgres(superuser="postgres", database=None,
                                 auth="--auth-local=trust --auth-host=scram-sha-256")
        self.redis = Redis()
        self.mounted = []
        ports = {"5432": self.database.port, "6379": self.redis.port}
        for known in ("8080", "8081", "8082", "8090", "8188"):
            ports[known] = free_port()
        self.ports = {known: str(port) for known, port in ports.items()}
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
                if name in os.environ}
        self.shell = Shell(self.folder, {
            **kept, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
            "PYTOON_CONFIG_DIR": str(ROOT / "config"), "PGHOST": str(self.database.folder),
            "PGPORT": self.ports["5432"], "PGUSER": "postgres", "PGDATABASE": "postgres"})

    def staged(self, text):
        """With this run's ports in place of the well-known ones."""
        return re.sub(rf"\b({'|'.join(self.ports)})\b", lambda found: self.ports[found[1]], text)

    # The directions. Each gives why it can't be followed here, or nothing.

    def small_disk(self):
        """`small` is a file system of 300 MiB: 256 are what Pytoon never fills."""
        place = self.folder / "small"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", str(place)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return "no right to mount a small file system"
        self.mounted.append(place)
        return None

    def newer_schema(self):
        """What a program of tomorrow may have made of the schema."""
        for statement in (
                "CREATE TABLE reviews (job_id TEXT NOT NULL REFERENCES jobs (id), stars BIGINT)",
                "ALTER TABLE jobs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",
                "CREATE VIEW moods AS SELECT id, mood FROM jobs",
                "CREATE FUNCTION mood_of(TEXT) RETURNS TEXT LANGUAGE sql AS "
                "'SELECT mood FROM jobs WHERE id = $1'",
                "INSERT INTO schema_migrations VALUES (999, 'tomorrow', 'tomorrow')"):
            subprocess.run(
                ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.database.folder, "-p",
                 self.ports["5432"], "-U", "pytoon", "-d", "pytoon", "-c", statement], check=True)

    def redis_away(self):
        self.redis.kill()

    def redis_back(self):
        self.redis.start()

    def database_away(self):
        self.database.kill()

    def database_back(self):
        self.database.start()

    def close(self, keep):
        self.shell.close()
        for place in self.mounted:
            subprocess.run(["umount", str(place)], check=False)
        self.redis.close()
        self.database.close()
        for folder in (self.redis.folder, self.database.folder):
            shutil.rmtree(folder, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
