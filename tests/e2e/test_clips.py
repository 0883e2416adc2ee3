"""Clips from upload to video: taken, refused with reasons, shown in their own time."""

import subprocess
import tempfile
import unittest

from harness import Server, VideoCase, picture


def ffmpeg(*words, data=b""):
    """What ffmpeg writes to a file of its own, as bytes."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *words, file.name], input=data,
                       check=True)
        return file.read()


def clip(colours, seconds_each=1, rate=25, size="270x480", codec="libx264"):
    """A clip that shows one colour after the other."""
    words = []
    for colour in colours:
        words += ["-f", "lavfi", "-i", f"color={colour}:s={size}:r={rate}:d={seconds_each}"]
    inputs = "".join(f"[{i}]" for i in range(len(colours)))
    return ffmpeg(*words, "-filter_complex", f"{inputs}concat=n={len(colours)}",
                  "-c:v", codec, "-pix_fmt", "yuv420p")


def frame_colour(video, number):
    """Mean red, green, blue of the middle of a frame."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(video)
        file.flush()
        raw = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-i", file.name, "-vf",
             f"select=eq(n\\,{number}),crop=200:200:440:600,scale=1:1", "-frames:v", "1",
             "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    return tuple(raw[:3])


class Clips(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def assert_colour(self, video, number, red, green, blue):
        found = frame_colour(video, number)
        for value, wanted in zip(found, (red, green, blue)):
            self.assertLess(abs(value - wanted), 24, f"frame {number} is {found}")

    def test_a_clip_is_measured(self):
        answer = self.server.upload(clip(["red"], 2), category="video", name="a.mp4")
        self.assertEqual(answer.status, 201, answer.body)
        asset = answer.json()
        self.assertEqual((asset["width"], asset["height"]), (270, 480))
        self.assertEqual(asset["duration_seconds"], 2)
        self.assertTrue(asset["key"].endswith(".mp4"))

    def test_bad_clips_are_refused_with_a_reason(self):
        good = clip(["red"])
        audio = ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
        old = ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-c:v", "mpeg4")
        long = ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:r=1:d=121", "-c:v", "libx264")
        for data, status, words in ((good[:len(good) // 2], 400, "damaged"),
                                    (b"no clip at all", 415, "MP4, MOV, WebM"),
                                    (picture(3), 415, "MP4, MOV, WebM"),
                                    (old, 415, "H.264 (AVC), H.265 (HEVC)"),
                                    (audio, 422, "no video track"),
                                    (long, 422, "120 s")):
            answer = self.server.upload(data, category="video")
            self.assertEqual(answer.status, status, answer.body)
            self.assertIn(words, answer.json()["detail"])

    def test_a_clip_plays_loops_and_follows_the_image(self):
        image = self.server.asset(picture(30))
        colours = self.server.asset(clip(["red", "lime"]), "video")
        job, video = self.server.finish(
            preset_id="product_hero_clean", image_uris=[image], clip_uris=[colours],
            target_duration_seconds=6, seed=1)
        self.assertFalse(job["fallback_used"])
        self.assert_contract(video, 6)
        # After three seconds of image: a second of red, one of green, and red again.
        self.assert_colour(video, 90 + 15, 255, 0, 0)
        self.assert_colour(video, 90 + 28, 255, 0, 0)
        self.assert_colour(video, 90 + 31, 0, 255, 0)
        self.assert_colour(video, 90 + 58, 0, 255, 0)
        self.assert_colour(video, 90 + 62, 255, 0, 0)

    def test_the_same_clip_gives_the_same_bytes(self):
        uri = self.server.asset(clip(["blue", "yellow"], codec="libx265"), "video")
        films = {self.server.finish(preset_id="meme_fast", clip_uris=[uri], seed=2,
                                    target_duration_seconds=2, reuse=False)[1] for _ in range(2)}
        self.assertEqual(len(films), 1)

    def test_clips_and_images_keep_to_their_fields(self):
        image = self.server.asset(picture(31))
        film = self.server.asset(clip(["red"]), "video")
        for field, uri in (("clip_uris", image), ("image_uris", film)):
            answer = self.server.call("POST", "/api/v1/jobs",
                                      {"preset_id": "meme_fast", field: [uri]})
            self.assertEqual(answer.status, 422, answer.body)
            self.assertEqual(answer.json()["errors"][0]["pointer"], f"/{field}/0")


if __name__ == "__main__":
    unittest.main()
