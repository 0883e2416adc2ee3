"""What each x264 preset costs, in CPU time and bytes, for the same look.

Usage: bench.py PYTOON PHOTOGRAPHS [PRESET,...]
It takes the frame_tool of the render benchmark that was built with that PYTOON.
PHOTOGRAPHS is a folder of JPEG files of yours. Three seconds are composed of each of eight inputs
(three archetypes, with those photographs and with the pictures of examples/), then encoded as jobs
are, at three quality factors (CRF) each. One JSON line for each preset: medians over the inputs of
the CPU seconds for a second of video, and of the bytes and the CPU seconds at equal SSIM, as ratios
to veryfast at CRF 20 (interpolated between the factors: bytes by their logarithm).
"""

import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

from measuring import tell  # noqa: E402

PRESETS = ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"]
FACTORS = [17, 20, 23]
REFERENCE = ("veryfast", 20)
SECONDS = 3
INPUTS = [("product_hero_clean", 3), ("product_hero_punchy", 3), ("product_hero_clean", 0),
          ("meme_smooth", 1), ("meme_fast", 1), ("meme_smooth", 0),
          ("overlay_bold", 1), ("overlay_glow", 0)]  # preset, photographs (0: those of the example)


def requests(photographs, folder):
    """A request file for each input; each takes photographs that no other took, while they last."""
    files, taken = [], 0
    for number, (preset, count) in enumerate(INPUTS):
        request = json.loads((ROOT / "examples" / f"{preset}.json").read_text())
        images = [str(ROOT / "examples" / uri) for uri in request["image_uris"]]
        if count:
            images = [str(photographs[(taken + i) % len(photographs)]) for i in range(count)]
            taken += count
        request = {key: value for key, value in request.items()
                   if key not in ("mask_uri", "music_uri", "voice_uri")}
        request.update(image_uris=images, target_duration_seconds=SECONDS)
        files.append(folder / f"request-{number}.json")
        files[-1].write_text(json.dumps(request))
    return files


def cpu_of(arguments):
    before = os.times()
    subprocess.run(list(map(str, arguments)), check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user + after.children_system
            - before.children_user - before.children_system)


def ssim(video, frames):
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-i", str(video), "-f", "rawvideo", "-pix_fmt", "nv12", "-s",
         "1080x1920", "-r", "30", "-i", str(frames), "-lavfi",
         "[0:v]format=nv12[a];[a][1:v]ssim", "-f", "null", "-"],
        check=True, capture_output=True, text=True).stderr
    return float(re.search(r"All:([0-9.]+)", said).group(1))


def measured(frame_tool, frames, preset, folder):
    """(SSIM, bytes, CPU s) at each factor."""
    rows = []
    for factor in FACTORS:
        video = folder / "out.mp4"
        cpu = cpu_of([frame_tool, "encode", frames, video, preset, factor])
        rows.append((ssim(video, frames), video.stat().st_size, cpu))
    return rows


def at_ssim(rows, wanted, column):
    """The column's value where the SSIM would be `wanted`: in -log(1 - SSIM), which is near to
    linear in the logarithm of the bytes."""
    points = sorted((-math.log(1 - quality), math.log(row[column]))
                    for row in rows for quality in [row[0]])
    x = -math.log(1 - wanted)
    pairs = list(zip(points, points[1:]))
    low, high = next(((a, b) for a, b in pairs if x <= b[0]), pairs[-1])
    slope = (high[1] - low[1]) / max(1e-9, high[0] - low[0])
    return math.exp(low[1] + slope * (x - low[0]))


def summary(preset, table):
    own = [inputs[preset] for inputs in table]
    reference = [inputs[REFERENCE[0]][FACTORS.index(REFERENCE[1])] for inputs in table]
    pairs = list(zip(own, reference))

    def median(values, digits=3):
        return round(statistics.median(values), digits)

    return {
        "benchmark": "encoder", "preset": preset, "inputs": len(table),
        "cpu_s_per_video_s": median(rows[1][2] / SECONDS for rows in own),
        "ssim_at_crf": {str(f): median((rows[i][0] for rows in own), 4)
                        for i, f in enumerate(FACTORS)},
        "bytes_at_crf_20": median(rows[1][1] for rows in own),
        "bytes_at_equal_ssim": median(at_ssim(rows, ref[0], 1) / ref[1] for rows, ref in pairs),
        "bytes_at_equal_ssim_range": [round(f(at_ssim(rows, ref[0], 1) / ref[1]
                                              for rows, ref in pairs), 3) for f in (min, max)],
        "cpu_at_equal_ssim": median(at_ssim(rows, ref[0], 2) / ref[2] for rows, ref in pairs),
    }


def main():
    frame_tool = pathlib.Path(sys.argv[1]).resolve().parent / "benchmarks/render/frame_tool"
    if len(sys.argv) < 3:
        sys.exit("bench: which folder of photographs?")
    photographs = sorted(pathlib.Path(sys.argv[2]).resolve().glob("*.jpg"))
    presets = sys.argv[3].split(",") if len(sys.argv) > 3 else PRESETS
    if not photographs:
        sys.exit(f"bench: no JPEG files in {sys.argv[2]}")
    presets = [REFERENCE[0]] + [preset for preset in presets if preset != REFERENCE[0]]
    os.environ.setdefault("PYTOON_CONFIG_DIR", str(ROOT / "config"))
    table = []
    with tempfile.TemporaryDirectory(prefix="pytoon-bench-") as name:
        folder = pathlib.Path(name)
        for number, request in enumerate(requests(photographs, folder)):
            frames = folder / "frames.nv12"
            subprocess.run([str(frame_tool), "compose", str(request), str(frames)], check=True)
            table.append({preset: measured(frame_tool, frames, preset, folder)
                          for preset in presets})
            print(json.dumps({"input": INPUTS[number], **table[-1]}), file=sys.stderr, flush=True)
    for preset in presets:
        tell(summary(preset, table))


if __name__ == "__main__":
    main()
