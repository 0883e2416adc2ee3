"""Jobs that are cancelled, failed, retried, told of; a server that drains; what operators type."""

import http.server
import json
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from harness import (BINARY, KEY, ROOT, WEBHOOK_SECRET, Server, VideoCase, picture,
                     signed_well)

CONFIG = {"PYTOON_CONFIG_DIR": str(ROOT / "config")}
LONG = {"preset_id": "overlay_classic", "target_duration_seconds": 60, "seed": 3,
        "captions": {"hook": "One", "cta": "Two"}}


class Sink(http.server.ThreadingHTTPServer):
    """A webhook receiver that answers with the statuses it was given, then 200."""

    def __init__(self, statuses=()):
        self.statuses = list(statuses)
        self.got = []
        super().__init__(("127.0.0.1", 0), SinkHandler)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"

    def wait(self, count, seconds=60):
        for _ in range(seconds * 20):
            if len(self.got) >= count:
                return self.got
            time.sleep(0.05)
        raise AssertionError(f"only {len(self.got)} of {count} webhooks came")

    def close(self):
        self.shutdown()
        self.server_close()


class SinkHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Lifecycle(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(environment={"WEBHOOK_SECRET": WEBHOOK_SECRET,
                                         "WEBHOOKS_ALLOW_PRIVATE": "true",
                                         "REUSE_SEGMENTS": "false",  # its jobs are all alike
                                         "WEBHOOK_RETRY_SECONDS": "1,1,1"}).start()
        cls.image = cls.server.asset(picture(60))

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def post(self, path):
        return self.server.call("POST", path)

    def segments(self, job_id):
        return self.server.call("GET", f"/api/v1/jobs/{job_id}/segments").json()["segments"]

    def start_long(self, done, **more):
        """A long job with at least `done` finished segments, still running."""
        job_id = self.server.submit(image_uris=[self.image], **LONG, **more)
        for _ in range(2400):
            finished = [s["index"] for s in self.segments(job_id) if s["status"] == "DONE"]
            if len(finished) >= done:
                return job_id, finished
            time.sleep(0.05)
        raise AssertionError("too slow")

    def events_of(self, job_id):
        return [line for line in self.server.log_lines() if line.get("job_id") == job_id]

    def pytoon(self, *arguments, **extra):
        environment = {**os.environ, "PYTOON_URL": f"http://127.0.0.1:{self.server.port}",
                       "PYTOON_API_KEY": KEY, **extra}
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60,
                              env=environment, cwd=self.server.folder)

    def assert_stands_still(self, job_id):
        """Work stops within two seconds, and nothing appears after."""
        time.sleep(2)
        folder = self.server.folder / "storage"
        before = sorted(str(p) for p in folder.rglob("*"))
        rendered = len([e for e in self.events_of(job_id) if e["event"] == "segment_rendered"])
        time.sleep(3)
        self.assertEqual(sorted(str(p) for p in folder.rglob("*")), before)
        after = len([e for e in self.events_of(job_id) if e["event"] == "segment_rendered"])
        self.assertEqual(after, rendered)
        for name in ("output.mp4", "thumbnail.jpg", "metadata.json"):
            self.assertFalse((folder / "jobs" / job_id / name).exists(), name)

    def test_cancel_stops_the_work_and_no_file_appears(self):
        job_id, _ = self.start_long(1)
        answer = self.post(f"/api/v1/jobs/{job_id}/cancel")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["status"], "CANCELLED")
        self.assert_stands_still(job_id)
        again = self.post(f"/api/v1/jobs/{job_id}/cancel")
        self.assertEqual(again.status, 409)
        self.assertIn("CANCELLED", again.json()["detail"])
        self.assertEqual(self.server.call("GET", f"/api/v1/jobs/{job_id}/output").status, 409)

    def test_a_forced_failure_then_a_retry_keeps_what_is_finished(self):
        job_id, finished = self.start_long(2)
        failed = self.server.call("POST", f"/api/v1/admin/jobs/{job_id}/fail", {"error": "stuck"})
        self.assertEqual(failed.status, 200, failed.body)
        self.assertEqual(failed.json()["error"], "stuck")
        self.assert_stands_still(job_id)
        retried = self.post(f"/api/v1/jobs/{job_id}/retry")
        self.assertEqual(retried.status, 200, retried.body)
        self.assertEqual(retried.json()["run"], 2)
        self.assertEqual(self.server.wait(job_id)["status"], "DONE")
        rendered = [e["segment_id"] for e in self.events_of(job_id)
                    if e["event"] == "segment_rendered"]
        for index in finished:
            self.assertEqual(rendered.count(index), 1, f"segment {index} was drawn again")
        self.assert_contract(self.server.call("GET", f"/api/v1/jobs/{job_id}/output").body, 60)

    def test_a_humans_sql_wins(self):
        job_id, _ = self.start_long(1)
        with sqlite3.connect(self.server.folder / "pytoon.db", timeout=20) as database:
            database.execute(
                "UPDATE jobs SET status = 'FAILED', error = 'Manual intervention: stuck job' "
                "WHERE id = ? AND status IN ('PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING')",
                (job_id,))
        database.close()
        job = self.server.job(job_id)
        self.assertEqual(job["status"], "FAILED")
        self.assertEqual(job["error"], "Manual intervention: stuck job")
        self.assert_stands_still(job_id)
        self.assertEqual(self.server.job(job_id)["status"], "FAILED")

    def test_a_webhook_is_signed_and_sent_until_it_is_taken(self):
        sink = Sink([503, 302])
        try:
            job, _ = self.server.finish(preset_id="meme_smooth", target_duration_seconds=1,
                                        prompt="Hi", webhook_url=sink.url)
            got = sink.wait(3)
            self.assertEqual({headers["webhook-id"] for headers, _ in got},
                             {got[0][0]["webhook-id"]})
            for headers, body in got:
                self.assertTrue(signed_well(headers, body))
                self.assertEqual(json.loads(body)["type"], "job.done")
                self.assertIn(job["job_id"], body.decode())
            again = self.post(f"/api/v1/jobs/{job['job_id']}/webhook/redeliver")
            self.assertEqual(again.status, 202, again.body)
            self.assertEqual(sink.wait(4)[3][0]["webhook-id"], got[0][0]["webhook-id"])
            time.sleep(2)
            self.assertEqual(len(sink.got), 4, "a webhook that was taken came again")
        finally:
            sink.close()

    def test_a_webhook_nobody_takes_is_a_dead_letter(self):
        sink = Sink([410])
        try:
            job, _ = self.server.finish(preset_id="meme_smooth", target_duration_seconds=1,
                                        prompt="Hi", webhook_url=sink.url)
            sink.wait(1)
            for _ in range(100):
                capacity = self.server.call("GET", "/api/v1/admin/capacity").json()
                letters = [letter for letter in capacity["dead_letters_latest"]
                           if letter["job_id"] == job["job_id"]]
                if letters:
                    break
                time.sleep(0.1)
            self.assertIn("410", letters[0]["cause"])
        finally:
            sink.close()

    def ready_when(self, status):
        """/ready tells what was found half a second ago."""
        for _ in range(100):
            answer = self.server.call("GET", "/ready", key=None)
            if answer.status == status:
                break
            time.sleep(0.1)
        return answer

    def test_drain_and_resume(self):
        drained = self.pytoon("drain")
        self.assertEqual(drained.returncode, 0, drained.stderr)
        try:
            refused = self.server.call("POST", "/api/v1/jobs", {"preset_id": "meme_smooth"})
            self.assertEqual(refused.status, 503)
            self.assertEqual(refused.headers.get_content_type(), "application/problem+json")
            self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
            ready = self.ready_when(503)
            self.assertEqual((ready.status, ready.json()["blocking"]), (503, ["draining"]))
            self.assertTrue(self.server.call("GET", "/api/v1/admin/capacity").json()["draining"])
        finally:
            self.assertEqual(self.pytoon("drain", "--resume").returncode, 0)
        self.assertEqual(self.ready_when(200).status, 200)
        self.server.finish(preset_id="meme_smooth", target_duration_seconds=1, prompt="Hi")

    def test_the_jobs_command(self):
        job_id, _ = self.start_long(1)
        listed = self.pytoon("jobs", "list", "--status", "RENDERING_SEGMENTS")
        self.assertIn(job_id, listed.stdout)
        shown = json.loads(self.pytoon("jobs", "show", job_id, "--json").stdout)
        self.assertEqual(len(shown["segments"]), 20)
        self.assertGreaterEqual(shown["eta_seconds"], 1)
        self.assertIn("eta_seconds", self.pytoon("jobs", "show", job_id).stdout)
        failed = self.pytoon("jobs", "fail", job_id, "--error", "enough")
        self.assertEqual(failed.stdout.strip(), f"{job_id} is FAILED")
        self.assertEqual(self.server.job(job_id)["error"], "enough")
        self.assertEqual(self.pytoon("jobs", "retry", job_id).returncode, 0)
        self.assertEqual(self.pytoon("jobs", "cancel", job_id).returncode, 0)
        refused = self.pytoon("jobs", "cancel", job_id)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("CANCELLED", refused.stderr)
        self.assertEqual(self.pytoon("jobs", "show", "nobody").returncode, 1)
        wrong = self.pytoon("jobs", "list", PYTOON_API_KEY="wrong-key-000")
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
        capacity = self.pytoon("capacity")
        self.assertIn("threads", capacity.stdout)

    def test_a_dry_run_tells_and_stores_nothing(self):
        wish = {"preset_id": "product_hero_clean", "target_duration_seconds": 6,
                "image_uris": [self.image, self.image, self.image]}
        before = self.server.call("GET", "/api/v1/jobs").json()["jobs"]
        answer = self.server.call("POST", "/api/v1/jobs?dry_run=true", wish)
        self.assertEqual(answer.status, 200, answer.body)
        told = answer.json()
        self.assertEqual([part["duration_seconds"] for part in told["plan"]], [3, 3])
        self.assertEqual(told["plan"][0]["engine"], "local_compositor")
        self.assertIn(told["plan"][0]["compositor_lane"], ["cpu", "render"])
        self.assertIsNotNone(told["run"]["seconds"], told["run"])
        self.assertEqual(told["money"]["micro_usd_max"], 0)
        self.assertIn("/image_uris/2", [warning["pointer"] for warning in told["warnings"]])
        refused = self.server.call("POST", "/api/v1/jobs?dry_run=true", {"preset_id": "none"})
        self.assertEqual(refused.status, 400)
        odd = self.server.call("POST", "/api/v1/jobs?dry_run=1", wish)
        self.assertEqual((odd.status, odd.json()["errors"][0]["pointer"]), (422, "/dry_run"))
        self.assertEqual(self.server.call("GET", "/api/v1/jobs").json()["jobs"], before)

    def test_backup_while_running_and_restore_elsewhere(self):
        job, video = self.server.finish(preset_id="meme_smooth", target_duration_seconds=1,
                                        prompt="Kept", image_uris=[self.image])
        with tempfile.TemporaryDirectory(prefix="pytoon-backup-") as folder:
            place = {"STORAGE_ROOT": str(self.server.folder / "storage"),
                     "DB_URL": f"sqlite:///{self.server.folder / 'pytoon.db'}"}
            made = self.pytoon("backup", f"{folder}/b", **CONFIG, **place)
            self.assertEqual(made.returncode, 0, made.stderr)
            in_use = self.pytoon("restore", f"{folder}/b", "--force", **CONFIG, **place)
            self.assertEqual(in_use.returncode, 1)
            self.assertIn("owns", in_use.stderr)
            other = Server()
            try:
                there = {"STORAGE_ROOT": str(other.folder / "storage"),
                         "DB_URL": f"sqlite:///{other.folder / 'pytoon.db'}"}
                done = self.pytoon("restore", f"{folder}/b", **CONFIG, **there)
                self.assertEqual(done.returncode, 0, done.stderr)
                other.start()
                self.assertEqual(other.job(job["job_id"])["status"], "DONE")
                output = other.call("GET", f"/api/v1/jobs/{job['job_id']}/output")
                self.assertEqual(output.body, video)
            finally:
                other.remove()


class OneProcess(unittest.TestCase):
    def test_a_server_in_production_refuses_to_start_without_a_key(self):
        with tempfile.TemporaryDirectory(prefix="pytoon-keys-") as folder:
            answer = subprocess.run([BINARY, "serve"], capture_output=True, text=True, timeout=60,
                                    cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": folder,
                                                     "PYTOON_ENV": "production", "API_PORT": "0",
                                                     "API_KEYS_FILE": "/dev/null", **CONFIG})
        self.assertEqual(answer.returncode, 2)
        self.assertIn("API_KEY must be set", answer.stderr)

    def test_api_and_worker_refuse_sqlite_in_one_line(self):
        for command in ("api", "worker"):
            answer = subprocess.run([BINARY, command], capture_output=True, text=True, timeout=60,
                                    env={**os.environ, "DB_URL": "sqlite:///x/pytoon.db",
                                         **CONFIG})
            self.assertEqual(answer.returncode, 2)
            self.assertEqual(len(answer.stderr.strip().splitlines()), 1)
            self.assertIn("PostgreSQL", answer.stderr)


if __name__ == "__main__":
    unittest.main()
