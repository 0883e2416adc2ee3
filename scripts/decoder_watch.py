"""Sees from outside how those processes of a Pytoon are held that decode files: reads /proc while
they work."""

import pathlib
import threading

PROC = pathlib.Path("/proc")
PAUSE_SECONDS = 0.01
FIELDS = ("Uid", "CapEff", "NoNewPrivs", "Seccomp", "Seccomp_filters")


def status_of(pid):
    """Fields of /proc/PID/status as text; none where it has ended."""
    try:
        lines = (PROC / str(pid) / "status").read_text("utf-8").splitlines()
    except OSError:
        return {}
    return {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines)
            if value.strip()}


def descendants(pid):
    """Process ids."""
    children = {}
    for entry in PROC.glob("[0-9]*"):
        parent = status_of(entry.name).get("PPid", "0")
        children.setdefault(int(parent), []).append(int(entry.name))
    found, rest = [], [pid]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found


class DecoderWatch:
    """While it is entered, notes each process below PID that has one filter of system calls more
    than PID itself: what a decoder adds to its engine's before it reads a byte."""

    def __init__(self, pid):
        self.pid = pid
        self.before = int(status_of(pid).get("Seccomp_filters", 0))
        self.seen = {}  # process id: its fields
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()

    def _look(self):
        while not self.ended.wait(PAUSE_SECONDS):
            for pid in descendants(self.pid):
                status = status_of(pid)
                if int(status.get("Seccomp_filters", 0)) > self.before:
                    self.seen[pid] = {field: status[field] for field in FIELDS}

    def findings(self):
        """A line; empty when none was seen."""
        if not self.seen:
            return ""
        held = sorted({" ".join(f"{k} {v}" for k, v in one.items()) for one in self.seen.values()})
        return f"{len(self.seen)} confined decoders seen, {self.before} filter outside: " + \
            "; ".join(held)
