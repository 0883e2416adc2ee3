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
