"""Clients that well-known generators make of openapi.json: they run the README's example.
Skipped, with the reason, where node, the npm packages (`npm ci` in this folder) or, for Python,
java and the runtime's Debian packages are missing.
"""

import json
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
JAVA = shutil.which("java")
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
MODULES = HERE / "node_modules"
GENERATOR = MODULES / "@openapitools/openapi-generator-cli/bin/openapi-generator.jar"
CONVERTER = MODULES / "@apiture/openapi-down-convert/lib/src/cli.js"


def missing(*needs):
    return [name for name, there in needs if not there]


def has_modules(*names):
    return subprocess.run([PYTHON, "-c", "import " + ", ".join(names)], check=False,
                          capture_output=True).returncode == 0


NODE_NEEDS = (("node (Debian: nodejs)", NODE),
              ("tests/clients/node_modules (npm ci in tests/clients)", GENERATOR.is_file()))
NO_TYPESCRIPT = missing(*NODE_NEEDS)
NO_PYTHON = missing(*NODE_NEEDS, ("java (Debian: default-jre-headless)", JAVA),
                    ("python3-urllib3, python3-dateutil, python3-six and python3-certifi",
                     has_modules("urllib3", "dateutil", "six", "certifi")))


class ClientCase(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.remove()

    def setUp(self):
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.folder = self.server.folder / self.id()
        self.folder.mkdir()

    def run_words(self, *words):
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True,
                              check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


@unittest.skipIf(NO_TYPESCRIPT, "not installed: " + ", ".join(NO_TYPESCRIPT))
class TypeScript(ClientCase):
    def test_a_generated_client_makes_the_readmes_video(self):
        (self.folder / "node_modules").symlink_to(MODULES)
        (self.folder / "package.json").write_text('{"type": "module"}')
        shutil.copy(HERE / "example.ts", self.folder)
        # What has a default may be left out of a request.
        self.run_words(NODE, MODULES / "openapi-typescript/bin/cli.js",
                       f"{self.url}/openapi.json", "-o", "api.ts",
                       "--default-non-nullable=false")
        self.run_words(NODE, MODULES / "typescript/bin/tsc", "--strict", "--module", "nodenext",
                       "--target", "es2022", "--skipLibCheck", "example.ts")
        said = self.run_words(NODE, "example.js", self.url, KEY, ROOT / "examples/coffee.jpg",
                              "video.mp4")
        self.assertEqual(said.strip(), "/target_duration_seconds")
        self.assert_contract((self.folder / "video.mp4").read_bytes(), 1)


def as_openapi_3_0(node):
    """What the converter leaves of OpenAPI 3.1: null among values, a summary of the whole."""
    if isinstance(node, list):
        for item in node:
            as_openapi_3_0(item)
    elif isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            node["enum"] = [value for value in node["enum"] if value is not None]
        either = node.get("anyOf", [])
        if {"type": "null"} in either:
            del node["anyOf"]
            node["allOf"] = [one for one in either if one != {"type": "null"}]
            node["nullable"] = True
        for value in node.values():
            as_openapi_3_0(value)


@unittest.skipIf(NO_PYTHON, "not installed: " + ", ".join(NO_PYTHON))
class Python(ClientCase):
    def test_a_generated_client_makes_the_readmes_video(self):
        answer = self.server.call("GET", "/openapi.json")
        (self.folder / "openapi.json").write_bytes(answer.body)
        self.run_words(NODE, CONVERTER, "-i", "openapi.json", "-o", "openapi-3.0.json")
        document = json.loads((self.folder / "openapi-3.0.json").read_text())
        del document["info"]["summary"]
        as_openapi_3_0(document)
        (self.folder / "openapi-3.0.json").write_text(json.dumps(document))
        said = self.run_words(JAVA, "-jar", GENERATOR, "validate", "-i", "openapi-3.0.json")
        self.assertIn("No validation issues detected", said)
        self.run_words(JAVA, "-jar", GENERATOR, "generate", "-g", "python", "-i",
                       "openapi-3.0.json", "-o", ".", "--package-name", "pytoon_client")
        shutil.copy(HERE / "example.py", self.folder)
        said = self.run_words(PYTHON, "example.py", self.url, KEY, ROOT / "examples/coffee.jpg",
                              "video.mp4")
        self.assertEqual(said.split("\n")[:2], ["client: True", "server: 422 /image_uris/0"])
        self.assert_contract((self.folder / "video.mp4").read_bytes(), 1)


if __name__ == "__main__":
    unittest.main()
