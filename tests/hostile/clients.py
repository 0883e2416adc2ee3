"""A hostile client: what it sends, how it is mutated, and what it takes for a fault."""

import http.client
import json
import random
import socket
import struct
import subprocess
import time
import zlib

from harness import KEY, ROOT, form

# Each request comes from an address of its own: one that shows wrong keys is soon shut out.
ADDRESS = b"10.111.111.111"
SLOW_SECONDS = 10
FAULTS_KEPT = 20
# Small clips, sounds and pictures of every kind that is taken, by the tools that people use.
PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=80x120:rate=5:duration=1"]
SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=0.3"]
MEDIA = {
    "image": {"png": ["-frames:v", "1"], "jpg": ["-frames:v", "1"], "webp": ["-frames:v", "1"],
              "tiff": ["-frames:v", "1"], "bmp": ["-frames:v", "1"], "gif": []},
    "video": {"mp4": ["-c:v", "libx264", "-pix_fmt", "yuv420p"], "mov": ["-c:v", "prores_ks"],
              "webm": ["-c:v", "libvpx-vp9", "-cpu-used", "8"], "mkv": ["-c:v", "libx264"],
              "gif": [], "apng": ["-plays", "0"],
              "fragments.mp4": ["-c:v", "libx264", "-movflags", "frag_every_frame+empty_moov"]},
    "audio": {"wav": [], "mp3": [], "flac": [], "ogg": [], "m4a": [], "aac": [], "aiff": [],
              "opus": [], "caf": []},
}


def media_seeds(folder):
    """[(category, bytes)]: what ffmpeg makes, and the kept inputs of the fuzzers."""
    seeds = []
    for category, kinds in MEDIA.items():
        for name, options in kinds.items():
            path = folder / f"{category}.{name}"
            source = SOUND if category == "audio" else PICTURE
            subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *options, str(path)],
                           check=True)
            seeds.append((category, path.read_bytes()))
    corpus = ROOT / "tests/fuzz/corpus"
    for category, target in (("audio", "audio_format"), ("video", "movie_boxes"),
                             ("video", "matroska_elements")):
        seeds += [(category, path.read_bytes()) for path in sorted((corpus / target).iterdir())]
    return seeds


def head(line, more=b"", length=None):
    text = line + b" HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + KEY.encode() + b"\r\n"
    text += b"X-Forwarded-For: " + ADDRESS + b"\r\n" + more
    if length is not None:
        text += b"Content-Length: %d\r\n" % length
    return text + b"\r\n"


def request_seeds():
    """Good requests as they go over the wire."""
    corpus = ROOT / "tests/fuzz/corpus"
    seeds = [head(b"GET " + path) for path in (
        b"/health", b"/ready", b"/metrics", b"/api/v1/presets", b"/api/v1/jobs?limit=2",
        b"/api/v1/jobs/none", b"/api/v1/usage", b"/openapi.json", b"/")]
    seeds.append(head(b"DELETE /api/v1/assets/none"))
    as_json = b"Content-Type: application/json\r\n"
    for path in sorted((corpus / "job_request").iterdir()):
        body = path.read_bytes()
        # As a dry run, so that what survives makes no work.
        seeds.append(head(b"POST /api/v1/jobs?dry_run=true", as_json, len(body)) + body)
    body, headers = form("image", b"no picture")
    as_form = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n"
    seeds.append(head(b"POST /api/v1/assets/upload", as_form, len(body)) + body)
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    seeds.append(head(b"POST /api/v1/assets/upload", as_form + b"Transfer-Encoding: chunked\r\n")
                 + chunked)
    seeds += [path.read_bytes() for path in sorted((corpus / "request_head").iterdir())]
    return seeds


def mutated(draw, data, others):
    """One to eight changes of the kinds that parsers fall over."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        # Heads are where structure is.
        at = draw.randrange(min(len(data), draw.choice((64, 1024, len(data)))))
        kind = draw.randrange(8)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at] = draw.choice((0, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        elif kind == 2:
            number = draw.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data) * 2))
            data[at:at + 4] = struct.pack(draw.choice(("<I", ">I")), number)
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at:at + draw.randrange(1, 64)]
        elif kind == 5:
            part = data[at:at + draw.randrange(1, 256)]
            data[at:at] = part * draw.choice((1, 2, 50))
        elif kind == 6:
            data[at:at] = draw.randbytes(draw.randrange(1, 64))
        else:
            other = draw.choice(others)
            data[at:] = other[min(at, len(other)):]
    return bytes(data)


class Client:
    """Sends one thing after another and notes what came of each."""

    def __init__(self, port, draw, findings):
        self.port, self.draw, self.findings = port, draw, findings
        self.connection = None
        self.seen = {"answers": {}, "faults": [], "slowest": 0.0}

    def note(self, what, status, seconds, sent, said=b""):
        answers = self.seen["answers"]
        name = f"{what} {status}"
        answers[name] = answers.get(name, 0) + 1
        self.seen["slowest"] = max(self.seen["slowest"], seconds)
        broken = status in (500, 502, 504) or status == "none"
        if (broken or seconds > SLOW_SECONDS) and len(self.seen["faults"]) < FAULTS_KEPT:
            kept = self.findings / f"{what}-{status}-{zlib.crc32(sent):08x}"
            kept.write_bytes(sent)
            self.seen["faults"].append(f"{what}: {status} after {seconds:.1f} s to {kept}; "
                                       f"it said {said!r}")

    def call(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self.connection.request(method, path, body, {"X-API-Key": KEY, **(headers or {})})
            response = self.connection.getresponse()
            text = response.read()
        except (http.client.HTTPException, OSError) as error:
            self.connection.close()
            self.connection = None
            return "none", str(error).encode()
        if response.will_close:
            self.connection.close()
            self.connection = None
        return response.status, text

    def upload(self, category, data):
        began = time.monotonic()
        status, text = self.call("POST", "/api/v1/assets/upload", *form(category, data))
        self.note("upload", status, time.monotonic() - began, data, text)
        if status == 201:  # some changes do no harm; nothing piles up
            key = json.loads(text)["key"]
            self.call("DELETE", "/api/v1/assets/" + key.replace("/", "%2F"))

    def send(self, data):
        """Bytes on a connection of their own, that then says it has no more to say."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as peer:
            answer = b""
            try:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                while len(answer) < 16 and (part := peer.recv(4096)):
                    answer += part
            except ConnectionError:
                pass  # it may hang up on nonsense
            except TimeoutError:
                answer = b"HTTP/1.1 none"
        status = answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "hung up"
        status = "none" if status == "non" else int(status) if status.isdigit() else status
        self.note("request", status, time.monotonic() - began, data)


def play(work):
    """One client's share: (port, seed, uploads, requests, media seeds, folder) -> what it saw."""
    port, seed, uploads, requests, media, findings = work
    draw = random.Random(seed)
    client = Client(port, draw, findings)
    files = [data for _, data in media]
    for _ in range(uploads):
        category, data = draw.choice(media)
        client.upload(category, mutated(draw, data, files))
    good = request_seeds()
    for _ in range(requests):
        address = b"10.%d.%d.%d" % tuple(draw.randrange(100, 256) for _ in range(3))
        client.send(mutated(draw, draw.choice(good).replace(ADDRESS, address), good))
    return client.seen
