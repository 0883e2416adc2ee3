"""Clients that well-known generators make of openapi.json: they run the README's example.
Skipped, with the reason, where node or the npm packages (`npm ci` in this folder) are missing.
"""

import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness import KEY, Server, VideoCase  # noqa: E402

NODE = shutil.which("node")
MODULES = HERE / "node_modules"
MISSING = [name for name, there in (
    ("node (Debian: nodejs)", NODE),
    ("tests/clients/node_modules (npm ci in tests/clients)",
     (MODULES / "openapi-typescript").is_dir())) if not there]


@unittest.skipIf(MISSING, "not installed: " + ", ".join(MISSING))
class TypeScript(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.remove()

    def node(self, *words):
        done = subprocess.run([NODE, *words], cwd=self.folder, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_generated_client_makes_the_readmes_video(self):
        self.folder = self.server.folder / "client"
        self.folder.mkdir()
        (self.folder / "node_modules").symlink_to(MODULES)
        (self.folder / "package.json").write_text('{"type": "module"}')
        shutil.copy(HERE / "example.ts", self.folder)
        url = f"http://127.0.0.1:{self.server.port}"
        # What has a default may be left out of a request.
        self.node(MODULES / "openapi-typescript/bin/cli.js", f"{url}/openapi.json", "-o", "api.ts",
                  "--default-non-nullable=false")
        self.node(MODULES / "typescript/bin/tsc", "--strict", "--module", "nodenext", "--target",
                  "es2022", "--skipLibCheck", "example.ts")
        said = self.node("example.js", url, KEY, ROOT / "examples/coffee.jpg", "video.mp4")
        self.assertEqual(said.strip(), "/target_duration_seconds")
        self.assert_contract((self.folder / "video.mp4").read_bytes(), 1)


if __name__ == "__main__":
    unittest.main()
