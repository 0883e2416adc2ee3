"""Rows about workers that die, freeze, drain, or meet a job that kills them."""

import signal
import time

from client import Client
from fleet import LEASE_SECONDS
from load import Load
from servers import wait_for

DEATHS_MAX = 20  # of workers under one job until it must be set aside


def held(stage, worker):
    """How many tasks it holds."""
    rows = stage.fleet.database.sql(
        "SELECT count(*) FROM tasks t JOIN workers w ON w.worker_id = t.worker_id "
        f"WHERE w.pid = {worker.process.pid}")
    return int(rows[0][0])


def wait_until_busy(stage, worker, random, spread):
    """A random moment of its work, also on a job whose workers died before: none may end FAILED or
    as a card for it, as the judge checks of every job.
    """
    for _ in range(100):
        wait_for(lambda: held(stage, worker) > 0, 120, f"{worker.name} to hold work")
        time.sleep(random.random() * spread)
        if held(stage, worker):
            return
    raise AssertionError("no moment to strike")


def kill_workers(stage, ledger, count):
    holding = 0
    with Load(stage, ledger):
        for _ in range(count):
            worker = ledger.random.choice(stage.fleet.workers)
            wait_until_busy(stage, worker, ledger.random, 0.5)
            holding += held(stage, worker) > 0
            worker.kill()
            worker.begin()
    return {"kills": count, "killed_with_work": holding}


def kill_at_default_lease(stage, ledger, count):
    """As A1, but with the lease that people run with."""
    def start_all(extra):
        for worker in stage.fleet.workers:
            worker.extra = extra
            worker.drain()
            worker.start()

    seconds = []
    start_all({"LEASE_SECONDS": "20"})
    try:
        with Load(stage, ledger, ahead=2):
            for _ in range(count):
                worker = ledger.random.choice(stage.fleet.workers)
                wait_until_busy(stage, worker, ledger.random, 0.5)
                worker.kill()
                began = time.monotonic()
                wait_for(lambda: held(stage, worker) == 0, 90, "its work to be taken over")
                seconds.append(time.monotonic() - began)
                worker.start()
    finally:
        stage.fleet.heal()
        start_all({})
    return {"kills": count, "slowest_takeover_seconds": round(max(seconds), 1)}


def freeze_workers(stage, ledger, count):
    late = 0
    with Load(stage, ledger):
        for _ in range(count):
            worker = ledger.random.choice(stage.fleet.workers)
            wait_until_busy(stage, worker, ledger.random, 0.3)
            lost_before = len(worker.events("lease_lost"))
            worker.signal(signal.SIGSTOP)
            try:
                time.sleep(LEASE_SECONDS)
                wait_for(lambda: held(stage, worker) == 0, 30, "its leases to be taken away")
                time.sleep(ledger.random.random())
            finally:
                worker.signal(signal.SIGCONT)
            time.sleep(0.6)
            late += len(worker.events("lease_lost")) > lost_before
    return {"freezes": count, "zombies_told": late}


def drain_workers(stage, ledger, count):
    seconds = []
    with Load(stage, ledger):
        for i in range(count):
            if i % 5 == 4:
                member = stage.fleet.api
                time.sleep(ledger.random.random() * 0.3)
            else:
                member = ledger.random.choice(stage.fleet.workers)
                wait_until_busy(stage, member, ledger.random, 0.5)
            took = member.drain()
            seconds.append(took)
            if took > 30:
                ledger.fault(f"{member.name} took {took:.1f} s to drain")
            if member.process.returncode != 0:
                ledger.fault(f"{member.name} drained with status {member.process.returncode}")
            member.start()
    return {"drains": count, "slowest_drain_seconds": round(max(seconds), 2)}


def holder_of(stage, job_id):
    rows = stage.fleet.database.sql(
        "SELECT w.pid FROM tasks t JOIN workers w ON w.worker_id = t.worker_id WHERE t.job_id = "
        f"'{job_id}' AND t.kind = 'render'")
    pids = {int(row[0]) for row in rows}
    return next((w for w in stage.fleet.workers if w.process.pid in pids), None)


def set_aside(stage, job_id):
    return stage.fleet.database.sql(
        f"SELECT 1 FROM jobs WHERE id = '{job_id}' AND fallback_reason = 'crashed'")


def poison(stage, ledger, count):
    """A job whose rendering kills its worker: nothing in the product makes one, so whoever renders
    it is killed, until the job is set aside.
    """
    client = Client(stage.fleet.api.port)
    for _ in range(count):
        # One segment, as long as they get: a second one, finished between, would end the row of
        # crashes.
        bad = ledger.wish(kind="meme", target_duration_seconds=3)
        bad.may_be_card = True
        bad.kind = "poison"
        with Load(stage, ledger, ahead=3):
            ledger.insist(bad)
            for _ in range(DEATHS_MAX):
                wait_for(lambda: set_aside(stage, bad.job_id) or holder_of(stage, bad.job_id), 60,
                         "somebody to draw it")
                victim = holder_of(stage, bad.job_id)
                if set_aside(stage, bad.job_id):
                    break
                if victim:
                    victim.kill()
                    victim.begin()
            stage.judge.wait(ledger)
        job = client.job(bad.job_id).json()
        if (job["status"], job["fallback_reason"]) != ("DONE", "crashed"):
            ledger.fault(f"the poison job is {job['status']}, {job['fallback_reason']!r}")
        letters = client.call("GET", "/api/v1/admin/capacity").json()["dead_letters_latest"]
        if not any(letter["job_id"] == bad.job_id and "crashed 3 times" in letter["cause"]
                   for letter in letters):
            ledger.fault("the poison job has no dead letter with the cause")
    return {"poison_jobs": count}
