"""What clients do while the fleet suffers: submit with keys and remember, ask again, watch; and the
judgement afterwards, against the ledger, the database and the disk.
"""

import collections
import hashlib
import http.client
import pathlib
import random
import tempfile
import threading
import time

from harness import Answer, ask, facts, form, picture
from servers import wait_for

TERMINAL = ("DONE", "FAILED", "CANCELLED")
RANK = {name: i for i, name in enumerate(
    ("QUEUED", "PLANNING", "RENDERING_SEGMENTS", "ASSEMBLING", "DONE", "FAILED", "CANCELLED"))}


class Client:
    """Speaks HTTP to the API; a refused or broken connection is an answer of status 0."""

    def __init__(self, port):
        self.port = port

    def call(self, method, path, body=None, headers=None, timeout=60):
        try:
            return ask(self.port, method, path, body, headers, timeout=timeout)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, {}, repr(error).encode())

    def upload(self, data):
        return self.call("POST", "/api/v1/assets/upload", *form("image", data))

    def job(self, job_id):
        return self.call("GET", f"/api/v1/jobs/{job_id}")


def is_fair(answer):
    """What a client may be told when a service is in trouble: try again, and when."""
    if answer.status in (429, 503):
        return int(answer.headers.get("Retry-After", 0)) >= 1
    return answer.status in (0, 201)


class Wish:
    """One job that a client wants, with the key that makes its retries harmless."""

    def __init__(self, key, kind, request):
        self.key, self.kind, self.request = key, kind, request
        self.job_id = None
        self.ids = set()
        self.tries = 0
        self.may_end_early = False  # somebody cancels it
        self.may_be_card = False    # its workers are killed on purpose until it is set aside


class Ledger:
    """Every wish of a row, and every answer that was wrong."""

    def __init__(self, fleet, kinds, random_source, row):
        self.client = Client(fleet.api.port)
        self.kinds, self.random, self.row = kinds, random_source, row
        self.wishes = []
        self.faults = []
        self.submit_seconds = []
        self.refusals = collections.Counter()
        self.lock = threading.Lock()

    def fault(self, what):
        with self.lock:
            self.faults.append(what)

    def wish(self, kind=None, **more):
        with self.lock:
            names = sorted(self.kinds)
            kind = kind or names[len(self.wishes) % len(names)]
            key = f"{self.row}-{self.random.getrandbits(64):016x}-{len(self.wishes)}"
            wish = Wish(key, kind, {**self.kinds[kind], **more})
            self.wishes.append(wish)
            return wish

    def send(self, wish, timeout=60):
        """One try; True when it was accepted."""
        wish.tries += 1
        began = time.monotonic()
        answer = self.client.call("POST", "/api/v1/jobs", wish.request,
                                  {"Idempotency-Key": wish.key}, timeout)
        with self.lock:
            self.submit_seconds.append(time.monotonic() - began)
            if answer.status == 201:
                wish.job_id = answer.json()["job_id"]
                wish.ids.add(wish.job_id)
            else:
                self.refusals[answer.status] += 1
        if not is_fair(answer):
            self.fault(f"a submission was answered {answer.status}: {answer.body[:300]!r} "
                       f"{dict(answer.headers)}")
        return answer.status == 201

    def insist(self, wish, seconds=90):
        """Tries with the same key until it is accepted."""
        end = time.monotonic() + seconds
        while not self.send(wish):
            if time.monotonic() > end:
                self.fault(f"no try of {wish.key} was accepted for {seconds} s")
                return
            time.sleep(0.1)

    def submit(self, count, **more):
        for _ in range(count):
            self.insist(self.wish(**more))

    def open_jobs(self):
        """Accepted ones that the API does not know to have ended."""
        return [w for w in self.wishes if w.job_id]


class Observer:
    """A follower that must never see a job go back: in status, progress, run, or after its end."""

    def __init__(self, fleet):
        self.client = Client(fleet.api.port)
        self.seen = {}
        self.faults = []
        self.looks = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.over.wait(0.25):
            answer = self.client.call("GET", "/api/v1/jobs?limit=100", timeout=20)
            if answer.status != 200:
                continue
            self.looks += 1
            for job in answer.json()["jobs"]:
                self._look(job)

    def _look(self, job):
        now = (job["run"], RANK[job["status"]], job["progress_pct"])
        before = self.seen.get(job["job_id"], (0, 0, 0))
        self.seen[job["job_id"]] = now
        went_back = now[0] < before[0] or (now[0] == before[0] and (
            now[1] < before[1] or now[2] < before[2]))
        revived = before[1] >= RANK["DONE"] and now[1] != before[1] and now[0] == before[0]
        if went_back or revived:
            self.faults.append(f"job {job['job_id']} went from (run, status, progress) {before} "
                               f"to {now}")

    def stop(self):
        self.over.set()
        self.thread.join()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def three_kinds(fleet):
    """The fixed jobs of all rows: one second each, so that they cost little to draw."""
    answer = Client(fleet.api.port).upload(picture(40, 240, 320))
    assert answer.status == 201, answer.body
    image = answer.json()["uri"]
    captions = {"hook": "Chaos", "cta": "Calm"}
    return {
        "meme": {"preset_id": "meme_smooth", "target_duration_seconds": 1, "seed": 1,
                 "prompt": "Calm"},
        "overlay": {"preset_id": "overlay_classic", "target_duration_seconds": 1, "seed": 2,
                    "image_uris": [image], "captions": captions},
        "hero": {"preset_id": "product_hero_clean", "target_duration_seconds": 1, "seed": 3,
                 "image_uris": [image], "captions": captions},
    }


