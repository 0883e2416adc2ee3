#!/usr/bin/env python3
"""What `cmake --install` and the .deb bring, as far as reading goes: units, manual page, completion
and maintainer scripts against the program. `scripts/dev package` installs and runs them."""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = {"pytoon": "serve", "pytoon-api": "api", "pytoon-worker@": "worker"}
HIDDEN = {"inspect"}  # for a server to ask of its child


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def unit(name):
    whole = text(f"packaging/systemd/{name}.service.in")
    return whole.replace("@hardening@", text("packaging/systemd/hardening.conf.in"))


def values(name, key):
    return re.findall(rf"^{key}=(.*)$", unit(name), re.M)


def commands():
    """Of the program itself, and those of `pytoon jobs`."""
    whole = text("server/main.cpp")
    root = set(re.findall(r'add\(root, "(\w+)"', whole)) | set(
        re.findall(r'root\.add_subcommand\("(\w+)"', whole))
    return root - HIDDEN, set(re.findall(r'add(?:_\w+)?\(\*jobs, [^"]*"(\w+)"', whole))


class Units(unittest.TestCase):
    def test_each_starts_what_it_is_named_for(self):
        for name, command in UNITS.items():
            self.assertEqual(values(name, "ExecStart"), [f"@prefix@/bin/pytoon {command}"])

    def test_settings_are_ones_that_the_program_reads(self):
        known = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text(".env.example"), re.M))
        named = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text("packaging/pytoon.env.example"),
                               re.M))
        for name in UNITS:
            named |= {v.split("=")[0] for v in values(name, "Environment")}
        self.assertEqual(named - known, set())

    def test_there_is_time_to_leave(self):
        longest = int(re.search(r"kLongestStop\{(\d+)\}", text("server/app/serving.cpp"))[1])
        for name in UNITS:
            self.assertGreater(int(values(name, "TimeoutStopSec")[0]), longest)

    def test_what_is_written_may_be(self):
        for name in UNITS:
            for variable, folder in (("STORAGE_ROOT", "/var/lib/pytoon/"),
                                     ("PYTOON_CACHE_DIR", "/var/cache/pytoon")):
                (value,) = [v.split("=")[1] for v in values(name, "Environment")
                            if v.startswith(variable + "=")]
                self.assertTrue(value.startswith(folder), name)
            self.assertEqual(values(name, "StateDirectory"), ["pytoon"])
            self.assertEqual(values(name, "CacheDirectory"), ["pytoon"])

    def test_rights(self):
        for name in UNITS:
            for key, value in (("User", "pytoon"), ("NoNewPrivileges", "yes"),
                               ("ProtectSystem", "strict"), ("PrivateTmp", "yes"),
                               ("CapabilityBoundingSet", ""), ("DevicePolicy", "closed")):
                self.assertEqual(values(name, key), [value], name)
            self.assertIn("@system-service", values(name, "SystemCallFilter")[0])

    def test_a_wrong_setting_is_no_reason_to_start_again(self):
        wrong = re.search(r"int complain.*?return (\d+);", text("server/main.cpp"), re.S)[1]
        for name in UNITS:
            self.assertEqual(values(name, "RestartPreventExitStatus"), [wrong])
            self.assertEqual(values(name, "Restart"), ["on-failure"])


class Words(unittest.TestCase):
    def test_every_command_is_in_the_manual_and_completed(self):
        root, jobs = commands()
        self.assertLessEqual({"serve", "doctor", "jobs"}, root)
        self.assertLessEqual({"list", "fail", "retry"}, jobs)
        manual, completion = text("packaging/pytoon.1"), text("packaging/pytoon.bash")
        offered = re.findall(r'words="([a-z ]+)"', completion)
        self.assertEqual(set(offered[0].split()), root)
        self.assertEqual(set(offered[1].split()), jobs)
        for command in root | jobs:
            self.assertRegex(manual, rf"\b{command}\b")

    @unittest.skipUnless(shutil.which("man"), "no man here")
    def test_the_manual_page_is_well_formed(self):
        done = subprocess.run(["man", "--warnings", "-l", os.path.join(ROOT, "packaging/pytoon.1")],
                              capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_completion_completes(self):
        path = os.path.join(ROOT, "packaging/pytoon.bash")
        for typed, expected in (("pytoon ba", "backup"), ("pytoon jobs ret", "retry"),
                                ("pytoon restore --f", "--force")):
            words = typed.split()
            script = (f"source {path}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
                      "_pytoon; echo ${COMPREPLY[@]}")
            told = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                  check=True).stdout.strip()
            self.assertEqual(told, expected)


class Maintainers(unittest.TestCase):
    def test_scripts_are_sound(self):
        for name in ("postinst", "prerm", "postrm"):
            path = os.path.join(ROOT, "packaging/debian", name)
            self.assertTrue(os.access(path, os.X_OK), name)
            subprocess.run(["sh", "-n", path], check=True)
            self.assertIn("\nset -e\n", text(f"packaging/debian/{name}"))

    def test_what_people_made_is_never_removed(self):
        self.assertNotRegex(text("packaging/debian/postrm"), r"rm -r\S* [^\n]*/var/lib/pytoon")


if __name__ == "__main__":
    unittest.main()
