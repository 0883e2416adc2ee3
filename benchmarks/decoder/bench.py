#!/usr/bin/env python3
"""What decoding in confined processes costs over decoding here: file by file, and over a whole job
that plays a clip; each in one run.

bench.py PYTOON CLIP_JOB_TOOL DECODER_TOOL [TURNS [JOB_TURNS]]

Exit status 1 when an inspection costs more than 5 ms over its decoding (median), or when a job
takes more than 3 % more processor time.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

OVER_MS_MAX = 5.0
JOB_RATIO_MAX = 1.03
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def make_clip(file, size, seconds):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:d={seconds}",
                    "-pix_fmt", "yuv420p", "-c:v", "libx264", str(file)], check=True)


def decode_files(pytoon, tool, turns, folder):
    """False when an inspection is slow."""
    clip = folder / "clip.mp4"
    make_clip(clip, "640x360", 2)
    files = [EXAMPLES / name for name in ("logo.png", "product_cutout.png", "product_front.jpg",
                                          "evening.mp3")]
    done = subprocess.run([tool, pytoon, turns, *map(str, files), str(clip)],
                          stdout=subprocess.PIPE, text=True, check=True)
    print(f"{'what':8} {'file':20} {'here':>9} {'confined':>9} {'over':>8} {'ratio':>6}")
    fast = True
    for line in done.stdout.splitlines():
        row = json.loads(line)
        print(f"{row['what']:8} {row['file']:20} {row['here_ms']:6.2f} ms"
              f" {row['confined_ms']:6.2f} ms {row['over_ms']:5.2f} ms {row['ratio']:6.3f}")
        fast = fast and not (row["what"] == "inspect" and row["over_ms"] > OVER_MS_MAX)
    return fast


def draw_jobs(pytoon, tool, turns, folder):
    """False when a job that plays a clip of 1080x1920 as its only footage takes too much."""
    make_clip(folder / "footage.mp4", "1080x1920", 6)
    request = folder / "request.json"
    request.write_text(json.dumps({
        "preset_id": "product_hero_clean", "prompt": "A clip", "target_duration_seconds": 6,
        "clip_uris": ["footage.mp4"]}))
    done = subprocess.run([tool, pytoon, turns, str(request), str(folder)],
                          stdout=subprocess.PIPE, text=True, check=True)
    row = json.loads(done.stdout)
    print(json.dumps(row))
    return row["ratio"] <= JOB_RATIO_MAX


def main():
    pytoon, job_tool, file_tool = sys.argv[1:4]
    turns, job_turns = (sys.argv[4:6] + ["21", "5"][len(sys.argv[4:6]):])
    with tempfile.TemporaryDirectory() as folder:
        fast = decode_files(pytoon, file_tool, turns, pathlib.Path(folder))
        light = draw_jobs(pytoon, job_tool, job_turns, pathlib.Path(folder))
    return 0 if fast and light else 1


if __name__ == "__main__":
    sys.exit(main())