class Judge:
    """Knows what the undisturbed run gave and holds each row against it."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.calm = {}

    def learn(self, kinds):
        """The calm run: the bytes of every kind, twice, so that they are known to be stable."""
        for name in list(kinds):
            shas = set()
            for _ in range(2):
                ledger = Ledger(self.fleet, {name: kinds[name]}, random.Random(), "calm")
                ledger.submit(1)
                self.wait(ledger, 120)
                shas.add(sha256(self.output(ledger.wishes[0].job_id).read_bytes()))
            assert len(shas) == 1, f"{name}: two calm runs differ"
            self.calm[name] = shas.pop()

    def output(self, job_id):
        return self.fleet.storage / "jobs" / job_id / "output.mp4"

    def wait(self, ledger, seconds=240):
        """Until every accepted job has ended."""
        wanted = {w.job_id for w in ledger.wishes if w.job_id}
        if not wanted:
            return

        def ended():
            try:
                live = self.fleet.database.sql(
                    "SELECT id FROM jobs WHERE status NOT IN ('DONE', 'FAILED', 'CANCELLED')")
            except ConnectionError:
                return False
            return not wanted & {row[0] for row in live} or None

        try:
            wait_for(ended, seconds, f"{len(wanted)} jobs to end")
        except AssertionError as error:
            ledger.fault(str(error))

    def rows(self, ledger):
        found = {}
        for row in self.fleet.database.sql(
                "SELECT r.idempotency_key, j.id, j.status, j.run, j.attempts, j.crashes, "
                "coalesce(j.fallback_reason, ''), coalesce(j.error, '') FROM idempotency_records r "
                f"JOIN jobs j ON j.id = r.job_id WHERE r.idempotency_key LIKE '{ledger.row}-%'"):
            found[row[0]] = {"id": row[1], "status": row[2], "run": int(row[3]),
                             "attempts": int(row[4]), "crashes": int(row[5]), "fallback": row[6],
                             "error": row[7]}
        return found

    def check(self, ledger, jobs_before, attempts_max=None):
        """Gives the numbers of the row; faults go to the ledger."""
        rows = self.rows(ledger)
        jobs_after = int(self.fleet.database.sql("SELECT count(*) FROM jobs")[0][0])
        keys = {w.key for w in ledger.wishes if w.job_id}
        if jobs_after - jobs_before != len(keys):
            ledger.fault(f"{jobs_after - jobs_before} new jobs for {len(keys)} accepted keys")
        counts = collections.Counter()
        for wish in ledger.wishes:
            if wish.job_id:
                self._check_wish(wish, rows.get(wish.key), ledger, counts, attempts_max)
        self._decode_some(ledger, rows)
        staged = self.fleet.staged()
        if staged:
            ledger.fault(f"staged files are left: {staged[:5]}")
        return dict(counts)

    def _check_wish(self, wish, row, ledger, counts, attempts_max):
        if row is None:
            return ledger.fault(f"the accepted job of {wish.key} is not in the database")
        if wish.ids != {row["id"]}:
            ledger.fault(f"{wish.key}: clients were told {wish.ids}, the database has {row['id']}")
        counts[row["status"]] += 1
        counts["attempts"] += row["attempts"]
        if attempts_max is not None and row["attempts"] > attempts_max:
            ledger.fault(f"{row['id']}: {row['attempts']} attempts spent, at most {attempts_max}")
        if row["status"] != "DONE":
            if not wish.may_end_early:
                ledger.fault(f"{row['id']} ended {row['status']}: {row['error']}")
            if row["status"] == "CANCELLED" and self.output(row["id"]).exists():
                ledger.fault(f"{row['id']} is CANCELLED and has a video")
            return None
        path = self.output(row["id"])
        if row["fallback"] == "crashed" and wish.may_be_card:
            counts["cards"] += 1
        elif not path.exists():
            ledger.fault(f"{row['id']} is DONE and has no video")
        elif wish.kind in self.calm and sha256(path.read_bytes()) != self.calm[wish.kind]:
            ledger.fault(f"{row['id']} ({wish.kind}) has other bytes than undisturbed; fallback: "
                         f"{row['fallback']!r}, run {row['run']}, attempts {row['attempts']}")
        return None

    def _decode_some(self, ledger, rows):
        """One of each kind through the API, and every frame of it through ffprobe."""
        done = {w.kind: w for w in ledger.wishes
                if w.key in rows and rows[w.key]["status"] == "DONE"}
        for wish in done.values():
            answer = ledger.client.call("GET", f"/api/v1/jobs/{wish.job_id}/output")
            if answer.status != 200:
                ledger.fault(f"the video of {wish.job_id} is answered {answer.status}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "video.mp4"
                file.write_bytes(answer.body)
                streams, _ = facts(file)
            frames = int(streams[0]["nb_read_frames"])
            if frames < 30:
                ledger.fault(f"the video of {wish.job_id} has {frames} frames")
