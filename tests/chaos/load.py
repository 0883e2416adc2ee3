"""Work for the fleet while it suffers, and followers of it."""

import http.client
import json
import socket
import threading
import time

from harness import KEY


class Load:
    """Keeps a few accepted jobs waiting, from a thread of its own, until told to stop."""

    def __init__(self, stage, ledger, ahead=4, **request):
        self.stage, self.ledger, self.ahead, self.request = stage, ledger, ahead, request
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _feed(self):
        while not self.over.is_set():
            try:
                live = int(self.stage.fleet.database.sql(
                    "SELECT count(*) FROM jobs WHERE status NOT IN ('DONE', 'FAILED', "
                    "'CANCELLED')")[0][0])
            except ConnectionError:
                live = 0
            if live < self.ahead:
                self.ledger.insist(self.ledger.wish(**self.request))
            else:
                self.over.wait(0.1)


def crowd(count, body):
    """Runs body(0), body(1) ... at the same moment, each on a thread; waits for all."""
    gate = threading.Barrier(count)

    def one(number):
        gate.wait()
        body(number)

    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cancel_beyond(ledger, wishes, keep):
    """Where drawing them all would show nothing more."""
    for wish in wishes[keep:]:
        wish.may_end_early = True
        if wish.job_id:
            ledger.client.call("POST", f"/api/v1/jobs/{wish.job_id}/cancel")


class Follower(threading.Thread):
    """Follows a job's events to its end; after a break it goes on from the last one it saw."""

    def __init__(self, port, job_id, seconds=240):
        super().__init__(daemon=True)
        self.port, self.job_id = port, job_id
        self.end = time.monotonic() + seconds
        self.last_id = ""
        self.final = None
        self.breaks = 0
        self.faults = []
        self.start()

    def run(self):
        while self.final is None and time.monotonic() < self.end:
            try:
                self._listen()
            except (OSError, http.client.HTTPException, ValueError):
                pass
            if self.final is None:
                self.breaks += 1
                time.sleep(0.1)

    def _listen(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"X-API-Key": KEY}
            if self.last_id:
                headers["Last-Event-ID"] = self.last_id
            connection.request("GET", f"/api/v1/jobs/{self.job_id}/events", None, headers)
            response = connection.getresponse()
            if response.status != 200:
                response.read()
                return
            event = {}
            while line := response.readline():
                text = line.decode().rstrip("\n")
                if text and not text.startswith(":"):
                    name, _, value = text.partition(": ")
                    event[name] = value
                elif not text and event:
                    self._take(event)
                    event = {}
                if self.final is not None:
                    return
        finally:
            connection.close()

    def _take(self, event):
        if "id" not in event:
            return
        if self.last_id and int(event["id"]) < int(self.last_id):
            self.faults.append(f"{self.job_id}: event {event['id']} came after {self.last_id}")
        self.last_id = event["id"]
        if event.get("event") == "done":
            self.final = json.loads(event["data"])["status"]


class Staller:
    """Asks for a job's events and never reads an answer."""

    def __init__(self, port, job_id):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: x\r\n"
                            f"X-API-Key: {KEY}\r\n\r\n".encode())

    def close(self):
        self.socket.close()
