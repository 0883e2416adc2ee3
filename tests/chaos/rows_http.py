"""Rows about crowds of clients, clients that don't read, receivers that fail, minds that change."""

import collections
import http.server
import random
import threading
import time

from harness import png_of, signed_well
from load import Follower, Staller, cancel_beyond, crowd
from servers import wait_for

DRAWN_MAX = 20  # of many like jobs so many are drawn; the others are cancelled
COPIES = 20


def noise(seed):
    """A picture of 200 KB: noise, which no compression makes smaller."""
    values = random.Random(seed).randbytes(260 * 3 * 260)
    return png_of(260, 260, (values[i:i + 780] for i in range(0, len(values), 780)), level=0)


def submit_at_once(stage, ledger, count):
    """Each uploads 200 KB and submits a job with it, all at the same moment."""
    pictures = [noise(i) for i in range(8)]
    wishes = [ledger.wish(kind="overlay") for _ in range(count)]
    uploads = collections.Counter()
    slow = []

    def one(number):
        wish = wishes[number]
        began = time.monotonic()
        answer = ledger.client.upload(pictures[number % len(pictures)])
        with ledger.lock:
            uploads[answer.status] += 1
        busy = answer.status in (429, 503) and int(answer.headers.get("Retry-After", 0)) >= 1
        if answer.status != 201:
            if not busy:
                ledger.fault(f"an upload was answered {answer.status}: {answer.body[:200]!r}")
            return
        wish.kind = "own picture"
        wish.request = {**wish.request, "image_uris": [answer.json()["uri"]]}
        if not ledger.send(wish) and not ledger.refusals[429] + ledger.refusals[503]:
            ledger.fault("a submission was cut off")
        slow.append(time.monotonic() - began)

    threading.stack_size(512 * 1024)
    crowd(count, one)
    threading.stack_size(0)
    accepted = [wish for wish in wishes if wish.job_id]
    cancel_beyond(ledger, accepted, 10)
    return {"accepted_at_once": len(accepted), "uploads": {str(k): v for k, v in uploads.items()},
            "slowest_seconds": round(max(slow, default=0), 2)}


def submit_copies(stage, ledger, count):
    """Twenty copies of each key at the same moment."""
    statuses = collections.Counter()
    for i in range(count):
        wish = ledger.wish()

        def one(_):
            answer = ledger.client.call("POST", "/api/v1/jobs", wish.request,
                                        {"Idempotency-Key": wish.key})
            with ledger.lock:
                statuses[answer.status] += 1
                if answer.status == 201:
                    wish.job_id = answer.json()["job_id"]
                    wish.ids.add(wish.job_id)
            if answer.status not in (201, 409):
                ledger.fault(f"a copy was answered {answer.status}: {answer.body[:200]!r}")

        crowd(COPIES, one)
        other = ledger.client.call("POST", "/api/v1/jobs", {**wish.request, "seed": 99},
                                   {"Idempotency-Key": wish.key})
        if other.status != 422:
            ledger.fault(f"the key with another body was answered {other.status}")
        if i >= DRAWN_MAX:
            cancel_beyond(ledger, [wish], 0)
    return {"keys": count, "copies_of_each": COPIES,
            "answers": {str(k): v for k, v in statuses.items()}}


