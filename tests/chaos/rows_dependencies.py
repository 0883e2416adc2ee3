"""Rows about the API, Redis and PostgreSQL dying under the fleet, and about clocks that lie."""

import glob
import threading
import time

from client import Client
from load import Follower, Load, cancel_beyond
from servers import wait_for

FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
DRAWN_MAX = 10  # what is to be shown of a lost commit is that it is one job
CLOCKS = ("+1h", "-1h", "+1d", "-1d", "@2038-01-19 03:14:00", "-30d")


def kill_api(stage, ledger, count):
    """While submissions are under way and one follower listens."""
    followers = []
    for _ in range(count):
        wishes = [ledger.wish() for _ in range(3)]
        threads = [threading.Thread(target=ledger.insist, args=(wish,)) for wish in wishes]
        for thread in threads:
            thread.start()
        time.sleep(ledger.random.random() * 0.05)
        stage.fleet.api.kill()
        stage.fleet.api.start()
        for thread in threads:
            thread.join()
        cancel_beyond(ledger, wishes, 1)
        if wishes[0].job_id:
            followers.append(Follower(stage.fleet.api.port, wishes[0].job_id))
    for follower in followers:
        follower.join()
        ledger.faults += follower.faults
        if follower.final is None:
            ledger.fault(f"the follower of {follower.job_id} never saw its end")
    tries = sum(wish.tries for wish in ledger.wishes)
    return {"kills": count, "tries": tries, "stream_breaks": sum(f.breaks for f in followers)}


def must_accept(ledger, when):
    """Without Redis everything is as before."""
    wish = ledger.wish()
    if not ledger.send(wish):
        ledger.fault(f"a submission was refused {when}")


def kill_redis(stage, ledger, count):
    redis = stage.fleet.redis
    with Load(stage, ledger, ahead=2):
        for _ in range(count):
            redis.kill()
            must_accept(ledger, "without Redis")
            time.sleep(ledger.random.uniform(0.2, 1.5))
            redis.start()
            time.sleep(ledger.random.uniform(0.2, 1))
    return {"kills": count}


def degraded(stage, wanted):
    answer = Client(stage.fleet.api.port).call("GET", "/ready")
    return answer.status == 200 and ("redis" in answer.json()["degraded"]) == wanted


def queue_told_right(stage):
    """The API's metric of waiting jobs against the database, which may move meanwhile."""
    def waiting():
        return int(stage.fleet.database.sql(
            "SELECT count(*) FROM jobs WHERE status = 'QUEUED'")[0][0])
    before = waiting()
    told = [float(line.split()[1]) for line in stage.fleet.api.get("/metrics").body.decode()
            .splitlines() if line.startswith("pytoon_queue_depth ")]
    after = waiting()
    return len(told) == 1 and min(before, after) <= told[0] <= max(before, after)


def redis_told_right(stage, there):
    """By the metrics: of the API whether it can ring, of the workers that they listen at all."""
    told = [member.get("/metrics").body.decode() for member in stage.fleet.members]
    return (f'pytoon_redis_up{{link="notifier"}} {int(there)}\n' in told[0] and
            all('pytoon_redis_up{link="listener"}' in text for text in told[1:]))


def starve_redis(stage, ledger, count):
    """Emptied, full, made a replica that only reads, and out of reach, in turn."""
    redis, gate = stage.fleet.redis, stage.fleet.redis_gate
    ways = {"refuse": (lambda: gate.say("refuse"), lambda: gate.say("pass")),
            "hold": (lambda: gate.say("hold"), lambda: gate.say("pass")),
            "replica": (lambda: redis.command("REPLICAOF", "127.0.0.1", "1"),
                        lambda: redis.command("REPLICAOF", "NO", "ONE"))}
    for _ in range(count):
        with Load(stage, ledger, ahead=2):
            redis.command("FLUSHALL")
            must_accept(ledger, "after FLUSHALL")
            redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
            redis.command("CONFIG", "SET", "maxmemory", "1")
            must_accept(ledger, "with Redis out of memory")
            time.sleep(0.5)
            redis.command("CONFIG", "SET", "maxmemory", "0")
        for fault, (strike, mend) in ways.items():
            strike()
            must_accept(ledger, f"with Redis out of reach ({fault})")
            wait_for(lambda: degraded(stage, True), 20, "/ready to say that Redis is missing")
            wait_for(lambda: redis_told_right(stage, False), 20, "the metric of Redis to fall")
            must_accept(ledger, f"with Redis out of reach ({fault})")
            wait_for(lambda: queue_told_right(stage), 20, "the metric of the queue to be right")
            mend()
            wait_for(lambda: degraded(stage, False), 20, "/ready to say that Redis is back")
            wait_for(lambda: redis_told_right(stage, True), 20, "the metric of Redis to rise")
    return {"rounds_of_flush_full_refused_held_replica": count}


def outage(stage, ledger, strike, mend, seconds):
    """A submission during it gets 503 with Retry-After, or is accepted; the time to recover."""
    strike()
    ledger.send(ledger.wish())
    time.sleep(seconds)
    mend()
    began = time.monotonic()
    ledger.insist(ledger.wish(), 60)
    return time.monotonic() - began


def lock_jobs(stage, seconds):
    stage.fleet.database.psql().communicate(
        f"BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT;\n")


