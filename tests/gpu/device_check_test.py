#!/usr/bin/env python3
"""The report of scripts/device-check is valid JSON: with every awk at hand, when values are 0, when
they are missing, and when a program's output was cut off.

usage: device_check_test.py SCRIPT
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = ""
DRIVE = """
source "$1" run
work=$2 gpu='NVIDIA "H100"' driver= checks=
note parity ok 'said "so" with a \\ and a	tab' '"seconds": 1'
note nvenc 'not run' ''
write_report
"""


def awks():
    """(name, folder that has it as awk)."""
    for name in ("mawk", "gawk", "original-awk", "busybox"):
        program = shutil.which(name)
        if program is None:
            continue
        folder = tempfile.mkdtemp()
        awk = pathlib.Path(folder) / "awk"
        awk.write_text(f'#!/bin/sh\nexec {program} {"awk" if name == "busybox" else ""} "$@"\n')
        awk.chmod(0o755)
        yield name, folder


class Report(unittest.TestCase):
    def report(self, files):
        """The parsed report of each awk over a folder with these files."""
        found = list(awks())
        self.assertTrue(found, "no awk on this machine")
        for name, folder in found:
            with self.subTest(awk=name), tempfile.TemporaryDirectory() as work:
                for file, text in {"doctor.out": "ok\tcpu\n", **files}.items():
                    (pathlib.Path(work) / file).write_text(text)
                run = subprocess.run(
                    ["bash", "-c", DRIVE, "test", SCRIPT, work], capture_output=True, text=True,
                    env={**os.environ, "PATH": folder + ":" + os.environ["PATH"]})
                self.assertEqual(run.returncode, 0, run.stderr)
                yield json.loads(run.stdout)
            shutil.rmtree(folder)

    def test_a_worst_error_of_zero_is_a_number(self):
        parity = '"worst_mean": "0.000000",\n"worst_max": "0"\n"worst_max": "3"\n"worst_max": "1"\n'
        for report in self.report({"parity.json": parity}):
            self.assertEqual(report["parity"], {"worst_mean": 0, "worst_max": 3})
        for report in self.report({"parity.json": '"worst_max": "0"\n'}):
            self.assertEqual(report["parity"], {"worst_max": 0})

    def test_what_is_missing_is_null_or_empty(self):
        for report in self.report({}):
            self.assertEqual(report["parity"], {})
            self.assertIsNone(report["benchmark"])
            self.assertIsNone(report["neighbour"])
            self.assertEqual(report["gpu"], 'NVIDIA "H100"')
            self.assertEqual([c["status"] for c in report["checks"]], ["ok", "not run"])

    def test_a_program_that_was_cut_off_leaves_null(self):
        files = {"benchmark.out": '{"scenes": [\n',
                 "hero.json": '{\n "composed_per_s": 41000.5\n}\n'}
        for report in self.report(files):
            self.assertIsNone(report["benchmark"])
            self.assertEqual(report["hero"], {"composed_per_s": 41000.5})


class Rows(unittest.TestCase):
    def run_check(self, *arguments):
        return subprocess.run(["bash", SCRIPT, "run", tempfile.gettempdir() + "/no-pack-is-here",
                               *arguments], capture_output=True, text=True, check=False)

    def wanted(self, rows, name):
        words = f'rows={rows}; wanted {name}'
        return subprocess.run(["bash", "-c", f'source "$1" run; {words}', "test", SCRIPT],
                              check=False).returncode == 0

    def test_the_rows_asked_for_are_wanted(self):
        self.assertTrue(self.wanted("", "cost"))
        self.assertTrue(self.wanted("cost,tenants", "tenants"))
        self.assertFalse(self.wanted("cost,tenants", "neighbour"))

    def test_a_beginning_means_all_rows_of_it(self):
        self.assertTrue(self.wanted("full_card", "full_card_midway"))
        self.assertFalse(self.wanted("full_c", "full_card_midway"))

    def test_a_row_that_is_not_there_is_refused(self):
        run = self.run_check("--rows", "cost,tenant")
        self.assertEqual(run.returncode, 1)
        self.assertIn("there is no row tenant", run.stderr)

    def test_rows_that_are_there_come_as_far_as_the_pack(self):
        run = self.run_check("--rows", "cost,full_card", "--seconds", "20")
        self.assertIn("holds no pack", run.stderr)


class Videos(unittest.TestCase):
    ALONE = "ready\na cuda 11\nb cuda 22\nb cpu 33\n"

    def same(self, beside):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("alone", self.ALONE), ("beside", beside)):
                (pathlib.Path(folder) / name).write_text(text)
            run = subprocess.run(
                ["bash", "-c", 'source "$1" run; same_videos "$2/alone" "$2/beside"', "test",
                 SCRIPT, folder], capture_output=True, text=True, check=False)
            return run.returncode == 0

    def test_the_same_by_each_device_is_the_same(self):
        self.assertTrue(self.same("ready\na cuda 11\nb cpu 33\nb cuda 22\n"))

    def test_another_video_is_not(self):
        self.assertFalse(self.same("ready\na cuda 11\nb cuda 33\n"))

    def test_none_or_one_that_was_never_made_alone_is_not(self):
        self.assertFalse(self.same("ready\n"))
        self.assertFalse(self.same("a cpu 11\n"))


class Numbers(unittest.TestCase):
    def holds(self, words):
        return subprocess.run(["bash", "-c", f'source "$1" run; {words}', "test", SCRIPT],
                              check=False).returncode == 0

    def test_at_least(self):
        self.assertTrue(self.holds("at_least 40000.1 40000"))
        self.assertFalse(self.holds("at_least 39999.9 40000"))
        self.assertFalse(self.holds("at_least '' 40000"))


if __name__ == "__main__":
    SCRIPT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
