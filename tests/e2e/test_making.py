"""Making a video as people do: a preview of it, then `pytoon submit` and `pytoon watch`."""

import json
import os
import re
import subprocess
import unittest

from harness import BINARY, KEY, Server, VideoCase, picture


class Making(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.remove()

    def pytoon(self, *arguments):
        return subprocess.run(
            [BINARY, *arguments], capture_output=True, text=True, timeout=300,
            cwd=self.server.folder,
            env={**os.environ, "PYTOON_URL": f"http://127.0.0.1:{self.server.port}",
                 "PYTOON_API_KEY": KEY})

    def request(self, **fields):
        return {"preset_id": "overlay_classic", "target_duration_seconds": 2, "seed": 7,
                "captions": {"hook": "First words", "cta": "Last words"}, **fields}

    def psnr(self, jpeg, video, frame):
        """Of the preview and the video's frame, both at half size."""
        path = self.server.folder / "frame.jpg"
        path.write_bytes(jpeg)
        done = subprocess.run(
            ["ffmpeg", "-i", path, "-i", video, "-lavfi",
             f"[1]select=eq(n\\,{frame}),scale=540:960:flags=area,format=yuv444p[b];"
             "[0]format=yuv444p[a];[a][b]psnr", "-frames:v", "1", "-f", "null", "-"],
            capture_output=True, text=True)
        return float(re.search(r"average:([\d.]+|inf)", done.stderr).group(1))

    def test_a_preview_is_the_films_frame(self):
        body = self.request(image_uris=[self.server.asset(picture(40))])
        before = self.server.call("GET", "/api/v1/jobs").json()["jobs"]
        previews = {}
        for frame in (0, 40):
            answer = self.server.call("POST", f"/api/v1/preview?at_seconds={frame / 30:.3f}", body)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
            previews[frame] = answer.body
        self.assertEqual(self.server.call("GET", "/api/v1/jobs").json()["jobs"], before)
        _, data = self.server.finish(**body)
        video = self.server.folder / "film.mp4"
        video.write_bytes(data)
        for frame, jpeg in previews.items():
            self.assertGreater(self.psnr(jpeg, video, frame), 30, frame)
        self.assertLess(self.psnr(previews[0], video, 59), self.psnr(previews[0], video, 0))

    def test_a_preview_refuses_as_a_submission_does(self):
        answer = self.server.call("POST", "/api/v1/preview",
                                  self.request(captions={"hook": "\uE123"}))
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.json()["errors"][0]["pointer"], "/captions/hook")

    def test_submit_uploads_watches_and_saves(self):
        (self.server.folder / "a.png").write_bytes(picture(10))
        path = self.server.folder / "request.json"
        path.write_text(json.dumps(self.request(image_uris=["a.png"])))
        answer = self.pytoon("submit", str(path), "--out", "video.mp4")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        job_id = answer.stdout.strip()
        self.assertEqual(self.server.job(job_id)["status"], "DONE")
        self.assert_contract((self.server.folder / "video.mp4").read_bytes(), 2)
        self.assertIn("DONE", answer.stderr)
        again = self.pytoon("watch", job_id)
        self.assertEqual((again.returncode, again.stdout), (0, ""), again.stderr)

    def test_watch_says_how_it_ended(self):
        job_id = self.server.submit(**self.request(target_duration_seconds=60))
        self.server.call("POST", f"/api/v1/jobs/{job_id}/cancel")
        answer = self.pytoon("watch", job_id)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("CANCELLED", answer.stderr)
        self.assertEqual(self.pytoon("watch", "nobody").returncode, 1)

    def test_submit_names_what_is_wrong(self):
        path = self.server.folder / "wrong.json"
        path.write_text(json.dumps({"preset_id": "overlay_classic", "image_uris": ["gone.png"]}))
        answer = self.pytoon("submit", str(path))
        self.assertEqual(answer.returncode, 2)
        self.assertIn("gone.png", answer.stderr)
        path.write_text(json.dumps(self.request(target_duration_seconds=99)))
        answer = self.pytoon("submit", str(path))
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("/target_duration_seconds", answer.stderr)


if __name__ == "__main__":
    unittest.main()
