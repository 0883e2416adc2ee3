#!/usr/bin/env python3
"""What decoding in a confined process costs over decoding here, file by file, in one run.

bench.py PYTOON DECODER_TOOL [TURNS]

Exit status 1 when an inspection costs more than 5 ms over its decoding (median).
"""

import json
import pathlib
import subprocess
import sys
import tempfile

OVER_MS_MAX = 5.0
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def main():
    pytoon, tool = sys.argv[1:3]
    turns = sys.argv[3] if len(sys.argv) > 3 else "21"
    with tempfile.TemporaryDirectory() as folder:
        clip = pathlib.Path(folder) / "clip.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=640x360:d=2",
                        "-pix_fmt", "yuv420p", "-c:v", "libx264", str(clip)], check=True)
        files = [EXAMPLES / name for name in ("logo.png", "product_cutout.png",
                                              "product_front.jpg", "evening.mp3")]
        done = subprocess.run([tool, pytoon, turns, *map(str, files), str(clip)],
                              stdout=subprocess.PIPE, text=True, check=True)
    print(f"{'what':8} {'file':20} {'here':>9} {'confined':>9} {'over':>8} {'ratio':>6}")
    slow = False
    for line in done.stdout.splitlines():
        row = json.loads(line)
        print(f"{row['what']:8} {row['file']:20} {row['here_ms']:6.2f} ms"
              f" {row['confined_ms']:6.2f} ms {row['over_ms']:5.2f} ms {row['ratio']:6.3f}")
        slow = slow or row["what"] == "inspect" and row["over_ms"] > OVER_MS_MAX
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
