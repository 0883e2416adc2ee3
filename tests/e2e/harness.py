"""Boots the real binary for end-to-end tests and plays a client against it.

The binary's path comes from PYTOON_BINARY. Every server gets a folder of its own and a free port of
127.0.0.1, and is stopped by its process id.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zlib
from fractions import Fraction

BINARY = os.environ["PYTOON_BINARY"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = "e2e-key-0123456789abcdef"
WEBHOOK_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BOUNDARY = "b0undary-0f-an-upload"


def png_chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_of(width, height, rows, alpha=False, level=1):
    """A PNG of lines of pixels, each 3 or, with alpha, 4 bytes, compressed at zlib's level."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), level)
    return (PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) +
            png_chunk(b"IEND", b""))


def png(width, height, pixel, alpha=False):
    """A PNG whose pixel (x, y) is pixel(x, y): a tuple of 3 or, with alpha, 4 bytes."""
    rows = (bytes(v for x in range(width) for v in pixel(x, y)) for y in range(height))
    return png_of(width, height, rows, alpha)


def picture(hue, width=360, height=480):
    """A small opaque picture with structure, different for each hue 0..255."""
    return png(width, height, lambda x, y: ((x * 7 + hue) % 256, (y * 3 + hue * 2) % 256,
                                            ((x // 24 + y // 24) % 2) * 120 + hue // 3))


def cutout(width=300, height=420):
    """A picture with a transparent surrounding: an ellipse with a soft edge."""
    def pixel(x, y):
        r = ((x - width / 2) / (width / 2)) ** 2 + ((y - height / 2) / (height / 2)) ** 2
        a = max(0, min(255, int((0.9 - r) * 1200)))
        return (200, 60 + y // 4 % 160, 90, a)
    return png(width, height, pixel, alpha=True)


def form(category, data, name="picture.png"):
    """The body and the headers of an upload."""
    body = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\n"
            f"{category}\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; "
            f"filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            ).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def ask(port, method, path, body=None, headers=None, key=KEY, timeout=120):
    """One request on a connection of its own; a body that is no bytes goes as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    sent = {"X-API-Key": key} if key else {}
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


class Server:
    """One `pytoon serve`. Kill it, start it again on the same folder."""

    def __init__(self, folder=None, environment=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="pytoon-e2e-"))
        self.environment = environment or {}
        self.process = None
        self.port = None
        self.starts = 0

    def start(self):
        self.starts += 1
        log = self.folder / f"server-{self.starts}.log"
        environment = {**os.environ, "API_KEY": KEY, "API_PORT": "0", "API_HOST": "127.0.0.1",
                       "STORAGE_ROOT": str(self.folder / "storage"),
                       "DB_URL": f"sqlite:///{self.folder / 'pytoon.db'}",
                       "PYTOON_CONFIG_DIR": str(ROOT / "config"),
                       "PYTOON_CACHE_DIR": str(self.folder / "cache"), **self.environment}
        with open(log, "wb") as out:
            self.process = subprocess.Popen([BINARY, "serve"], env=environment, stdout=out,
                                            stderr=out, cwd=self.folder)
        for _ in range(600):
            found = re.search(r'"event":"serving".*?"port":(\d+)', log.read_text("utf-8"))
            if found:
                self.port = int(found.group(1))
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("the server did not start:\n" + log.read_text("utf-8"))

    def log_lines(self):
        """Every JSON line of every start so far."""
        lines = []
        for i in range(1, self.starts + 1):
            for line in (self.folder / f"server-{i}.log").read_text("utf-8").splitlines():
                lines.append(json.loads(line))
        return lines

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("SIGTERM did not stop the server within 40 s")
        return self.process.returncode if self.process else None

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, headers=None, key=KEY):
        return ask(self.port, method, path, body, headers, key)

    def upload(self, data, category="image", name="picture.png", key=KEY):
        return self.call("POST", "/api/v1/assets/upload", *form(category, data, name), key)

    def asset(self, data, category="image"):
        answer = self.upload(data, category)
        assert answer.status == 201, answer.body
        return answer.json()["uri"]

    def submit(self, **request):
        answer = self.call("POST", "/api/v1/jobs", request)
        assert answer.status == 201, answer.body
        return answer.json()["job_id"]

    def job(self, job_id):
        return self.call("GET", f"/api/v1/jobs/{job_id}").json()

    def wait(self, job_id, until=lambda job: job["status"] in ("DONE", "FAILED", "CANCELLED"),
             seconds=400):
        last = -1
        for _ in range(seconds * 10):
            job = self.job(job_id)
            assert job["progress_pct"] >= last, "progress went back"
            last = job["progress_pct"]
            if until(job):
                return job
            time.sleep(0.1)
        raise AssertionError(f"job {job_id} did not get there: {job}")

    def finish(self, **request):
        """Submits, waits for DONE, gives (job, bytes of the video)."""
        job = self.wait(self.submit(**request))
        assert job["status"] == "DONE", job
        return job, self.call("GET", f"/api/v1/jobs/{job['job_id']}/output").body


def signed_well(headers, body):
    """Whether a webhook came from a server that has our secret."""
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def facts(path):
    """What ffprobe finds by decoding everything; fails on any decoding error."""
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json",
         str(path)], capture_output=True, check=True, text=True)
    assert not probe.stderr, probe.stderr
    found = json.loads(probe.stdout)
    return found["streams"], found["format"]


def top_boxes(data):
    """The names of an MP4's top-level boxes, in order."""
    names, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        names.append(name.decode("latin-1"))
        if size == 1:
            size = struct.unpack(">Q", data[at + 8:at + 16])[0]
        if size < 8:
            break
        at += size
    return names


class VideoCase(unittest.TestCase):
    def assert_contract(self, data, seconds):
        """The output contract of section 6 for a video without audio."""
        with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            file.write(data)
            file.flush()
            streams, container = facts(file.name)
        self.assertEqual(len(streams), 1)
        video = streams[0]
        expected = {"codec_name": "h264", "profile": "High", "pix_fmt": "yuv420p", "width": 1080,
                    "height": 1920, "r_frame_rate": "30/1", "color_space": "bt709",
                    "color_primaries": "bt709", "color_transfer": "bt709", "color_range": "tv",
                    "nb_read_frames": str(seconds * 30)}
        self.assertEqual({name: video.get(name) for name in expected}, expected)
        self.assertEqual(float(video["start_time"]), 0)
        self.assertEqual(Fraction(video["time_base"]) * video["duration_ts"], seconds)
        self.assertAlmostEqual(float(container["duration"]), seconds, places=3)
        self.assertLessEqual(int(container["bit_rate"]), 12_000_000)
        boxes = top_boxes(data)
        self.assertLess(boxes.index("moov"), boxes.index("mdat"))
        index = data[:data.index(b"mdat")]
        self.assertNotIn(b"edts", index)  # Instagram's rule for reels: no edit list
        self.assertNotIn(b"elst", index)
