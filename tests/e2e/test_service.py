"""The REST API of the real binary: the main road, and every wrong turn with its own answer."""

import json
import os
import pathlib
import resource
import signal
import time
import unittest

from harness import KEY, Server, cutout, picture, png


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.image = cls.server.asset(picture(90))
        cls.done, cls.video = cls.server.finish(
            preset_id="meme_smooth", image_uris=[cls.image], target_duration_seconds=1,
            prompt="Hello", priority=3)
        cls.done_path = f"/api/v1/jobs/{cls.done['job_id']}"

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def problem(self, answer, status, pointer=None):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        problem = answer.json()
        for name in ("type", "title", "status", "detail"):
            self.assertIn(name, problem)
        self.assertEqual(problem["status"], status)
        if pointer is not None:
            self.assertIn(pointer, [e["pointer"] for e in problem["errors"]], problem)
        return problem

    def submit(self, **request):
        return self.server.call("POST", "/api/v1/jobs", request)

    def test_health_ready_metrics_and_openapi_need_no_key(self):
        self.assertEqual(self.server.call("GET", "/health", key=None).json(), {"status": "ok"})
        self.assertEqual(self.server.call("GET", "/ready", key=None).status, 200)
        metrics = self.server.call("GET", "/metrics", key=None).body.decode()
        for name in ("pytoon_render_jobs_total", "pytoon_render_success_total",
                     "pytoon_segment_render_seconds", "pytoon_job_total_seconds",
                     "pytoon_queue_depth"):
            self.assertIn(name, metrics)
        self.assertRegex(metrics, r'pytoon_render_success_total\{archetype="MEME_TEXT"\} [1-9]')
        openapi = self.server.call("GET", "/openapi.json", key=None).json()
        self.assertTrue(openapi["openapi"].startswith("3.1"))

    def test_presets_show_every_property(self):
        presets = self.server.call("GET", "/api/v1/presets").json()["presets"]
        self.assertEqual(len(presets), 12)
        for preset in presets:
            for name in ("id", "name", "archetype", "brand_safe", "engine_policy", "caption_style",
                         "motion_profile", "transitions", "audio", "overlay_fx", "engines"):
                self.assertIn(name, preset)

    def test_the_job_and_its_parts(self):
        job = self.server.call("GET", self.done_path).json()
        for name in ("job_id", "status", "archetype", "preset_id", "target_duration_seconds",
                     "progress_pct", "output_uri", "thumbnail_uri", "metadata_uri",
                     "fallback_used", "fallback_reason", "error", "created_at", "updated_at"):
            self.assertIn(name, job)
        self.assertEqual(job["progress_pct"], 100)
        segments = self.server.call("GET", self.done_path + "/segments").json()
        self.assertEqual(segments["segments"][0]["status"], "DONE")
        self.assertEqual(segments["segments"][0]["engine_used"], "local_compositor")
        spec = self.server.call("GET", self.done_path + "/spec").json()
        self.assertEqual(spec["render_spec_version"], 1)
        thumbnail = self.server.call("GET", self.done_path + "/thumbnail")
        self.assertEqual(thumbnail.headers["Content-Type"], "image/jpeg")
        listed = self.server.call("GET", "/api/v1/jobs?status=DONE&limit=200").json()
        self.assertIn(self.done["job_id"], [j["job_id"] for j in listed["jobs"]])

    def test_byte_ranges(self):
        size = len(self.video)
        path = self.done_path + "/output"
        for header, wanted in (("bytes=0-99", self.video[:100]), ("bytes=-7", self.video[-7:]),
                               (f"bytes={size - 3}-", self.video[-3:])):
            answer = self.server.call("GET", path, headers={"Range": header})
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.body, wanted)
        answer = self.server.call("GET", path, headers={"Range": f"bytes={size}-"})
        self.assertEqual(answer.status, 416)
        self.assertEqual(answer.headers["Content-Range"], f"bytes */{size}")
        etag = self.server.call("GET", path).headers["ETag"]
        self.assertEqual(self.server.call("GET", path, headers={"If-None-Match": etag}).status, 304)

    def test_events_follow_a_job_to_its_end(self):
        job_id = self.server.submit(preset_id="meme_fast", target_duration_seconds=2, prompt="Go")
        stream = self.server.call("GET", f"/api/v1/jobs/{job_id}/events")
        self.assertEqual(stream.headers.get_content_type(), "text/event-stream")
        events = [json.loads(line[5:]) for line in stream.body.decode().splitlines()
                  if line.startswith("data:")]
        self.assertEqual(events[-1]["status"], "DONE")
        progress = [e["progress_pct"] for e in events]
        self.assertEqual(progress, sorted(progress))

    def test_an_idempotency_key_makes_one_job(self):
        body = {"preset_id": "meme_fast", "target_duration_seconds": 1, "prompt": "Once"}
        first = self.server.call("POST", "/api/v1/jobs", body, {"Idempotency-Key": "k1"}).json()
        second = self.server.call("POST", "/api/v1/jobs", body, {"Idempotency-Key": "k1"}).json()
        self.assertEqual(first["job_id"], second["job_id"])
        other = self.server.call("POST", "/api/v1/jobs", {**body, "prompt": "Twice"},
                                 {"Idempotency-Key": "k1"})
        self.problem(other, 422)

    def test_keys(self):
        self.problem(self.server.call("GET", "/api/v1/presets", key=None), 401)
        self.problem(self.server.call("GET", "/api/v1/presets", key=KEY + "x"), 401)

    def test_bad_requests_name_their_field(self):
        self.problem(self.submit(preset_id="nope"), 400, "/preset_id")
        for value in (0, 61, "x", 1.5):
            self.problem(self.submit(preset_id="meme_fast", target_duration_seconds=value), 422,
                         "/target_duration_seconds")
        self.problem(self.submit(preset_id="meme_fast", colour="red"), 422, "/colour")
        self.problem(self.submit(preset_id="meme_fast", music_uri="storage://a"), 422, "/music_uri")
        for uri in ("file:///etc/passwd", "storage://assets/none", "storage://../../etc/passwd",
                    "https://example.com/a.png"):
            self.problem(self.submit(preset_id="meme_fast", image_uris=[uri]), 422, "/image_uris/0")
        self.problem(self.submit(preset_id="meme_fast", platform="vhs"), 422, "/platform")
        self.problem(self.submit(preset_id="meme_fast", captions={"hook": "Glyph \ue000"}), 422,
                     "/captions/hook")
        self.problem(self.submit(preset_id="meme_fast", prompt="Glyph \ue000"), 422, "/prompt")
        self.problem(self.submit(preset_id="meme_fast", captions={"hook": "WWWW " * 190}), 422,
                     "/captions/hook")

    def test_malformed_json(self):
        for body in (b"{", b"", b"\xff\xfe", b'{"preset_id": "a", "preset_id": "b"}', b"[" * 9000,
                     b'{"seed": 1e400}'):
            answer = self.server.call("POST", "/api/v1/jobs", body,
                                      {"Content-Type": "application/json"})
            self.problem(answer, 400)

    def test_bad_uploads(self):
        good = picture(1)
        self.problem(self.server.upload(good[:len(good) // 2]), 400)
        self.problem(self.server.upload(b"just text, whatever it is called"), 415)
        self.problem(self.server.upload(b"GIF89a" + bytes(100)), 415)
        self.problem(self.server.upload(png(5000, 2, lambda x, y: (1, 2, 3))), 422)
        self.problem(self.server.upload(bytes(30 * 1024 * 1024)), 413)
        self.problem(self.server.upload(good, category="mask"), 422)
        self.problem(self.server.upload(good, category="hat"), 422)
        self.problem(self.server.upload(good, category="audio"), 415)

    def test_a_file_name_is_only_text(self):
        answer = self.server.upload(picture(5), name="../../../../tmp/evil.png")
        self.assertEqual(answer.status, 201)
        self.assertTrue(answer.json()["uri"].startswith("storage://"))
        self.assertNotIn("evil", answer.json()["key"])
        self.assertEqual(self.server.upload(cutout(), category="mask").status, 201)

    def test_unknown_jobs_routes_and_methods(self):
        for part in ("", "/output", "/segments", "/spec", "/events", "/thumbnail"):
            self.problem(self.server.call("GET", "/api/v1/jobs/none" + part), 404)
        self.problem(self.server.call("GET", "/nowhere"), 404)
        answer = self.server.call("DELETE", "/api/v1/presets")
        self.problem(answer, 405)
        self.assertIn("GET", answer.headers["Allow"])

    def test_output_before_the_end_is_a_conflict(self):
        job_id = self.server.submit(preset_id="meme_fast", target_duration_seconds=9, prompt="Wait")
        self.problem(self.server.call("GET", f"/api/v1/jobs/{job_id}/output"), 409)
        self.server.wait(job_id)


class Stopping(unittest.TestCase):
    def test_sigterm_is_prompt_and_the_job_goes_on_at_the_next_start(self):
        server = Server().start()
        try:
            job_id = server.submit(preset_id="overlay_glow", target_duration_seconds=12,
                                   image_uris=[server.asset(picture(50))])
            server.wait(job_id, lambda job: job["progress_pct"] >= 10)
            began = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - began, 30)
            server.start()
            self.assertEqual(server.wait(job_id)["status"], "DONE")
            self.assertEqual(server.job(job_id)["attempts"], 0)
        finally:
            server.remove()

    def test_a_human_may_fail_a_job_by_sql(self):
        import sqlite3
        server = Server().start()
        try:
            job_id = server.submit(preset_id="overlay_glow", target_duration_seconds=60,
                                   image_uris=[server.asset(picture(70))])
            server.wait(job_id, lambda job: job["progress_pct"] >= 2)
            with sqlite3.connect(server.folder / "pytoon.db", timeout=30) as database:
                database.execute("UPDATE jobs SET status='FAILED', error='by hand' WHERE id=?",
                                 (job_id,))
            time.sleep(3)
            job = server.job(job_id)
            self.assertEqual((job["status"], job["error"]), ("FAILED", "by hand"))
            before = job["progress_pct"]
            time.sleep(2)
            self.assertEqual(server.job(job_id)["progress_pct"], before)
        finally:
            server.remove()


class Guarded(unittest.TestCase):
    """What an operator gives it is kept, and given to nobody."""

    def setUp(self):
        self.server = Server()
        self.keys = self.server.folder / "keys"
        self.keys.write_text("first-key acme submit,read\nchief-key ops admin\n")
        self.server.environment = {"API_KEYS_FILE": str(self.keys), "API_KEY": ""}

    def tearDown(self):
        self.server.remove()

    def test_nobody_else_reads_what_it_writes(self):
        ours = {path for path in self.server.folder.rglob("*")}
        before = os.umask(0o022)
        try:
            self.server.start()
        finally:
            os.umask(before)
        answer = self.server.upload(picture(10), key="first-key")
        self.assertEqual(answer.status, 201, answer.body)
        job = self.server.call("POST", "/api/v1/jobs", {
            "preset_id": "meme_fast", "target_duration_seconds": 1, "prompt": "Hi",
            "image_uris": [answer.json()["uri"]]}, key="first-key").json()
        path = f"/api/v1/jobs/{job['job_id']}"
        for _ in range(1000):
            if self.server.call("GET", path, key="first-key").json()["status"] == "DONE":
                break
            time.sleep(0.1)
        found = [path for path in self.server.folder.rglob("*")
                 if path not in ours and not path.name.startswith("server-")]
        self.assertGreater(len(found), 10)
        for path in found:
            if path.is_symlink() or not path.exists():
                continue
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_it_takes_as_many_descriptors_as_it_may(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        try:
            self.server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        limits = pathlib.Path(f"/proc/{self.server.process.pid}/limits").read_text("utf-8")
        line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
        soft, hard = line.split()[3:5]
        self.assertEqual(soft, hard)

    def status(self, key):
        return self.server.call("GET", "/api/v1/jobs", key=key).status

    def test_only_a_hang_up_reads_the_keys_again(self):
        """A key that is made by REST shows that keys were looked at since."""
        self.server.start()
        self.keys.write_text("second-key acme submit,read\n")
        made = self.server.call("POST", "/api/v1/admin/keys",
                                {"tenant": "acme", "scopes": ["read"]}, key="chief-key").json()
        for _ in range(10):  # more wrong keys and the address would be shut out
            time.sleep(1)
            if self.status(made["key"]) == 200:
                break
        self.assertEqual([self.status(key) for key in (made["key"], "first-key", "second-key")],
                         [200, 200, 401])

    def test_a_hang_up_reads_the_keys_again_and_a_quit_ends_it_well(self):
        self.server.start()
        status = self.status
        def reload(text, event, count):
            self.keys.write_text(text)
            self.server.process.send_signal(signal.SIGHUP)
            for _ in range(200):
                if sum(line["event"] == event for line in self.server.log_lines()) >= count:
                    return
                time.sleep(0.05)
            self.fail(f"no {event}")
        self.assertEqual((status("first-key"), status("second-key")), (200, 401))
        reload("second-key acme submit,read\n", "keys_reloaded", 1)
        self.assertEqual((status("first-key"), status("second-key")), (401, 200))
        reload("nonsense\n", "keys_not_reloaded", 1)
        self.assertEqual((status("first-key"), status("second-key")), (401, 200))
        self.server.process.send_signal(signal.SIGQUIT)
        self.assertEqual(self.server.process.wait(timeout=40), 0)
        self.assertEqual(self.server.log_lines()[-1]["event"], "stopped")


if __name__ == "__main__":
    unittest.main()