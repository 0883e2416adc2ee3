"""What is deleted is gone: a job, an upload, a whole tenant; also from the disk."""
import os
import subprocess
import time
import unittest

from harness import BINARY, KEY, Server, picture

ACME = "acme-key-0001"
OTHER = "other-key-0001"
LONG = {"preset_id": "product_hero_clean", "target_duration_seconds": 60, "prompt": "Long"}


class Deleting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        keys = cls.server.folder / "keys"
        keys.write_text(f"{ACME} acme submit,read\n{OTHER} other submit,read\n", "utf-8")
        cls.server.environment["API_KEYS_FILE"] = str(keys)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def call(self, method, path, body=None, key=ACME):
        return self.server.call(method, path, body, key=key)

    def upload(self, color, key):
        answer = self.server.upload(picture(color), key=key)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()["key"]

    def start(self, asset, key):
        answer = self.call("POST", "/api/v1/jobs", {**LONG, "image_uris": [f"storage://{asset}"]},
                           key)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()["job_id"]

    def on_disk(self, part):
        folder = self.server.folder / "storage"
        return sorted(str(path) for path in folder.rglob("*") if part in str(path))

    def test_a_job_and_its_upload(self):
        asset = self.upload(60, ACME)
        job = self.start(asset, ACME)
        self.assertEqual(self.call("DELETE", f"/api/v1/jobs/{job}").status, 409)
        self.assertEqual(self.call("DELETE", f"/api/v1/assets/{asset}").status, 409)
        self.assertEqual(self.call("DELETE", f"/api/v1/jobs/{job}", key=OTHER).status, 404)
        self.assertEqual(self.call("DELETE", f"/api/v1/assets/{asset}", key=OTHER).status, 404)
        self.assertEqual(self.call("POST", f"/api/v1/jobs/{job}/cancel").status, 200)
        time.sleep(2)  # its work stops within two seconds of the cancel
        gone = self.call("DELETE", f"/api/v1/jobs/{job}")
        self.assertEqual((gone.status, gone.body), (204, b""))
        self.assertEqual(self.call("GET", f"/api/v1/jobs/{job}").status, 404)
        self.assertEqual(self.on_disk(job), [])
        encoded = asset.replace("/", "%2F")
        self.assertEqual(self.call("DELETE", f"/api/v1/assets/{encoded}").status, 204)
        self.assertEqual(self.on_disk(asset), [])
        refused = self.call("POST", "/api/v1/jobs", {**LONG, "image_uris": [f"storage://{asset}"]})
        self.assertEqual(refused.status, 422)
        self.assertEqual(self.upload(60, ACME), asset)

    def test_a_whole_tenant(self):
        mine = self.upload(80, ACME)
        theirs = self.upload(80, OTHER)
        job = self.start(mine, ACME)
        kept = self.start(theirs, OTHER)
        done = subprocess.run(
            [BINARY, "purge", "--tenant", "acme"], capture_output=True, text=True, timeout=120,
            env={**os.environ, "PYTOON_URL": f"http://127.0.0.1:{self.server.port}",
                 "PYTOON_API_KEY": KEY}, cwd=self.server.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("nothing of tenant acme is left", done.stdout)
        self.assertEqual(self.call("GET", f"/api/v1/jobs/{job}").status, 404)
        self.assertEqual(self.call("GET", "/api/v1/jobs").json()["jobs"], [])
        self.assertEqual(self.on_disk("/assets/acme/"), [])
        self.assertEqual(self.call("GET", f"/api/v1/jobs/{kept}", key=OTHER).status, 200)
        self.assertEqual(len(self.on_disk(theirs)), 1)
        self.assertEqual(self.call("POST", f"/api/v1/jobs/{kept}/cancel", key=OTHER).status, 200)


if __name__ == "__main__":
    unittest.main()
