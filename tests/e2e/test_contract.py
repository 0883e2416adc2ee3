"""Every preset and length keeps the output contract; the same wish gives the same bytes."""

import json
import unittest

from harness import Server, VideoCase, cutout, picture, png

PRESETS = ["product_hero_clean", "product_hero_punchy", "overlay_classic", "overlay_glow",
           "overlay_bold", "meme_fast", "meme_smooth", "brand_safe_minimal"]


class Contract(VideoCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.images = [cls.server.asset(picture(h)) for h in (20, 120, 220)]
        cls.cutout = cls.server.asset(cutout())

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def test_every_preset_at_fifteen_seconds(self):
        jobs = {}
        for preset in PRESETS:
            images = [self.cutout] if preset == "overlay_glow" else self.images[:2]
            jobs[preset] = self.server.submit(
                preset_id=preset, image_uris=images, seed=7,
                captions={"hook": "Morning light", "beats": ["Made by hand"], "cta": "Try it"})
        for preset, job_id in jobs.items():
            with self.subTest(preset=preset):
                job = self.server.wait(job_id)
                self.assertEqual(job["status"], "DONE", job)
                self.assertFalse(job["fallback_used"], job)
                data = self.server.call("GET", f"/api/v1/jobs/{job_id}/output").body
                self.assert_contract(data, 15)
                self.check_files(job)

    def check_files(self, job):
        folder = self.server.folder / "storage" / "jobs" / job["job_id"]
        names = sorted(p.name for p in folder.iterdir())
        self.assertEqual(names, ["metadata.json", "output.mp4", "segments", "thumbnail.jpg"])
        segments = sorted(p.name for p in (folder / "segments").iterdir())
        self.assertEqual(segments, [f"seg_{i:03}.mp4" for i in range(5)])
        metadata = json.loads((folder / "metadata.json").read_text())
        self.assertEqual(metadata["job_id"], job["job_id"])
        self.assertEqual(len(metadata["segments"]), 5)
        for name in ("preset_id", "archetype", "engine_used", "brand_safe", "fallback_used",
                     "target_duration_seconds", "created_at", "completed_at", "timings"):
            self.assertIn(name, metadata)
        thumbnail = (folder / "thumbnail.jpg").read_bytes()
        self.assertTrue(thumbnail.startswith(b"\xff\xd8"))

    def test_one_and_ten_seconds_and_no_image(self):
        for seconds, images in ((1, self.images), (10, []), (4, self.images[:1])):
            with self.subTest(seconds=seconds):
                _, data = self.server.finish(preset_id="meme_smooth", image_uris=images,
                                             target_duration_seconds=seconds, prompt="Hello there")
                self.assert_contract(data, seconds)

    def test_nothing_temporary_survives(self):
        self.server.finish(preset_id="meme_fast", target_duration_seconds=1, prompt="Tidy")
        left = [str(p) for p in (self.server.folder / "storage").rglob("*")
                if p.is_file() and (p.name.startswith(".tmp") or "staging" in p.parts)]
        self.assertEqual(left, [])


class SameBytes(unittest.TestCase):
    def test_the_same_wish_on_two_servers_is_the_same_file(self):
        requests = [("product_hero_clean", 4), ("overlay_glow", 4), ("meme_smooth", 4)]
        outputs = []
        for concurrency in ("1", "3"):
            server = Server(environment={"WORKER_CONCURRENCY": concurrency}).start()
            try:
                images = [server.asset(picture(40)), server.asset(picture(200))]
                outputs.append([
                    server.finish(preset_id=preset, target_duration_seconds=seconds, seed=3,
                                  image_uris=images, prompt="Same again")[1]
                    for preset, seconds in requests])
            finally:
                server.remove()
        self.assertEqual(outputs[0], outputs[1])

    def test_another_seed_is_another_film(self):
        server = Server().start()
        try:
            image = server.asset(png(300, 300, lambda x, y: (x % 256, y % 256, 90)))
            films = {server.finish(preset_id="product_hero_clean", target_duration_seconds=1,
                                   seed=seed, image_uris=[image])[1] for seed in (1, 2, 3, 4)}
            self.assertGreater(len(films), 1)
        finally:
            server.remove()


class NothingIsDrawnTwice(unittest.TestCase):
    def test_a_changed_caption_draws_only_what_shows_it(self):
        server = Server().start()
        try:
            request = {"preset_id": "meme_smooth", "target_duration_seconds": 9, "seed": 5,
                       "image_uris": [server.asset(picture(70))],
                       "captions": {"hook": "First", "beats": ["Then"], "cta": "Last"}}
            changed = {**request, "captions": {**request["captions"], "cta": "Least"}}
            first, film = server.finish(**request)
            again, same = server.finish(**request)
            other, new = server.finish(**changed)
            anew, drawn = server.finish(**changed, reuse=False)
            self.assertEqual([job["segments_reused"] for job in (first, again, other, anew)],
                             [0, 3, 2, 0])
            self.assertEqual(film, same)
            self.assertEqual(new, drawn, "taken or drawn, the same bytes")
            self.assertNotEqual(film, new)
            parts = server.call("GET", f"/api/v1/jobs/{other['job_id']}/segments").json()
            self.assertEqual([part["reused"] for part in parts["segments"]], [True, True, False])
        finally:
            server.remove()


if __name__ == "__main__":
    unittest.main()