def answer_at_once(stage, ledger):
    """What asks no database is not held up by one that hangs, nor by requests that do."""
    api, *workers = stage.fleet.members
    asked = [(api, "/api/v1/presets"), (api, "/health"), (api, "/ready")]
    asked += [(worker, "/ready") for worker in workers]
    waiting = [threading.Thread(target=Client(api.port).call, args=("GET", "/api/v1/jobs"))
               for _ in range(20)]
    for thread in waiting:
        thread.start()
    for member, path in asked:
        quickest = 9
        for _ in range(3):
            began = time.monotonic()
            Client(member.port).call("GET", path)
            quickest = min(quickest, time.monotonic() - began)
        if quickest > 0.1:
            ledger.fault(f"{path} of {member.name} took {quickest:.2f} s: the database hangs")
    wait_for(lambda: Client(api.port).call("GET", "/ready").status == 503, 20, "/ready to say so")
    for thread in waiting:
        thread.join()


# Serialization failures as PostgreSQL gives them, at a write or at the commit, for a share of both.
# The sequence counts them: it is not rolled back.
TRIPS = (
    "CREATE SEQUENCE chaos_trips",
    "CREATE TABLE chaos_trip (share real NOT NULL)",
    "INSERT INTO chaos_trip VALUES (0)",
    """CREATE FUNCTION chaos_trip() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF random() < (SELECT share FROM chaos_trip) THEN
        PERFORM nextval('chaos_trips');
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
      END IF;
      RETURN NULL;
    END $$""",
    "CREATE TRIGGER chaos_trip AFTER INSERT OR UPDATE OR DELETE ON tasks FOR EACH ROW "
    "EXECUTE FUNCTION chaos_trip()",
    "CREATE CONSTRAINT TRIGGER chaos_trip AFTER INSERT OR UPDATE ON jobs DEFERRABLE INITIALLY "
    "DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_trip()")
# One table a statement: nobody can meet us in a deadlock.
NO_TRIPS = ("DROP TRIGGER chaos_trip ON tasks", "DROP TRIGGER chaos_trip ON jobs",
            "DROP FUNCTION chaos_trip", "DROP TABLE chaos_trip", "DROP SEQUENCE chaos_trips")
TRIP_SHARE = 0.15


def strike_database(stage, ledger, count):
    """Killed, cut off, silent, slow, locked, serializing badly, in turn. Nobody of the fleet may
    need a new start, and no job pays with an attempt.
    """
    fleet, slowest = stage.fleet, {}
    gates = (fleet.api_gate, fleet.worker_gate)
    starts = [member.starts for member in fleet.members]

    def tell(line):
        for gate in gates:
            gate.say(line)

    locker = []

    def lock():
        locker.append(threading.Thread(target=lock_jobs, args=(stage, 3)))
        locker[-1].start()
        time.sleep(0.2)

    def hold():
        tell("hold")
        answer_at_once(stage, ledger)

    trips = []

    def trip(share):
        fleet.database.sql(f"UPDATE chaos_trip SET share = {share}")
        trips.append(int(fleet.database.sql("SELECT nextval('chaos_trips')")[0][0]))

    ways = {"kill": (fleet.database.kill, fleet.database.start),
            "cut": (lambda: tell("cut"), lambda: None),
            "refuse": (lambda: tell("refuse"), lambda: tell("pass")),
            "hold": (hold, lambda: tell("pass")),
            "delay": (lambda: tell("delay 100"), lambda: tell("pass")),
            "lock": (lock, lambda: locker[-1].join()),
            "trip": (lambda: trip(TRIP_SHARE), lambda: trip(0))}
    for statement in TRIPS:
        fleet.database.sql(statement)
    with Load(stage, ledger, ahead=2):
        for _ in range(count):
            for name, (strike, mend) in ways.items():
                took = outage(stage, ledger, strike, mend, ledger.random.uniform(0.1, 1.2))
                slowest[name] = max(slowest.get(name, 0), round(took, 2))
                time.sleep(0.3)
    for member, before in zip(fleet.members, starts):
        if not member.alive() or member.starts != before:
            ledger.fault(f"{member.name} did not live through it:\n{member.tail()}")
    tripped = sum(after - before - 1 for before, after in zip(trips[::2], trips[1::2]))
    if tripped == 0:
        ledger.fault("no transaction failed to serialize")
    for statement in NO_TRIPS:
        fleet.database.sql(statement)
    return {"rounds_of_kill_cut_refuse_hold_delay_lock_trip": count,
            "serialization_failures": tripped,
            "slowest_recovery_seconds": slowest}


def lose_commits(stage, ledger, count):
    """The connection breaks when the commit is done and its answer is on the way."""
    gate = stage.fleet.commit_gate
    cuts_before = gate.cuts
    for i in range(count):
        wish = ledger.wish()
        gate.arm(wish.key)
        ledger.insist(wish)
        if i >= DRAWN_MAX:
            cancel_beyond(ledger, [wish], 0)
    if gate.cuts - cuts_before != count:
        ledger.fault(f"only {gate.cuts - cuts_before} of {count} commits were cut")
    return {"cuts": gate.cuts - cuts_before, "tries": sum(wish.tries for wish in ledger.wishes)}


def no_faketime():
    return None if glob.glob(FAKETIME) else "libfaketime is not installed (package libfaketime)"


def bend_clocks(stage, ledger, count):
    """API and one worker live at another time than the database, which judges leases."""
    fleet = stage.fleet
    bent = (fleet.api, fleet.workers[0])
    library = glob.glob(FAKETIME)[0]
    try:
        for i in range(count):
            for place, member in enumerate(bent):
                clock = CLOCKS[(i + place * 3) % len(CLOCKS)]
                member.extra = {"LD_PRELOAD": library, "FAKETIME": clock,
                                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
                member.drain()
                member.start()
            ledger.submit(3)
            stage.judge.wait(ledger)
    finally:
        for member in bent:
            member.extra = {}
            if member.alive():
                member.drain()
            member.start()
    return {"clocks": list(CLOCKS[:count])}
