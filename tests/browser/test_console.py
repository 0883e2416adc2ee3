"""The console in Debian's Chromium. Skipped, with the reason, where node, chromium or the npm
packages (`npm ci` in this folder) are missing."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness import KEY, Server  # noqa: E402

NODE = shutil.which("node")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
MISSING = [name for name, there in (
    ("node (Debian: nodejs)", NODE), ("chromium (Debian: chromium)", CHROMIUM),
    ("tests/browser/node_modules (npm ci in tests/browser)",
     all((HERE / "node_modules" / name).is_dir()
         for name in ("playwright-core", "axe-core")))) if not there]


@unittest.skipIf(MISSING, "not installed: " + ", ".join(MISSING))
class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment={"WEBHOOKS_ALLOW_PRIVATE": "true"}).start()
        # The same address after a restart: a page stays where it is.
        cls.server.environment["API_PORT"] = str(cls.server.port)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.remove()

    def run_in_browser(self, name, on_word=None):
        command = [NODE, HERE / "console.mjs", f"http://127.0.0.1:{self.server.port}/", KEY,
                   self.server.folder, name, ROOT / "examples/product_front.jpg",
                   ROOT / "examples/evening.mp3"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "CHROMIUM": CHROMIUM}) as process:
            said = []
            for line in process.stdout:
                said.append(line)
                if on_word and line.strip() == on_word[0]:
                    on_word[1]()
            self.assertEqual(process.wait(timeout=300), 0, "".join(said))

    def test_1_whole_way(self):
        self.run_in_browser("wholeWay")

    def test_2_wrong_key_and_faults(self):
        self.run_in_browser("wrongKeyAndFaults")

    def test_3_keyboard_only(self):
        self.run_in_browser("keyboardOnly")

    def test_5_looks_after(self):
        self.run_in_browser("looksAfter")

    def test_7_keys_and_usage(self):
        self.run_in_browser("keysAndUsage")

    def test_8_webhooks(self):
        self.run_in_browser("tellsOfWebhooks")

    def test_4_accessible(self):
        self.run_in_browser("accessible")

    def test_6_events_go_on_after_a_restart(self):
        def restart():
            self.server.kill()
            self.server.start()
        self.run_in_browser("reconnects", ("RESTART", restart))


if __name__ == "__main__":
    unittest.main()
