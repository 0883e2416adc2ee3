"""Starts `pytoon serve` on a free port, plays a client against its REST API, and stops it again.

Usage: demo_client.py PYTOON REQUEST.json FOLDER
REQUEST.json is the body of POST /api/v1/jobs with local paths in image_uris, mask_uri,
music_uri and voice_uri.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid


class Client:
    def __init__(self, base, key):
        self.base = base
        self.key = key

    def call(self, method, path, body=None, content_type="application/json"):
        request = urllib.request.Request(self.base + path, data=body, method=method)
        request.add_header("X-API-Key", self.key)
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"demo: {method} {path} answered {error.code}: {error.read().decode()}")

    def upload(self, path, category):
        return self.upload_bytes(path.read_bytes(), path.name, category)

    def upload_bytes(self, data, name, category):
        boundary = uuid.uuid4().hex
        body = (
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\n"
            f"{category}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
            f"filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        ).encode() + data + f"\r\n--{boundary}--\r\n".encode()
        answer = self.call("POST", "/api/v1/assets/upload", body,
                           f"multipart/form-data; boundary={boundary}")
        return json.loads(answer)


def start(pytoon, folder, key):
    environment = dict(os.environ, API_KEY=key, API_PORT="0", API_HOST="127.0.0.1",
                       STORAGE_ROOT=str(folder / "storage"),
                       DB_URL=f"sqlite:///{folder / 'pytoon.db'}",
                       PYTOON_CACHE_DIR=str(folder / "cache"))
    log = open(folder / "server.log", "w", encoding="utf-8")
    server = subprocess.Popen([pytoon, "serve"], env=environment, stderr=log, stdout=log)
    for _ in range(300):
        found = re.search(r'"event":"serving".*"port":(\d+)',
                          (folder / "server.log").read_text(encoding="utf-8"))
        if found:
            return server, f"http://127.0.0.1:{found.group(1)}"
        if server.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("demo: the server did not start:\n" + (folder / "server.log").read_text())


def follow(client, job_id):
    while True:
        job = json.loads(client.call("GET", f"/api/v1/jobs/{job_id}"))
        print(f"\r  {job['status']:<20} {job['progress_pct']:3d} %", end="", flush=True)
        if job["status"] in ("DONE", "FAILED", "CANCELLED"):
            print()
            return job
        time.sleep(0.5)


def facts_of(path):
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries",
         "stream=codec_type,codec_name,profile,width,height,pix_fmt,color_space,r_frame_rate,"
         "nb_read_frames,sample_rate,channels:format=duration,size,bit_rate", "-of", "json",
         str(path)],
        capture_output=True, check=True, text=True)
    found = json.loads(probe.stdout)
    video = next(s for s in found["streams"] if s["codec_type"] == "video")
    audio = [f"{s['codec_name']}, {s['sample_rate']} Hz, {s['channels']} channels"
             for s in found["streams"] if "sample_rate" in s]
    return {**video, "audio": audio[0] if audio else "none", **found["format"]}


def main():
    pytoon, request_path, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    request = json.loads(request_path.read_text(encoding="utf-8"))
    key = secrets.token_urlsafe(24)
    server, base = start(pytoon, folder, key)
    try:
        client = Client(base, key)
        print(f"server: {base}")
        here = request_path.parent
        request["image_uris"] = [client.upload(here / p, "image")["uri"]
                                 for p in request.get("image_uris", [])]
        for field, category in (("mask_uri", "mask"), ("music_uri", "audio"),
                                ("voice_uri", "audio")):
            if field in request:
                request[field] = client.upload(here / request[field], category)["uri"]
        began = time.monotonic()
        job = json.loads(client.call("POST", "/api/v1/jobs", json.dumps(request).encode()))
        print(f"job:    {job['job_id']} ({job['segments']} segments, {request['preset_id']})")
        done = follow(client, job["job_id"])
        took = time.monotonic() - began
        if done["status"] != "DONE":
            sys.exit(f"demo: the job ended {done['status']}: {done['error']}")
        video = folder / "output.mp4"
        video.write_bytes(client.call("GET", f"/api/v1/jobs/{job['job_id']}/output"))
        (folder / "thumbnail.jpg").write_bytes(
            client.call("GET", f"/api/v1/jobs/{job['job_id']}/thumbnail"))
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=40)
        except subprocess.TimeoutExpired:
            server.kill()
    print(f"\nvideo:  {video}\n        rendered in {took:.1f} s")
    for name, value in facts_of(video).items():
        print(f"        {name}: {value}")


if __name__ == "__main__":
    main()
