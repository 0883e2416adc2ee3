#!/usr/bin/env python3
"""The chaos battery: real processes, a real PostgreSQL, a real Redis, and faults between and under
them. One row is one kind of trouble; after each, every accepted job must be there once, ended, and
have the bytes of the undisturbed run.

usage: chaos.py --binary PYTOON --tcp-gate TCP_GATE [--fake-nvml LIBRARY]
                [--tier pr|nightly|once] [--rows A1,A3] [--count N] [--seed N] [--report FILE]
                [--list] [--keep] [--mutation NAME]

--mutation takes a safety out, by a trigger in the run's own database, to see that a row goes red
(mutations.py; which rows do is in README.md).

--count replaces the tier's number in every row chosen. The report is one JSON: commit, seed,
machine, numbers of each row. A row that did not run reads "not run", with the reason. The same
seed gives the same choices; the machine's timing stays its own. Exit status 1 when a row failed.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import subprocess
import sys
import time
import traceback

from mutations import MUTATIONS

HERE = pathlib.Path(__file__).resolve().parent


def read_arguments():
    parser = argparse.ArgumentParser(description="The chaos battery.", prog="chaos")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tcp-gate", required=True)
    parser.add_argument("--fake-nvml", help="libnvidia-ml.so.1 of tests/gpu/nvml; rows G need it")
    parser.add_argument("--tier", choices=("pr", "nightly", "once"), default="pr")
    parser.add_argument("--rows", default="")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS))
    parser.add_argument("--keep", action="store_true", help="leave folders and logs")
    return parser.parse_args()


def machine():
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":", 1)[1].strip() for line in file
                          if line.startswith("model name")), "")
    except OSError:
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "cpu": model, "memory_gib": round(memory / 2**30),
            "kernel": platform.release().split("-")[0], "load_before": round(os.getloadavg()[0], 1)}


def commit():
    def git(*words):
        done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=HERE)
        return done.stdout.strip() if done.returncode == 0 else ""
    return {"commit": git("rev-parse", "HEAD"), "modified": bool(git("status", "--porcelain"))}


def summary(seconds):
    """Of latencies, in milliseconds: recorded, never judged."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = lambda share: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))])
    return {"n": len(ordered), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


def run_row(stage, row, count, seed):
    from client import Ledger, Observer
    ledger = Ledger(stage.fleet, stage.kinds, random.Random(f"{seed}-{row.name}"), row.name)
    print(f"{row.name} {row.about}: {count} ...", flush=True)
    began = time.monotonic()
    jobs_before = int(stage.fleet.database.sql("SELECT count(*) FROM jobs")[0][0])
    observer = Observer(stage.fleet)
    noted = {}
    counts = {}
    try:
        noted = row.run(stage, ledger, count) or {}
        stage.fleet.heal()
        for wish in ledger.wishes:
            if not wish.job_id:
                ledger.insist(wish)
        stage.judge.wait(ledger)
        stage.fleet.renew_workers()
        counts = stage.judge.check(ledger, jobs_before, row.attempts_max)
    except Exception:  # a row that breaks is a row that failed; the others go on
        ledger.fault(traceback.format_exc())
        try:
            stage.fleet.heal()
        except Exception:
            ledger.fault(traceback.format_exc())
    observer.stop()
    faults = ledger.faults + observer.faults
    took = time.monotonic() - began
    print(f"{row.name} {'passed' if not faults else 'FAILED: ' + faults[0]}"
          f" {counts} in {took:.0f} s", flush=True)
    return {"row": row.name, "about": row.about, "n": count,
            "outcome": "failed" if faults else "passed", "faults": len(faults),
            "first_fault": faults[0] if faults else None, "seconds": round(took, 1),
            "jobs": counts, "refusals": {str(k): v for k, v in ledger.refusals.items()},
            "submit": summary(ledger.submit_seconds), "looks": observer.looks, **noted}


class Stage:
    """What a row is played on."""

    def __init__(self, fleet, kinds, judge):
        self.fleet, self.kinds, self.judge = fleet, kinds, judge


def chosen_rows(arguments, table):
    names = [name for name in arguments.rows.split(",") if name]
    unknown = set(names) - {row.name for row in table}
    if unknown:
        sys.exit(f"chaos: no such row: {', '.join(sorted(unknown))}")
    return [row for row in table if not names or row.name in names]


def play(arguments, rows, seed):
    from client import Judge, three_kinds
    from fleet import Fleet
    fleet = Fleet(arguments.tcp_gate)
    results = []
    try:
        fleet.start()
        stage = Stage(fleet, three_kinds(fleet), Judge(fleet))
        if any(row.compares for row in rows):
            stage.judge.learn(stage.kinds)
        for statement in MUTATIONS.get(arguments.mutation, ()):
            fleet.database.sql(statement)
        for row in rows:
            count = arguments.count or row.count(arguments.tier)
            if count == 0:  # too long for this tier
                continue
            reason = row.unable() if row.unable else None
            if reason:
                print(f"{row.name} not run: {reason}", flush=True)
                results.append({"row": row.name, "about": row.about, "n": 0, "outcome": "not run",
                                "reason": reason})
                continue
            results.append(run_row(stage, row, count, seed))
    finally:
        failed = any(result["outcome"] == "failed" for result in results)
        fleet.close(keep=arguments.keep or failed)
        if arguments.keep or failed:
            print(f"left for a look: {fleet.folder}", flush=True)
    return results


def main():
    arguments = read_arguments()
    os.environ["PYTOON_BINARY"] = os.path.abspath(arguments.binary)
    if arguments.fake_nvml:
        os.environ["PYTOON_FAKE_NVML_LIBRARY"] = os.path.abspath(arguments.fake_nvml)
    arguments.tcp_gate = os.path.abspath(arguments.tcp_gate)
    sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
    from rows import TABLE
    rows = chosen_rows(arguments, TABLE)
    if arguments.list:
        for row in rows:
            print(f"{row.name:4} pr {row.pr:4} nightly {row.nightly:5} once {row.once:5}"
                  f"  {row.about}")
        return 0
    report = {**commit(), "tier": arguments.tier, "seed": arguments.seed,
              "mutation": arguments.mutation, "machine": machine(),
              "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    began = time.monotonic()
    report["rows"] = play(arguments, rows, arguments.seed)
    ran = {result["row"] for result in report["rows"]}
    report["rows"] += [{"row": row.name, "about": row.about, "n": 0, "outcome": "not run",
                        "reason": "not asked for"} for row in TABLE if row.name not in ran]
    report["seconds"] = round(time.monotonic() - began, 1)
    if arguments.report:
        pathlib.Path(arguments.report).write_text(json.dumps(report, indent=1) + "\n")
    failed = [result["row"] for result in report["rows"] if result["outcome"] == "failed"]
    print(f"chaos: seed {arguments.seed}, {len(ran)} rows, failed: {', '.join(failed) or 'none'},"
          f" {report['seconds']:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
