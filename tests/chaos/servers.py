"""The real servers a chaos run stands on: a PostgreSQL and a Redis of its own, and the faulty
network before them. All on free ports of 127.0.0.1, in temporary folders, ended by their process
ids.
"""

import os
import pathlib
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
import time


END_OF_ROWS = "-- end of rows --"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds, what):
    """Polls; gives what the condition gave. Raises when it stays false for so long."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.03)


def fast_folder(prefix):
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=base))


class Postgres:
    """Run as the user postgres when we are root, which PostgreSQL refuses to be."""

    def __init__(self, superuser="pytoon", database="chaos",
                 auth="--auth=trust"):
        self.programs = next(p.parent for p in sorted(
            pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True))
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.folder = fast_folder("pytoon-chaos-pg-")
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.port = free_port()
        self.process = None
        self.asking = threading.Lock()
        self.asked = None  # a psql
        self._run("initdb", "-D", self.folder / "data", "-U", superuser, *auth.split(),
                  "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        self.start()
        if database:
            self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", superuser, database)

    def _spawn(self, program, *arguments, **more):
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid,
                    "extra_groups": []} if self.user else {}
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen([self.programs / program, *map(str, arguments)], stdout=log,
                                    stderr=log, cwd=self.folder, **identity, **more)

    def _run(self, *command):
        if self._spawn(*command).wait() != 0:
            raise AssertionError(f"{command[0]} failed:\n" + (self.folder / "log").read_text())

    def start(self):
        self.process = self._spawn(
            "postgres", "-D", self.folder / "data", "-p", self.port, "-c",
            "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}", "-c",
            "max_connections=100", "-c", "shared_buffers=32MB")
        wait_for(self.ready, 60, "PostgreSQL")

    def ready(self):
        return self.process.poll() is None and self._spawn(
            "pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port).wait() == 0

    def kill(self):
        """As a crash: the postmaster and, with it, every backend."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
                                  capture_output=True, text=True).stdout.split()
        self.process.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def psql(self):
        return subprocess.Popen(
            ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "pytoon", "-d", "chaos",
             "-AtXq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def sql(self, statement):
        """Rows of texts, straight from the database, past any gate. One psql answers all; it ends
        with its server or a wrong statement, and a new one is started.
        """
        with self.asking:
            if self.asked is None or self.asked.poll() is not None:
                self.asked = self.psql()
            rows = []
            try:
                self.asked.stdin.write(f"{statement};\n\\echo {END_OF_ROWS}\n")
                self.asked.stdin.flush()
                while (line := self.asked.stdout.readline()) != END_OF_ROWS + "\n":
                    if not line:
                        raise ConnectionError(f"no answer to {statement}")
                    rows.append(line.rstrip("\n").split("\x1f"))
            except OSError as error:  # ConnectionError and BrokenPipeError are some
                self.asked.kill()
                self.asked.wait()
                raise ConnectionError(str(error)) from None
            return rows

    def close(self):
        if self.asked and self.asked.poll() is None:
            self.asked.kill()
            self.asked.wait()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


class Redis:
    def __init__(self):
        self.folder = fast_folder("pytoon-chaos-redis-")
        self.port = free_port()
        self.process = None
        self.start()

    def start(self, *options):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                 str(self.folder), "--save", "", "--appendonly", "no", *options],
                stdout=log, stderr=log)
        wait_for(lambda: answers(self.port), 20, "Redis")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def command(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True).stdout.strip()

    def close(self):
        self.kill()


class Gate:
    """tests/support/tcp_gate: delay, cut, refuse, hold what passes."""

    def __init__(self, program, target_port):
        self.process = subprocess.Popen([program, str(target_port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class CommitGate:
    """Before a PostgreSQL. Armed with an idempotency key, it lets the COMMIT of the job with it
    reach the server and cuts the connection in place of the answer: whoever committed can't know
    what became of it.
    """

    def __init__(self, target_port):
        self.target_port = target_port
        self.key = b""
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def arm(self, key):
        self.key = key.encode()

    def _listen(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server, self)
            threading.Thread(target=link.up, daemon=True).start()
            threading.Thread(target=link.down, daemon=True).start()

    def close(self):
        self.listener.close()


class Link:
    def __init__(self, client, server, gate):
        self.client, self.server, self.gate = client, server, gate
        self.said = b""  # since the last COMMIT
        self.swallow = threading.Event()

    def up(self):
        try:
            while data := self.client.recv(65536):
                self.said += data
                if b"COMMIT" in data:
                    key = self.gate.key
                    if key and key in self.said and b'"preset_id"' in self.said:
                        self.gate.key = b""
                        self.swallow.set()
                    self.said = b""
                self.server.sendall(data)
        except OSError:
            pass
        self._end()

    def down(self):
        try:
            while data := self.server.recv(65536):
                if self.swallow.is_set():
                    self.gate.cuts += 1
                    break
                self.client.sendall(data)
        except OSError:
            pass
        self._end()

    def _end(self):
        for one in (self.client, self.server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
