"""`pytoon render` and the small commands, as a person at a terminal sees them."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from harness import BINARY, ROOT, VideoCase, picture


def pytoon(*arguments, **options):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                          timeout=600, **options)


class CommandLine(VideoCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pytoon-cli-")
        self.path = pathlib.Path(self.folder.name)
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name,
                            "PYTOON_CONFIG_DIR": str(ROOT / "config")}

    def tearDown(self):
        self.folder.cleanup()

    def run_here(self, *arguments):
        return pytoon(*arguments, cwd=self.path, env=self.environment)

    def write(self, request):
        (self.path / "request.json").write_text(json.dumps(request))

    def test_help_everywhere(self):
        for command in ([], ["serve"], ["render"], ["doctor"], ["presets"], ["version"]):
            answer = pytoon(*command, "--help")
            self.assertEqual(answer.returncode, 0, command)
            self.assertIn("Usage", answer.stdout)

    def test_version_and_presets(self):
        self.assertRegex(pytoon("version").stdout, r"^pytoon \d+\.\d+\.\d+")
        presets = self.run_here("presets")
        self.assertIn("brand_safe_minimal", presets.stdout)

    def test_config_says_what_holds_and_why(self):
        self.assertEqual(self.run_here("config", "check").returncode, 0)
        self.environment["API_KEY"] = "of the environment"
        (self.path / ".env").write_text("API_KEY=of the file\nDB_URL=postgresql://u:word@h/x\n")
        answer = self.run_here("config", "show", "--json")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        found = {s["name"]: s for s in json.loads(answer.stdout)["settings"]}
        self.assertEqual((found["API_KEY"]["value"], found["API_KEY"]["source"]),
                         ("***", "environment"))
        self.assertEqual((found["DB_URL"]["value"], found["DB_URL"]["source"]),
                         ("postgresql://u:***@h/x", ".env"))
        self.assertEqual((found["API_PORT"]["value"], found["API_PORT"]["source"]),
                         ("8080", "default"))
        days = found["RETENTION_FAILED_JOBS_DAYS"]
        self.assertEqual((days["value"], days["source"]),
                         ("14", "defaults.yaml: retention.failed_jobs_days"))
        self.assertNotIn("of the", answer.stdout)
        self.environment["LEASE_SECONDS"] = "1"
        answer = self.run_here("config", "check")
        self.assertEqual(answer.returncode, 2)
        self.assertEqual(answer.stderr,
                         "pytoon: LEASE_SECONDS must be a whole number from 2 to 3600\n")

    def test_config_check_reads_the_keys(self):
        (self.path / "keys").write_text("key-0123456789abcdef acme submit\nshort\n")
        self.environment["API_KEYS_FILE"] = "keys"
        answer = self.run_here("config", "check")
        self.assertEqual(answer.returncode, 2)
        self.assertEqual(answer.stderr, "pytoon: API keys, line 2: it must be 'key tenant "
                                        "scope[,scope] [plan]'\n")

    def test_render_without_a_server(self):
        (self.path / "a.png").write_bytes(picture(10))
        self.write({"preset_id": "overlay_classic", "image_uris": ["a.png"], "seed": 1,
                    "target_duration_seconds": 2, "captions": {"hook": "Hello"}})
        answer = self.run_here("render", "request.json", "--out", "out")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assert_contract((self.path / "out" / "output.mp4").read_bytes(), 2)
        names = sorted(p.name for p in (self.path / "out").iterdir())
        self.assertEqual(names, ["metadata.json", "output.mp4", "segments", "thumbnail.jpg"])

    # --out is all it needs: no folder of its own beside it, none that can be written to either.
    def test_render_needs_only_its_out_folder(self):
        (self.path / "a.png").write_bytes(picture(10))
        self.write({"preset_id": "overlay_classic", "image_uris": ["a.png"], "seed": 1,
                    "target_duration_seconds": 1})
        for home in (str(self.path / "home"), "/proc/none"):
            self.environment["HOME"] = home
            answer = pytoon("render", str(self.path / "request.json"), "--out",
                            str(self.path / "out"), cwd="/proc", env=self.environment)
            self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual(self.run_here("render", "request.json", "--out", "out").returncode, 0)
        self.assertFalse((self.path / "data").exists())

    def test_two_renders_into_one_folder_at_once(self):
        (self.path / "a.png").write_bytes(picture(10))
        self.write({"preset_id": "overlay_classic", "image_uris": ["a.png"], "seed": 1,
                    "target_duration_seconds": 2})
        command = [BINARY, "render", "request.json", "--out", "out"]
        both = [subprocess.Popen(command, cwd=self.path, env=self.environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for _ in range(2)]
        for one in both:
            _, complaint = one.communicate(timeout=600)
            self.assertEqual(one.returncode, 0, complaint)
        self.assert_contract((self.path / "out" / "output.mp4").read_bytes(), 2)
        names = sorted(p.name for p in (self.path / "out").iterdir())
        self.assertEqual(names, ["metadata.json", "output.mp4", "segments", "thumbnail.jpg"])

    def test_wrong_usage_is_status_2(self):
        for command in (["nonsense"], [], ["render"], ["jobs", "nonsense"], ["serve", "--flag"]):
            self.assertEqual(pytoon(*command).returncode, 2, command)
        self.assertIn("Did you mean 'render'?", pytoon("rendr").stderr)
        self.assertIn("Did you mean 'cancel'?", pytoon("jobs", "cancle", "x").stderr)
        self.assertIn("Did you mean '--json'?", pytoon("presets", "--jsn").stderr)

    def test_render_checks_files_as_an_upload_would(self):
        (self.path / "a.png").write_bytes(b"text")
        self.write({"preset_id": "overlay_classic", "image_uris": ["a.png"]})
        answer = self.run_here("render", "request.json", "--out", "out")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("a.png", answer.stderr)
        self.write({"preset_id": "overlay_classic", "image_uris": ["missing.png"]})
        self.assertIn("missing.png", self.run_here("render", "request.json", "--out", "o").stderr)
        self.write({"preset_id": "overlay_classic", "target_duration_seconds": 99})
        answer = self.run_here("render", "request.json", "--out", "out")
        self.assertIn("/target_duration_seconds", answer.stderr)

    def test_doctor_says_what_is_here(self):
        answer = self.run_here("doctor")
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        for word in ("cpu", "encoder", "fonts", "database", "storage"):
            self.assertIn(word, answer.stdout)

    def test_a_wrong_setting_stops_the_start_with_one_line(self):
        self.environment["API_PORT"] = "eighty"
        answer = self.run_here("serve")
        self.assertNotEqual(answer.returncode, 0)
        self.assertEqual(len(answer.stderr.strip().splitlines()), 1)
        self.assertIn("API_PORT", answer.stderr)


if __name__ == "__main__":
    unittest.main()
