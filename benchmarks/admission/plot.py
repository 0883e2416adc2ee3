"""Draws a committed run of the admission benchmark as SVG: plot.py RUN.jsonl FOLDER

One picture a measure: admission-wait.svg, admission-work.svg, admission-safety.svg and
admission-decision.svg.
"""

import json
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

from charts import bars  # noqa: E402

NAMES = {"ours": "Pytoon", "oracle": "oracle (true peaks)", "static_lanes": "static lanes, sized",
         "general_slots": "n general slots", "optimistic": "run and retry",
         "one_job": "one job a GPU", "ollama": "Ollama's way"}


def name_of(line):
    return NAMES[line["policy"]] + (" + spill" if line["spill"] else "")


def main():
    run, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    lines = [json.loads(text) for text in run.read_text().splitlines()]
    lines = [line for line in lines if "policy" in line]
    eight = [line for line in lines if (line["gpus"], line["load"]) == (8, .8)]
    seeds = f"8 GPUs, load 0.8, 2 h, seeds {eight[0]['seeds'][0]} to {eight[0]['seeds'][-1]}"

    def rows(key, chosen):
        return [(name_of(line), line[key], line["policy"] == "ours") for line in chosen]

    (folder / "admission-wait.svg").write_text(bars(
        "Wait of a job, 99th percentile, seconds", seeds, rows("wait_p99_s", eight),
        text="{:.0f}"))
    (folder / "admission-work.svg").write_text(bars(
        "Work done, seconds a second and GPU", seeds, rows("throughput", eight), text="{:.3f}"))
    (folder / "admission-safety.svg").write_text(bars(
        "Times that what ran needed more memory than there was", seeds + "; logarithmic",
        rows("over_commitments", eight), logarithmic=True, text="{:.0f}"))
    decisions = [(f"{line['gpus']} GPUs, load {line['load']}", line["decision_us_p99"], True)
                 for line in lines if line["policy"] == "ours" and not line["spill"]]
    (folder / "admission-decision.svg").write_text(bars(
        "A decision, 99th percentile, microseconds of CPU",
        "placement over all cards or a card's choice, whichever is slower; the goal is 20",
        decisions, text="{:.1f}"))


if __name__ == "__main__":
    main()
