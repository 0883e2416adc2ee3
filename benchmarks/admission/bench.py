"""Admission control against what others do, in simulated hours; prints one JSON line a result.

Usage: bench.py PYTOON ADMISSION_TOOL [--quick] [--seeds A-B] [--processes N]
Each line is the mean over seeds of one policy at one size and load; a last line says which goals
were met and by how much, and the exit status is 1 when one was not. Simulated time does not depend
on the machine; decision_us_* are CPU time of the deciding thread, and machine_load is said.
Seeds 1 to 28 and 101 to 108 were looked at while the policy was made: the default ones were not.
"""

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
USD_PER_S = .002
ALL = ["ours", "oracle", "static_lanes", "general_slots", "optimistic", "one_job", "ollama",
       "ours spill", "oracle spill", "static_lanes spill", "optimistic spill"]
# gpus, load, seconds, policies, the most seeds
SUITE = [(8, .8, 7200, ALL, 99), (8, .95, 7200, ["ours", "oracle", "static_lanes",
                                                 "general_slots"], 99),
         (8, .5, 7200, ["ours", "oracle", "static_lanes", "general_slots"], 99),
         (1, .8, 21600, ALL, 99), (1, .95, 21600, ["ours", "oracle", "static_lanes"], 99),
         (1000, .8, 480, ALL, 2)]
QUICK = [(8, .8, 1800, ALL, 2), (1, .8, 3600, ["ours", "oracle", "static_lanes"], 2),
         (1000, .8, 60, ["ours", "oracle"], 1)]
SUMS = ["over_commitments", "over_commitments_foreign", "violations_ours", "violations_foreign",
        "headroom_uses", "overshoots", "oom", "lost", "never", "starved", "restarts",
        "generations"]
MEANS = ["throughput", "local_throughput", "wait_p50_s", "wait_p99_s", "generation_wait_p99_s",
         "segment_wait_p99_s", "reloads", "frees", "reservations", "spilled", "api_spend"]
LARGEST = ["wait_max_s", "generation_wait_max_s", "decision_us_p50", "decision_us_p99",
           "place_us_p99"]


def make_trace(folder, seed, gpus, load, seconds):
    path = folder / f"{gpus}-{load}-{seed}.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        subprocess.run([sys.executable, HERE / "traces.py", "--seed", str(seed), "--gpus",
                        str(gpus), "--load", str(load), "--seconds", str(seconds)],
                       stdout=out, check=True)
    return path


def play(tool, trace, policy):
    done = subprocess.run([tool, trace, *policy.split()], capture_output=True, check=True)
    return json.loads(done.stdout)


def merged(policy, rows):
    line = {"benchmark": "admission", "policy": policy.split()[0], "gpus": rows[0]["gpus"],
            "load": rows[0]["load"], "spill": "spill" in policy, "usd_per_s": USD_PER_S,
            "seeds": [row["seed"] for row in rows]}
    line.update({key: sum(row[key] for row in rows) for key in SUMS})
    line.update({key: round(statistics.mean(row[key] for row in rows), 4) for key in MEANS})
    line.update({key: max(row[key] for row in rows) for key in LARGEST})
    line["machine_load"] = round(os.getloadavg()[0], 1)
    return line


def run_suite(tool, suite, seeds, processes):
    lines = []
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name, \
            ThreadPoolExecutor(processes) as pool:
        for gpus, load, seconds, policies, most in suite:
            traces = list(pool.map(lambda seed: make_trace(pathlib.Path(name), seed, gpus, load,
                                                           seconds), seeds[:most]))
            work = [(policy, trace) for policy in policies for trace in traces]
            rows = collections.defaultdict(list)
            for (policy, _), row in zip(work, pool.map(lambda w: play(tool, w[1], w[0]), work)):
                rows[policy].append(row)
            made = {policy: merged(policy, rows[policy]) for policy in policies}
            for policy, line in made.items():
                oracle = made.get("oracle spill" if line["spill"] else "oracle")
                line["oracle_ratio"] = round(line["throughput"] / oracle["throughput"], 4)
                print(json.dumps(line), flush=True)
                lines.append(line)
            for trace in traces:
                trace.unlink()
    return lines


def goals(lines):
    """(goal, measured, wanted, met) of issue 11."""
    found = {(line["policy"], line["gpus"], line["load"], line["spill"]): line for line in lines}

    def get(policy, load, spill, key, gpus=8):
        line = found.get((policy, gpus, load, spill))
        return line[key] if line else None

    ours = [line for line in lines if line["policy"] == "ours"]
    asked = [
        ("violations of ours, all runs", sum(line["violations_ours"] for line in ours), "<= 0"),
        ("tasks that starved, all runs", sum(line["starved"] for line in ours), "<= 0"),
        ("tasks lost, all runs", sum(line["lost"] for line in ours), "<= 0"),
        ("share of the oracle's work, load 0.8", get("ours", .8, False, "oracle_ratio"),
         ">= 0.98"),
        ("share of the oracle's work, load 0.95", get("ours", .95, False, "oracle_ratio"),
         ">= 0.97")]
    for what, other, spill, wanted in (
            ("p99 wait / general slots, no spill", "general_slots", False, "<= 0.25"),
            ("p99 wait with spill / static lanes without", "static_lanes", True, "<= 0.35")):
        mine, theirs = get("ours", .8, spill, "wait_p99_s"), get(other, .8, False, "wait_p99_s")
        asked.append((what, round(mine / theirs, 3) if mine and theirs else None, wanted))
    asked.append(("decision at 1,000 GPUs, p99 us of CPU",
                  get("ours", .8, False, "decision_us_p99", 1000), "<= 20"))
    judged = []
    for what, value, wanted in asked:
        sign, bound = wanted.split()
        met = None if value is None else (
            value <= float(bound) if sign == "<=" else value >= float(bound))
        judged.append({"goal": what, "measured": value, "wanted": wanted, "met": met})
    return judged


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pytoon")
    parser.add_argument("tool")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", default="201-208")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    first, last = (int(part) for part in options.seeds.split("-"))
    lines = run_suite(options.tool, QUICK if options.quick else SUITE,
                      list(range(first, last + 1)), options.processes)
    judged = goals(lines)
    print(json.dumps({"benchmark": "admission", "goals": judged}))
    return 0 if options.quick or all(goal["met"] for goal in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
