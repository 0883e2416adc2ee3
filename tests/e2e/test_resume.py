"""SIGKILL in the middle of a 60 s job: it goes on from its finished segments, to the same bytes."""

import time
import unittest

from harness import Server, VideoCase, picture


class Resume(VideoCase):
    REQUEST = {"preset_id": "overlay_classic", "target_duration_seconds": 60, "seed": 11,
               "captions": {"hook": "One", "beats": ["Two", "Three"], "cta": "Four"}}

    def run_job(self, kill_after_segments):
        server = Server().start()
        try:
            images = [server.asset(picture(30)), server.asset(picture(160))]
            job_id = server.submit(image_uris=images, **self.REQUEST)
            kept = set()
            for wanted in kill_after_segments:
                kept = self.wait_for_segments(server, job_id, wanted)
                server.kill()
                server.start()
            job = server.wait(job_id)
            self.assertEqual(job["status"], "DONE", job)
            data = server.call("GET", f"/api/v1/jobs/{job_id}/output").body
            return data, kept, server.log_lines()
        finally:
            server.remove()

    def wait_for_segments(self, server, job_id, wanted):
        for _ in range(3000):
            segments = server.call("GET", f"/api/v1/jobs/{job_id}/segments").json()["segments"]
            done = {s["index"] for s in segments if s["status"] == "DONE"}
            if len(done) >= wanted:
                return done
            time.sleep(0.05)
        raise AssertionError("too slow")

    def test_killed_twice_gives_the_bytes_of_an_undisturbed_run(self):
        undisturbed, _, _ = self.run_job([])
        resumed, kept, log = self.run_job([4, 11])
        self.assert_contract(resumed, 60)
        self.assertEqual(resumed, undisturbed)
        rendered = [line["segment_id"] for line in log if line["event"] == "segment_rendered"]
        self.assertGreaterEqual(len(kept), 11)
        for index in kept:
            self.assertEqual(rendered.count(index), 1, f"segment {index} was rendered again")
        self.assertEqual(set(rendered), set(range(20)))


if __name__ == "__main__":
    unittest.main()