def follow(stage, ledger, count):
    """Many followers, one in five of which never reads."""
    api = stage.fleet.api
    before = api.burden()
    ledger.submit(max(1, count // 25))
    ids = [wish.job_id for wish in ledger.wishes]
    stalled = [Staller(api.port, ids[i % len(ids)]) for i in range(count // 5)]
    followers = [Follower(api.port, ids[i % len(ids)]) for i in range(count - len(stalled))]
    for follower in followers:
        follower.join()
        ledger.faults += follower.faults
        if follower.final != "DONE":
            ledger.fault(f"a follower of {follower.job_id} saw {follower.final} as its end")
    during = api.burden()
    for one in stalled:
        one.close()
    wait_for(lambda: api.burden()["files"] <= before["files"] + 8, 60,
             f"the API to close its connections ({before['files']} files before)")
    return {"streams": count, "stalled": len(stalled), "breaks": sum(f.breaks for f in followers),
            "burden": {"before": before, "during": during, "after": api.burden()}}


class Sink(http.server.ThreadingHTTPServer):
    """Takes webhooks, but not at first: each path has its own row of troubles."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        self.plans = {}
        self.got = collections.defaultdict(list)
        super().__init__(("127.0.0.1", 0), SinkHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class SinkHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got[self.path].append((dict(self.headers.items()), body))
        plan = self.server.plans.get(self.path, [])
        trouble = plan.pop(0) if plan else 200
        if trouble == "cut":
            self.close_connection = True
            return
        if trouble == "slow":
            time.sleep(2)
            trouble = 200
        self.send_response(trouble)
        if trouble == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def fail_webhooks(stage, ledger, count):
    troubles = [[503, 500], ["cut"], [302, 404], ["slow"], [429], [410], [], ["cut", 503, "cut"]]
    sink = Sink()
    given_up = []
    for i in range(count):
        path = f"/hook/{i}"
        sink.plans[path] = list(troubles[i % len(troubles)])
        wish = ledger.wish(webhook_url=f"http://127.0.0.1:{sink.server_port}{path}")
        ledger.insist(wish)
        if 410 in troubles[i % len(troubles)]:
            given_up.append(wish)
        if i >= DRAWN_MAX:
            cancel_beyond(ledger, [wish], 0)
    stage.judge.wait(ledger)

    def pending():
        rows = stage.fleet.database.sql("SELECT count(*) FROM outbox WHERE state = 'pending'")
        return rows[0][0] == "0"
    wait_for(pending, 120, "all webhooks to be delivered or given up")
    for path, got in sink.got.items():
        if len({headers["webhook-id"] for headers, _ in got}) != 1:
            ledger.fault(f"{path} got several webhook ids")
        if not all(signed_well(headers, body) for headers, body in got):
            ledger.fault(f"{path} got a wrong signature")
    if len(sink.got) != count:
        ledger.fault(f"{len(sink.got)} of {count} receivers were told, /elsewhere is none of them")
    letters = {row[0] for row in stage.fleet.database.sql(
        "SELECT job_id FROM dead_letters WHERE event_id <> ''")}
    for wish in given_up:
        if wish.job_id not in letters:
            ledger.fault(f"the webhook of {wish.job_id} was refused with 410 and is no dead letter")
    sink.shutdown()
    sink.server_close()
    return {"webhooks": count, "attempts": sum(len(got) for got in sink.got.values()),
            "given_up": len(given_up)}


def change_minds(stage, ledger, count):
    """Cancels, forced failures and retries against every state, several of them at once."""
    answers = collections.Counter()

    def act(wish, verb):
        place = "admin/jobs" if verb == "fail" else "jobs"
        answer = ledger.client.call("POST", f"/api/v1/{place}/{wish.job_id}/{verb}")
        with ledger.lock:
            answers[f"{verb} {answer.status}"] += 1
        if answer.status not in (200, 409):
            ledger.fault(f"{verb} was answered {answer.status}: {answer.body[:200]!r}")

    def race(source):
        wish = ledger.wish()
        wish.may_end_early = True
        ledger.insist(wish)
        time.sleep(source.choice((0, 0.05, 0.3, 1, 2)) * source.random())
        acts = [("cancel",), ("fail", "retry"), ("cancel", "fail", "retry"), ("retry", "cancel"),
                ("fail", "retry", "cancel"), ("cancel", "retry")][source.randrange(6)]
        for verb in acts:
            crowd(source.choice((1, 1, 2)), lambda _, verb=verb: act(wish, verb))
        if source.random() < 0.8:  # what lives on is drawn: a few are enough
            act(wish, "cancel")

    sources = [random.Random(ledger.random.random()) for _ in range(6)]
    left = list(range(count))

    def racer(number):
        while True:
            with ledger.lock:
                if not left:
                    return
                left.pop()
            race(sources[number])

    crowd(len(sources), racer)
    stage.judge.wait(ledger)
    for wish in ledger.wishes:
        for file in ("output.mp4", "thumbnail.jpg", "metadata.json"):
            status = stage.fleet.database.sql(
                f"SELECT status FROM jobs WHERE id = '{wish.job_id}'")[0][0]
            path = stage.fleet.storage / "jobs" / wish.job_id / file
            if (status == "DONE") != path.exists():
                ledger.fault(f"{wish.job_id} is {status} and {file} "
                             f"{'is there' if path.exists() else 'is missing'}")
    return {"races": count, "answers": dict(answers)}
