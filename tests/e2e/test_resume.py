"""SIGKILL in the middle of a 60 s job: it goes on from its finished segments, to the same bytes."""

import sqlite3
import time
import unittest

from harness import Server, VideoCase, picture


class Resume(VideoCase):
    REQUEST = {"preset_id": "overlay_classic", "target_duration_seconds": 60, "seed": 11,
               "captions": {"hook": "One", "beats": ["Two", "Three"], "cta": "Four"}}

    def run_job(self, kill_after_segments):
        """The film, the objects of segments when the server was killed, and those at the end."""
        server = Server().start()
        try:
            images = [server.asset(picture(30)), server.asset(picture(160))]
            job_id = server.submit(image_uris=images, **self.REQUEST)
            kept = {}
            for wanted in kill_after_segments:
                self.wait_for_segments(server, job_id, wanted)
                server.kill()
                kept = self.objects(server, job_id)
                server.start()
            job = server.wait(job_id)
            self.assertEqual(job["status"], "DONE", job)
            data = server.call("GET", f"/api/v1/jobs/{job_id}/output").body
            return data, kept, self.objects(server, job_id)
        finally:
            server.remove()

    def wait_for_segments(self, server, job_id, wanted):
        for _ in range(3000):
            segments = server.call("GET", f"/api/v1/jobs/{job_id}/segments").json()["segments"]
            if sum(s["status"] == "DONE" for s in segments) >= wanted:
                return
            time.sleep(0.05)
        raise AssertionError("too slow")

    @staticmethod
    def objects(server, job_id):
        """Each finished segment's object. Its name has the lease's epoch: drawn again, it has
        another one. (A kill between a commit and its line in the log loses the line.)"""
        with sqlite3.connect(server.folder / "pytoon.db", timeout=20) as database:
            return dict(database.execute(
                "SELECT idx, artifact_key FROM segments WHERE job_id = ? AND status = 'DONE'",
                (job_id,)))

    def test_killed_twice_gives_the_bytes_of_an_undisturbed_run(self):
        undisturbed, _, _ = self.run_job([])
        resumed, kept, objects = self.run_job([4, 11])
        self.assert_contract(resumed, 60)
        self.assertEqual(resumed, undisturbed)
        self.assertGreaterEqual(len(kept), 11)
        self.assertEqual(set(objects), set(range(20)))
        for index, key in kept.items():
            self.assertEqual(objects[index], key, f"segment {index} was rendered again")


if __name__ == "__main__":
    unittest.main()
