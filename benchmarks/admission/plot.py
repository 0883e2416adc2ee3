"""Draws a committed run of the admission benchmark as SVG: plot.py RUN.jsonl FOLDER

One picture a measure: admission-wait.svg, admission-work.svg, admission-safety.svg and
admission-decision.svg. Standard library only; equal runs make equal bytes.
"""

import json
import math
import pathlib
import sys

WIDTH, LEFT, BAR, GAP, TOP = 760, 190, 22, 8, 56
OURS, OTHER, DARK = "#1f6feb", "#9aa4b2", "#24292f"
NAMES = {"ours": "Pytoon", "oracle": "oracle (true peaks)", "static_lanes": "static lanes, sized",
         "general_slots": "n general slots", "optimistic": "run and retry",
         "one_job": "one job a GPU", "ollama": "Ollama's way"}


def name_of(line):
    return NAMES[line["policy"]] + (" + spill" if line["spill"] else "")


def bars(title, note, rows, logarithmic=False, text="{:g}"):
    """rows: (name, value, highlighted)."""
    high = max([value for _, value, _ in rows] + [1e-9])

    def length(value):
        room = WIDTH - LEFT - 90
        if logarithmic:
            return room * math.log10(1 + value) / math.log10(1 + high)
        return room * value / high

    height = TOP + len(rows) * (BAR + GAP) + 12
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'font-family="sans-serif" font-size="13" fill="{DARK}">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="12" y="22" font-size="16" font-weight="bold">{title}</text>',
           f'<text x="12" y="41" font-size="12" fill="#57606a">{note}</text>']
    for index, (name, value, ours) in enumerate(rows):
        y = TOP + index * (BAR + GAP)
        out.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{name}</text>')
        out.append(f'<rect x="{LEFT}" y="{y}" width="{length(value):.1f}" height="{BAR}" '
                   f'fill="{OURS if ours else OTHER}"/>')
        out.append(f'<text x="{LEFT + length(value) + 6:.1f}" y="{y + 16}">'
                   f'{text.format(value)}</text>')
    return "\n".join(out + ["</svg>", ""])


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
