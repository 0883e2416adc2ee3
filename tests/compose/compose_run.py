#!/usr/bin/env python3
"""Brings docker/compose.yaml up as its reader would, and takes it down again: scripts/dev compose.

up -d; a job over REST; logs; restart worker; --scale worker=3; down, which keeps what was made; up,
where it still is; down -v, which does not. With `docker compose` where there is a docker, else with
podman-compose. It needs the image (scripts/dev image). Images of PostgreSQL and Redis that are not
here are pulled, or with --stand-ins made from Debian packages, under the same names.
"""

import argparse
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import container_engine  # noqa: E402
import demo_client  # noqa: E402

PORT = 18480
STAND_INS = {"postgres:15-bookworm": "postgres", "redis:7-bookworm": "redis"}
OURS = ["api", "worker"]  # with what they depend on: podman-compose 1.0 knows no profiles


def die(message):
    sys.exit(f"compose: {message}")


def call(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        die(f"{' '.join(command)} ended with {done.returncode}:\n"
            f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


class Project:
    def __init__(self):
        self.engine = container_engine.chosen(("docker", "podman")) or die("no docker, no podman")
        self.command = ["docker", "compose"] if self.engine == "docker" else ["podman-compose"]
        self.key = secrets.token_urlsafe(24)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pytoon-compose-"))
        self.name = "pytoontry" + secrets.token_hex(3)
        self.file = ROOT / "docker/compose.yaml"
        if self.engine == "podman":
            self.file = self.adapted()
        self.settings = {"API_KEY": self.key, "POSTGRES_PASSWORD": secrets.token_hex(16),
                         "API_PORT": f"127.0.0.1:{PORT}", "COMPOSE_PROFILES": "fleet",
                         "WORKER_CONCURRENCY": "1"}

    def adapted(self, workers=1):
        """For podman-compose 1.0, which knows no empty default, passes over --scale, and loses the
        first word of a health check when it makes a second container of a service."""
        whole = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8")
                               .replace(":-}", "}"))
        if workers > 1:
            whole["services"]["worker"]["deploy"] = {"replicas": workers}
            del whole["services"]["worker"]["healthcheck"]
        copy = self.folder / "compose.yaml"
        copy.write_text(yaml.safe_dump(whole), "utf-8")
        return copy

    def scale(self, workers):
        if self.engine == "podman":
            self.adapted(workers)
        self.run("up", "-d", "--scale", f"worker={workers}", *OURS)

    def all_of(self, *arguments):
        return [*self.command, "-p", self.name, "-f", str(self.file), *arguments]

    def run(self, *arguments):
        return call(*self.all_of(*arguments), cwd=ROOT, env={**os.environ, **self.settings})

    def images(self, stand_ins):
        for name, folder in STAND_INS.items():
            there = subprocess.run([self.engine, "image", "inspect", name], capture_output=True)
            if there.returncode != 0 and stand_ins:
                call(self.engine, "build", "-t", name, str(ROOT / "tests/compose" / folder))

    def containers(self, service):
        told = call(self.engine, "ps", "--format", "{{.Names}}")
        return sorted(n for n in told.split()
                      if re.search(rf"^{self.name}[_-]{service}[_-]\d+$", n))

    def volumes(self):
        told = call(self.engine, "volume", "ls", "--format", "{{.Name}}")
        return {n for n in told.split() if n.startswith(self.name + "_")}

    def client(self):
        """When nothing is missing, Redis neither."""
        address = f"http://127.0.0.1:{PORT}"
        told = "nothing"
        for _ in range(600):
            try:
                with urllib.request.urlopen(address + "/ready", timeout=5) as answer:
                    told = answer.read().decode()
            except OSError:
                pass
            if told == '{"status":"ready","degraded":[]}':
                return demo_client.Client(address, self.key)
            time.sleep(0.2)
        return die(f"the API says {told}:\n" + self.run("logs", "api"))

    def close(self):
        subprocess.run(self.all_of("down", "-v"), cwd=ROOT,
                       env={**os.environ, **self.settings}, capture_output=True)
        shutil.rmtree(self.folder)


def render(client, **more):
    """The API looks at the image, in a confined process of its container; a worker draws it."""
    image = client.upload(ROOT / "examples/coffee.jpg", "image")["uri"]
    body = {"preset_id": "meme_fast", "prompt": "one of a fleet", "image_uris": [image],
            "target_duration_seconds": 3, **more}
    job = json.loads(client.call("POST", "/api/v1/jobs", json.dumps(body).encode()))["job_id"]
    done = demo_client.follow(client, job)
    if done["status"] != "DONE" or done["fallback_used"]:
        die(f"the job ended {done['status']}: {done['error'] or done['fallback_reason']}")
    return job


def video_of(client, job):
    return client.call("GET", f"/api/v1/jobs/{job}/output")


def render_clip(client, job):
    """A job that plays another one's video."""
    clip = client.upload_bytes(video_of(client, job), "made.mp4", "video")["uri"]
    render(client, image_uris=[], clip_uris=[clip])


def expect(condition, what):
    if not condition:
        die(f"not so: {what}")
    print(f"  ok    {what}")


def workers(client):
    return len(json.loads(client.call("GET", "/api/v1/admin/capacity"))["workers"])


def wait_for_workers(client, count):
    for _ in range(300):
        if workers(client) == count:
            return True
        time.sleep(0.2)
    return False


def live(project):
    project.run("up", "-d", *OURS)
    client = project.client()
    job = render(client)
    expect(True, "up -d, and a job through API, PostgreSQL, Redis and a worker")
    render_clip(client, job)
    expect(True, "its video as another one's clip")
    expect('"event"' in project.run("logs", "worker"), "logs worker")
    project.run("restart", "worker")
    render(client)
    expect(True, "restart worker, and another job")
    project.scale(3)
    expect(wait_for_workers(client, 3), "up -d --scale worker=3: capacity tells of three, and of "
           f"{workers(client)}; {project.containers('worker')}")
    render(client, target_duration_seconds=9)
    told = call(project.engine, "exec", project.containers("api")[0], "pytoon", "capacity")
    expect("worker" in told, "pytoon capacity in the API's container")
    project.run("down")
    expect(project.volumes() and not project.containers("api"), "down keeps the volumes")
    project.run("up", "-d", *OURS)
    client = project.client()
    expect(json.loads(client.call("GET", f"/api/v1/jobs/{job}"))["status"] == "DONE",
           "up again: the job is still there")
    expect(video_of(client, job)[4:8] == b"ftyp", "and so is its video")
    project.run("down", "-v")
    expect(not project.volumes(), "down -v leaves no volume")


def main():
    parser = argparse.ArgumentParser(prog="scripts/dev compose", description=__doc__)
    parser.add_argument("--stand-ins", action="store_true",
                        help="make missing images from Debian packages instead of pulling them")
    options = parser.parse_args()
    project = Project()
    try:
        project.images(options.stand_ins)
        live(project)
    finally:
        project.close()


if __name__ == "__main__":
    main()
