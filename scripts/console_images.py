#!/usr/bin/env python3
"""Draws the frames of the console's preset gallery: one of each built-in preset, by the renderer.
Presets whose footage only an engine can generate have none here: a card stands for them.

usage: scripts/console_images.py PYTOON [FOLDER]

PYTOON is the built program; FOLDER is server/http/web/presets unless it is given. Needs ffmpeg.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SECONDS = 3


def shortened(preset):
    """The example of a preset, cut to one segment that shows its first caption."""
    request = json.loads((EXAMPLES / f"{preset}.json").read_text("utf-8"))
    captions = request.get("captions", {})
    request["target_duration_seconds"] = SECONDS
    request["captions"] = {"hook": captions.get("hook") or request.get("prompt", "")}
    for field in ("music_uri", "voice_uri", "clip_uris"):
        request.pop(field, None)
    for field in ("image_uris",):
        request[field] = [str(EXAMPLES / name) for name in request.get(field, [])[:1]]
    if "mask_uri" in request:
        request["mask_uri"] = str(EXAMPLES / request["mask_uri"])
    return request


def draw(pytoon, preset, folder, work):
    request = work / f"{preset}.json"
    request.write_text(json.dumps(shortened(preset)), "utf-8")
    out = work / preset
    subprocess.run([pytoon, "render", request, "--out", out], check=True, cwd=ROOT)
    if json.loads((out / "metadata.json").read_text("utf-8"))["fallback_used"]:
        return
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-ss", str(SECONDS / 2), "-i",
                    out / "output.mp4", "-frames:v", "1", "-vf", "scale=270:480:flags=lanczos",
                    "-q:v", "4", folder / f"{preset}.jpg"], check=True)


def main(pytoon, folder=ROOT / "server/http/web/presets"):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run([pytoon, "presets"], check=True, capture_output=True, text=True,
                            cwd=ROOT).stdout
    with tempfile.TemporaryDirectory() as work:
        for path in sorted(EXAMPLES.glob("*.json")):
            if path.stem in listed.split():
                draw(pytoon, path.stem, folder, pathlib.Path(work))


if __name__ == "__main__":
    main(*sys.argv[1:])
