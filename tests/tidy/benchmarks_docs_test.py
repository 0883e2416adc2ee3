#!/usr/bin/env python3
"""docs/benchmarks.md and its pictures are what `scripts/dev bench docs` makes of the history; it
tells what is missed."""

import json
import os
import pathlib
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(os.path.abspath(__file__)).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

import docs  # noqa: E402


def made(lines):
    """(page, pictures) of a history with these lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, line in enumerate(lines):
            (folder / f"2026-01-{number + 1:02}-a.jsonl").write_text(json.dumps(line) + "\n")
        return docs.page(docs.History(folder))


def length(seconds, **more):
    return {"benchmark": "scaling", "what": "length", "seconds": seconds, "wall_s": seconds / 2,
            "cpu_s": seconds, "peak_mib": 380, "assembly_ms": 150,
            "wall_ratio_to_15_s": seconds / 15,
            "cpu_ratio_to_15_s": seconds / 15, "peak_ratio_to_15_s": 1, "commit": "abc1234",
            "cpu": "a cpu", "cores": 2, "load": 0.5, **more}


class BenchmarksPage(unittest.TestCase):
    def test_is_made_of_the_history(self):
        page, pictures = docs.page(docs.History(docs.HISTORY))
        told = "scripts/dev bench docs"
        self.assertEqual((ROOT / "docs/benchmarks.md").read_text("utf-8"), page, told)
        there = {file.stem for file in (ROOT / "docs/images").glob("bench-*.svg")}
        self.assertEqual(there, set(pictures), told)
        for name, drawn in pictures.items():
            self.assertEqual((ROOT / f"docs/images/{name}.svg").read_text("utf-8"), drawn, told)
            xml.etree.ElementTree.fromstring(drawn)

    def test_the_newest_line_counts(self):
        page, _ = made([length(15), length(60, wall_ratio_to_15_s=5.0),
                        length(60, wall_ratio_to_15_s=4.0)])
        self.assertRegex(page, r"60 s job over a 15 s one \| <= 4.05 \| 4 \| met \| "
                               r"`2026-01-03-a.jsonl`, abc1234, load 0.5")

    def test_what_is_missed_is_told_with_what_would_close_it(self):
        page, _ = made([length(15), length(60, assembly_ms=250)])
        self.assertRegex(page, r"assembly of 60 s \| <= 200 ms \| 250 ms \| \*\*missed\*\*")
        self.assertIn("\n- assembly of 60 s: ", page)
        self.assertNotIn("\n- 60 s job over", page)

    def test_what_was_never_measured_is_said(self):
        page, pictures = made([])
        self.assertEqual(pictures, {})
        self.assertNotIn("| met |", page)
        self.assertIn("Not measured yet.", page)

    def test_no_number_of_a_result_stands_in_the_program(self):
        source = (ROOT / "benchmarks/docs.py").read_text("utf-8")
        self.assertEqual(re.findall(r"\d+ %", source), [])


if __name__ == "__main__":
    unittest.main()
