"""API keys of the running program, by REST and by what operators type."""

import os
import re
import subprocess
import time
import unittest

from harness import BINARY, KEY, ROOT, Server


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def status(self, key):
        return self.server.call("GET", "/api/v1/jobs", key=key).status

    def becomes(self, key, status):
        for _ in range(100):
            if self.status(key) == status:
                return
            time.sleep(0.1)
        self.fail(f"the key was never answered {status}")

    def create(self, **more):
        answer = self.server.call("POST", "/api/v1/admin/keys",
                                  {"tenant": "acme", "scopes": ["read"], **more})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def listed(self, key_id):
        keys = self.server.call("GET", "/api/v1/admin/keys").json()["keys"]
        return next(key for key in keys if key["key_id"] == key_id)

    def test_a_key_lives_and_ends(self):
        made = self.create(name="shop")
        self.becomes(made["key"], 200)
        submit = self.server.call("POST", "/api/v1/jobs", {"preset_id": "meme_fast"},
                                  key=made["key"])
        self.assertEqual(submit.status, 403, "scope read")
        for _ in range(100):
            if self.listed(made["key_id"])["last_used_at"]:
                break
            time.sleep(0.1)
        self.assertIsNotNone(self.listed(made["key_id"])["last_used_at"])
        answer = self.server.call("POST", f"/api/v1/admin/keys/{made['key_id']}/revoke")
        self.assertEqual((answer.status, answer.json()["status"]), (200, "revoked"))
        began = time.monotonic()
        self.becomes(made["key"], 401)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.status(KEY), 200, "API_KEY goes on")

    def test_keys_outlive_the_process_and_are_nowhere_in_clear(self):
        made = self.create()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.status(made["key"]), 200)
        for path in self.server.folder.rglob("*"):
            if path.is_file():
                self.assertFalse(made["key"].encode() in path.read_bytes(), path)

    def test_what_operators_type(self):
        def keys(*words):
            return subprocess.run(
                [BINARY, "keys", *words], capture_output=True, text=True,
                env={**os.environ, "PYTOON_URL": f"http://127.0.0.1:{self.server.port}",
                     "PYTOON_API_KEY": KEY, "PYTOON_CONFIG_DIR": str(ROOT / "config")})
        made = keys("create", "--tenant", "typed", "--scopes", "submit,read", "--name", "by hand")
        self.assertEqual(made.returncode, 0, made.stderr)
        key_id = re.search(r"key_\w+", made.stderr).group()
        self.assertRegex(made.stdout, r"\Apyt_[0-9a-f]{64}\n\Z")
        self.becomes(made.stdout.strip(), 200)
        rotated = keys("rotate", key_id, "--grace-seconds", "3600")
        self.assertEqual(rotated.returncode, 0, rotated.stderr)
        successor = re.search(r"key_\w+", rotated.stderr).group()
        self.becomes(rotated.stdout.strip(), 200)
        self.assertEqual(self.status(made.stdout.strip()), 200, "its grace")
        self.assertEqual(keys("revoke", successor).returncode, 0)
        self.becomes(rotated.stdout.strip(), 401)
        listed = keys("list").stdout
        self.assertIn("by hand", listed)
        self.assertRegex(listed, rf"{successor}.*revoked")
        self.assertNotEqual(keys("revoke", "key_nobody").returncode, 0)
        self.assertIn("tenant", keys("create", "--tenant", "a/b").stderr)


if __name__ == "__main__":
    unittest.main()
