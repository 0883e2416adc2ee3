"""Footage from another Pytoon: one server renders through a second one over HTTP."""

import json
import time
import unittest

from harness import KEY, Server, VideoCase, cutout, picture


class RemotePytoon(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.far = Server(environment={"WORKER_CONCURRENCY": "1"}).start()
        cls.near = Server(environment={
            "ENGINE_POLICY_DEFAULT": "api_only", "API_ENGINE_KEY": KEY,
            "API_ENGINE_BASE_URL": f"http://127.0.0.1:{cls.far.port}"}).start()
        cls.image = cls.near.asset(picture(40))
        cls.cutout = cls.near.asset(cutout())

    @classmethod
    def tearDownClass(cls):
        cls.near.remove()
        cls.far.remove()

    def segments(self, job_id):
        return self.near.call("GET", f"/api/v1/jobs/{job_id}/segments").json()["segments"]

    def far_jobs(self):
        jobs = self.far.call("GET", "/api/v1/jobs").json()["jobs"]
        return [(job, self.far.call("GET", f"/api/v1/jobs/{job['job_id']}/spec").json())
                for job in jobs]

    def test_1_every_segment_is_made_by_the_other_one(self):
        job, video = self.near.finish(preset_id="product_hero_clean", image_uris=[self.image],
                                      prompt="Light", target_duration_seconds=4, seed=3)
        self.assert_contract(video, 4)
        self.assertFalse(job["fallback_used"], job["fallback_reason"])
        self.assertEqual([s["engine_used"] for s in self.segments(job["job_id"])], ["api", "api"])
        made = self.far_jobs()
        self.assertEqual(sorted(j["target_duration_seconds"] for j, _ in made), [1, 3])
        for far_job, spec in made:
            self.assertEqual(far_job["status"], "DONE")
            self.assertTrue(spec["footage_only"])
            self.assertEqual(spec["captions_plan"]["timings"], [])
            self.assertEqual(spec["engine_policy"], "local_only")
            self.assertEqual(len(spec["assets"]["images"]), 1)
        footage = self.near.folder / "storage" / "footage" / job["job_id"]
        self.assertFalse((footage / "0.mp4").exists())

    def test_2_an_overlay_keeps_its_product_here(self):
        job, video = self.near.finish(preset_id="overlay_classic", image_uris=[self.cutout],
                                      target_duration_seconds=1, seed=3)
        self.assert_contract(video, 1)
        self.assertEqual([s["engine_used"] for s in self.segments(job["job_id"])], ["api"])

    def test_3_a_local_only_preset_is_not_loosened(self):
        before = len(self.far_jobs())
        job, _ = self.near.finish(preset_id="brand_safe_minimal", image_uris=[self.image],
                                  target_duration_seconds=1)
        self.assertFalse(job["fallback_used"])
        self.assertEqual(len(self.far_jobs()), before)

    def test_4_a_cancel_reaches_the_other_one(self):
        known = {job["job_id"] for job, _ in self.far_jobs()}
        job_id = self.near.submit(preset_id="product_hero_clean", image_uris=[self.image],
                                  prompt="Light", target_duration_seconds=60, seed=4)

        def ordered():
            return [job for job, _ in self.far_jobs() if job["job_id"] not in known]
        self.eventually(lambda: len(ordered()) >= 3)
        self.assertEqual(self.near.call("POST", f"/api/v1/jobs/{job_id}/cancel").status, 200)
        self.eventually(lambda: all(job["status"] in ("DONE", "CANCELLED") for job in ordered()))
        self.assertIn("CANCELLED", [job["status"] for job in ordered()])
        self.assertLess(len(ordered()), 20)
        events = [line["event"] for line in self.near.log_lines()]
        self.assertIn("remote_order_cancelled", events)

    def eventually(self, holds, seconds=120):
        for _ in range(seconds * 10):
            if holds():
                return
            time.sleep(0.1)
        self.fail("it did not come to that: " + json.dumps(self.far_jobs()))

    def test_5_without_the_other_one_the_card_comes(self):
        self.far.stop()
        job, video = self.near.finish(preset_id="product_hero_clean", image_uris=[self.image],
                                      target_duration_seconds=1)
        self.assert_contract(video, 1)
        self.assertTrue(job["fallback_used"])
        self.assertTrue(job["fallback_reason"].startswith("api: "), job["fallback_reason"])
        (segment,) = self.segments(job["job_id"])
        self.assertEqual(segment["engine_used"], "template")
        self.assertEqual(segment["engines_declined"], job["fallback_reason"])
        self.assertGreater(segment["render_seconds"], 0)
        self.assertLessEqual(job["started_at"], segment["finished_at"])
        self.assertLessEqual(segment["finished_at"], job["completed_at"])
        said = [line for line in self.near.log_lines() if line["event"] == "engine_fallback_used"]
        self.assertEqual(said[-1]["engine"], "template")
        self.assertNotIn(KEY, json.dumps(self.near.log_lines()))


if __name__ == "__main__":
    unittest.main()
