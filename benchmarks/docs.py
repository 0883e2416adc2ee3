"""Makes docs/benchmarks.md, and the pictures in it, of benchmarks/history alone.

Usage: docs.py [FOLDER]     (scripts/dev bench docs)
FOLDER stands for docs/ of this tree. Of each result the newest line counts: history's files are
named by date. Numbers stand in no other place than history; what a goal is, and what would close
the gap to one that is missed, stands here.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks")]

import charts  # noqa: E402

HISTORY = ROOT / "benchmarks/history"
PRESETS = {"hero": "product_hero_clean", "overlay": "overlay_glow", "meme": "meme_smooth"}
RIVALS = {"filter_graph": "one hand-written ffmpeg filter graph",
          "staged": "the staged way, a process a step", "melt": "melt"}


class History:
    """Every line of every run, with the file that it is in; the newest of a kind counts."""

    def __init__(self, folder):
        self.lines = []
        for file in sorted(folder.glob("*.jsonl")):
            for text in file.read_text("utf-8").splitlines():
                self.lines.append({**json.loads(text), "file": file.name})
        self.checks = [{**json.loads(file.read_text("utf-8")), "file": file.name}
                       for file in sorted(folder.glob("*-device-check-*.json"), key=order)]

    def newest(self, **wanted):
        """None where nothing like that was measured."""
        for line in reversed(self.lines):
            if all(line.get(key) == value for key, value in wanted.items()):
                return line
        return None

    def run(self, keys, **wanted):
        """The newest of each value of `keys`, in the order of the first sight."""
        found = {}
        for line in self.lines:
            if all(line.get(key) == value for key, value in wanted.items()):
                found[tuple(line.get(key) for key in keys)] = line
        return list(found.values())

    def check(self, *path):
        """(a value of the newest check that has it, that check)."""
        for check in reversed(self.checks):
            value = check
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                return value, check
        return None, None


def order(file):
    """2026-11-27-device-check-h200-10 comes after -9 and those without a number."""
    number = re.search(r"-(\d+)\.json$", file.name)
    return file.name[:10], int(number.group(1)) if number else 0, file.name


def shown(value, digits=2):
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"


def source(line):
    """Where a number comes from: the file, and as far as the line says, commit and load."""
    parts = [f"`{line['file']}`"]
    if "commit" in line:
        parts.append(line["commit"])
    if "load" in line:
        parts.append(f"load {line['load']}")
    return ", ".join(parts)


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(out + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


# ---- goals -------------------------------------------------------------------------------------

PARTS = {"x264": "x264", "frames": "handing it frames", "composing": "composing", "sound": "sound",
         "pictures": "decoders", "start": "linking", "rest": "rest"}


def floor_rest(profile):
    """What would close the gap to encoding alone."""
    if profile is None:
        return "its profile is not measured"
    parts = sorted(profile["percent"].items(), key=lambda part: -part[1])
    told = ", ".join(f"{PARTS[name]} {shown(share, 0)} %" for name, share in parts)
    return f"processor time: {told}. Composing on a card, and a quicker AAC encoder for sound"


def rival_rest(line, profile):
    """What would close the gap to a rival, and where it ends."""
    if line is None or profile is None:
        return "its profile is not measured"
    bound = line["cpu_ratio_to_ours"] / profile["percent"]["x264"] * 100
    return (f"x264, which both run, is {shown(profile['percent']['x264'], 0)} % of our processor "
            f"time: were all else free, it would be {shown(bound, 1)}. As for the floor")


class Goal:
    """at_most or at_least: what is wanted; line and key: what was measured."""

    def __init__(self, name, line, key, wanted, at_least=False, digits=2, unit="", closes=""):
        self.name, self.line, self.wanted, self.at_least = name, line, wanted, at_least
        self.value = line.get(key) if line else None
        self.digits, self.unit, self.closes = digits, unit, closes

    def met(self):
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted

    def row(self):
        wanted = (">= " if self.at_least else "<= ") + shown(self.wanted, self.digits) + self.unit
        if self.value is None:
            return [self.name, wanted, "not measured", "", ""]
        verdict = "met" if self.met() else "**missed**"
        return [self.name, wanted, shown(self.value, self.digits) + self.unit, verdict,
                source(self.line)]


def goals(history):
    made = []
    def profile_of(name):
        return history.newest(benchmark="profile", preset=PRESETS[name])

    for name, preset in PRESETS.items():
        floor = history.newest(benchmark="render", preset=preset)
        rest = floor_rest(profile_of(name))
        made.append(Goal(f"15 s {name}: wall over encoding alone, on all cores", floor,
                         "wall_ratio", 1.20, closes=rest))
        made.append(Goal(f"15 s {name}: CPU over encoding alone", floor, "cpu_ratio", 1.15,
                         closes=rest))
    for name, wanted in (("hero", 1.9), ("overlay", 2.3), ("meme", 1.5)):
        line = history.newest(benchmark="against", preset=PRESETS[name], renderer="filter_graph")
        made.append(Goal(f"{name}: times as fast as the filter graph", line, "wall_ratio_to_ours",
                         wanted, True, closes=rival_rest(line, profile_of(name))))
    for name, wanted in (("hero", 8), ("overlay", 30)):
        line = history.newest(benchmark="against", preset=PRESETS[name], renderer="staged")
        made.append(Goal(f"{name}: times as fast as the staged way", line, "wall_ratio_to_ours",
                         wanted, True, closes=rival_rest(line, profile_of(name))))

    def length(seconds):
        return history.newest(benchmark="scaling", what="length", seconds=seconds)

    made += [
        Goal("1 s: the whole command", length(1), "wall_s", 0.7, unit=" s",
             closes="linking the libraries of FFmpeg and libvips, in the decoders' process too, "
                    "and the database's tables, which a server has behind it; then the thumbnail, "
                    "on one core"),
        Goal("3 s job over a 15 s one", length(3), "wall_ratio_to_15_s", 0.25,
             closes="starting the program, and two pieces of half the length on two cores"),
        Goal("60 s job over a 15 s one", length(60), "wall_ratio_to_15_s", 4.05,
             closes="nothing of ours grows faster than the film: compare the CPU ratio"),
        Goal("peak memory of 60 s", length(60), "peak_mib", 381, digits=0, unit=" MiB",
             closes="x264's frames in each of the pieces in work, and the cache of pictures"),
        Goal("peak memory, 60 s over 15 s", length(60), "peak_ratio_to_15_s", 1.05,
             closes="heaps of threads that keep what encoders gave back"),
        Goal("assembly of 60 s", length(60), "assembly_ms", 200, digits=0, unit=" ms",
             closes="the film is copied twice: joined, then published"),
        Goal("start to ready, warm", history.newest(benchmark="scaling", what="start",
                                                    cache="warm"),
             "ready_ms", 300, digits=0, unit=" ms",
             closes="the registry of GStreamer and the encoder's probe run before the port opens"),
        Goal("first frame after a lease, warm server, new images",
             history.newest(benchmark="scaling", what="lease", images="new"),
             "first_frame_ms", 150, digits=0, unit=" ms",
             closes="decoding and scaling the pictures, and drawing what stands behind each "
                    "caption, all of them before the first frame, two at a time"),
    ]
    for name, path, wanted in (("composed frames a second, alone", "hero", 40_000),
                               ("composed frames a second beside a busy neighbour", "neighbour",
                                3_000)):
        scenes, check = history.check(path, "scenes")
        line = {**check, **scenes[0]} if scenes else None
        made.append(Goal(f"card: hero, {name}", line, "composed_per_s", wanted, True, digits=0,
                         closes="larger batches"))
    ratio, check = history.check("encoding_bounds", "ratio")
    made.append(Goal("card: 15 s with x264 on 16 cores over encoding alone",
                     {**check, "ratio": ratio} if check else None, "ratio", 1.05,
                     closes="the first frame: decoding, scaling and blurring pictures is on one "
                            "core each"))
    return made


def goals_section(history):
    made = goals(history)
    missed = [goal for goal in made if goal.value is not None and not goal.met()]
    out = [table(["what", "goal", "measured", "", "from"], [goal.row() for goal in made])]
    if missed:
        out.append("What is missed, and what would close it:\n\n" + "\n".join(
            f"- {goal.name}: {goal.closes}." for goal in missed))
    return "\n\n".join(out)


# ---- sections ----------------------------------------------------------------------------------


def floor_section(history, pictures):
    lines = [history.newest(benchmark="render", preset=preset) for preset in PRESETS.values()]
    named = [(name, line) for name, line in zip(PRESETS, lines) if line]
    if not named:
        return None
    pictures["bench-floor"] = charts.bars(
        "A whole job over encoding its frames alone, wall time",
        "15 s, the same x264 settings, encoding perfectly divided over all cores; 1 is the floor",
        [(name, line["wall_ratio"], True) for name, line in named], goal=1.2, text="{:.3f}")
    rows = [[name, shown(line["job_wall_s"]), shown(line["job_cpu_s"]),
             shown(line["job_peak_mib"], 0), shown(line["encode_only_wall_s"]),
             shown(line["encode_only_cpu_s"]), shown(line["wall_ratio"], 3),
             shown(line["cpu_ratio"], 3), source(line)] for name, line in named]
    return table(["15 s", "wall s", "CPU s", "peak MiB", "encoding alone, wall s",
                  "encoding alone, CPU s", "wall ratio", "CPU ratio", "from"], rows)


def profile_section(history, _pictures):
    lines = [(name, history.newest(benchmark="profile", preset=preset))
             for name, preset in PRESETS.items()]
    rows = [[name, *(shown(line["percent"].get(part, 0), 1) for part in PARTS), source(line)]
            for name, line in lines if line]
    if not rows:
        return None
    return table(["15 s", *PARTS.values(), "from"], rows)


def against_section(history, pictures):
    rows, drawn = [], []
    for name, preset in PRESETS.items():
        for line in history.run(["renderer"], benchmark="against", preset=preset):
            renderer = line["renderer"]
            quality = line.get("ssim_to_own_frames")
            rows.append([name, RIVALS.get(renderer, renderer), shown(line["wall_s"]),
                         shown(line["cpu_s"]), shown(line["peak_mib"], 0),
                         shown(line["bytes"] / 1e6), quality if quality else "",
                         shown(line["wall_ratio_to_ours"]), source(line)])
            drawn.append((f"{name}, {renderer.replace('_', ' ')}", line["wall_ratio_to_ours"],
                          renderer == "ours"))
    if not rows:
        return None
    pictures["bench-against"] = charts.bars(
        "Wall time of a 15 s job, ours is 1", "the same x264 preset; medians of ratios in turn",
        drawn, text="{:.2f}")
    return table(["15 s", "made by", "wall s", "CPU s", "peak MiB", "MB", "SSIM to its frames",
                  "wall over ours", "from"], rows)


def length_section(history, pictures):
    lines = history.run(["seconds"], benchmark="scaling", what="length")
    if not lines:
        return None
    lines.sort(key=lambda line: line["seconds"])
    points = [(line["seconds"], line["wall_s"]) for line in lines]
    usual = next(line for line in lines if line["seconds"] == 15)
    last = points[-1][0]
    pictures["bench-length"] = charts.line(
        "Wall time by length", "pytoon render, product_hero_clean", points,
        [(0, 0), (last, usual["wall_s"] * last / 15)],
        ("seconds of video", "seconds", "in proportion to 15 s"))
    pictures["bench-memory"] = charts.bars(
        "Peak memory by length, MiB", "the largest process of the command",
        [(f"{line['seconds']} s", line["peak_mib"], True) for line in lines], goal=381,
        text="{:.0f}")
    rows = [[line["seconds"], shown(line["wall_s"]), shown(line["cpu_s"]),
             shown(line["wall_ratio_to_15_s"], 3), shown(line["cpu_ratio_to_15_s"], 3),
             shown(line["peak_mib"], 0), shown(line["assembly_ms"], 0), source(line)]
            for line in lines]
    return table(["s of video", "wall s", "CPU s", "wall over 15 s", "CPU over 15 s", "peak MiB",
                  "assembly ms", "from"], rows)


def cores_section(history, pictures):
    lines = history.run(["cores", "on_cores"], benchmark="scaling", what="cores")
    if not lines:
        return None
    machine = lines[-1]["cores"]
    lines = sorted((line for line in lines if line["cores"] == machine),
                   key=lambda line: line["on_cores"])
    last = lines[-1]["on_cores"]
    pictures["bench-cores"] = charts.line(
        "Times as fast as on one core", "a job of 15 s, as many threads as cores",
        [(line["on_cores"], line["speedup"]) for line in lines], [(1, 1), (last, last)],
        ("cores", "times as fast", "in proportion"))
    rows = [[line["on_cores"], shown(line["wall_s"]), shown(line["cpu_s"]),
             shown(line["speedup"]), shown(line["efficiency"], 3), source(line)] for line in lines]
    return table(["cores", "wall s", "CPU s", "times as fast", "of the ideal", "from"], rows)


def start_section(history, pictures):
    lines = history.run(["cache"], benchmark="scaling", what="start")
    if not lines:
        return None
    pictures["bench-start"] = charts.bars(
        "From exec to ready, ms", "pytoon serve; cold: an empty cache folder",
        [(line["cache"], line["ready_ms"], True) for line in lines], goal=300, text="{:.0f}")
    rows = [[f"from exec to ready, {line['cache']} cache", shown(line["ready_ms"], 0),
             source(line)] for line in lines]
    rows += [[f"from a lease to the first frame, {line['images']} images",
              shown(line["first_frame_ms"], 0), source(line)]
             for line in history.run(["images"], benchmark="scaling", what="lease")]
    return table(["what", "ms", "from"], rows)


def rerender_section(history, pictures):
    names = {"new": "new", "same_again": "the same again", "another_cta": "another call to action"}
    lines = history.run(["job"], benchmark="scaling", what="rerender")
    if not lines:
        return None
    pictures["bench-rerender"] = charts.bars(
        "A job of 15 s in a server, seconds", "segments that were finished before are taken",
        [(names[line["job"]], line["wall_s"], True) for line in lines], text="{:.2f}")
    return table(["job", "s", "segments of 5 taken", "over a new one", "from"],
                 [[names[line["job"]], shown(line["wall_s"]), shown(line["segments_reused"], 0),
                   shown(line["wall_ratio_to_new"], 3), source(line)] for line in lines])


def fleet_section(history, _pictures):
    rows = []
    two = history.newest(benchmark="fleet")
    if two:
        rows.append(["60 s job on two workers over one", shown(two["ratio"], 3), "", source(two)])
    tenants = history.newest(benchmark="scaling", what="tenants", tenants=10)
    if tenants:
        rows.append(["ten jobs of ten tenants over ten of one",
                     shown(tenants["wall_ratio_to_one"], 3), "", source(tenants)])
    requests = history.newest(benchmark="server", what="requests")
    if requests:
        for name, goal in (("get", "get_p99_ms"), ("post", "post_p99_ms")):
            rows.append([f"{name.upper()} while rendering, 200 requests/s, 99th percentile, ms",
                         shown(requests[name]["p99_ms"]), shown(requests["target"][goal]),
                         source(requests)])
    followers = history.newest(benchmark="server", what="followers")
    if followers:
        rows.append([f"{followers['followers']:,} followers: longest delay, ms",
                     shown(followers["delay"]["max_ms"]), shown(followers["target"]["max_ms"]),
                     source(followers)])
    noisy = history.newest(benchmark="noisy")
    if noisy:
        rows.append(["a quiet tenant's job beside a noisy one, over alone",
                     shown(noisy["job_ratio"]), shown(noisy["target"]["job_ratio"]),
                     source(noisy)])
        rows.append(["its GET beside a noisy one, 99th percentile, ms",
                     shown(noisy["beside"]["get_p99_ms"]), shown(noisy["target"]["get_p99_ms"]),
                     source(noisy)])
    hostile = history.newest(bench="hostile")
    if hostile:
        sent = f"{hostile['uploads']:,} mutated uploads, {hostile['requests']:,} malformed requests"
        rows.append([f"{sent}: slowest answer, s", shown(hostile["slowest_s"]), "10",
                     source(hostile)])
    return table(["what", "measured", "goal", "from"], rows) if rows else None


SECTIONS = [
    ("A job over its floor", floor_section, ["bench-floor"],
     "Encoding the same finished frames from a file, with the same x264 settings, in the same "
     "pieces, on all cores:\nnothing that composes can be faster (`scripts/dev bench render`)."),
    ("Where its time goes", profile_section, [],
     "Percent of the processor time, of all processes (`scripts/dev bench profile`)."),
    ("Beside other ways", against_section, ["bench-against"],
     "In turn with ours, at the same x264 preset as it comes (`scripts/dev bench against`)."),
    ("By length", length_section, ["bench-length", "bench-memory"],
     "`scripts/dev bench scaling length`."),
    ("By cores", cores_section, ["bench-cores"], "`scripts/dev bench scaling cores`."),
    ("Starting", start_section, ["bench-start"], "`scripts/dev bench scaling start lease`."),
    ("Nothing is drawn twice", rerender_section, ["bench-rerender"],
     "`scripts/dev bench scaling rerender`; what is taken, and when: "
     "[operations](operations.md#processes)."),
    ("The service", fleet_section, [],
     "`scripts/dev bench fleet`, `scaling tenants`, `server`, `noisy`. Admission control has a "
     "page of its own: [admission](admission.md)."),
]

HEAD = """# Benchmarks

Made by `scripts/dev bench docs` of [benchmarks/history](../benchmarks/history/README.md) and of
nothing else: to change a number here, measure anew, put the lines there and run it again. Machines
are shared: ratios of one run say more than seconds. Each number names its run and, where the line
has it, commit and load (of the last minute).
"""


def page(history):
    """(the page, {name of a picture: its SVG})."""
    pictures = {}
    out = [HEAD, "## Goals\n", goals_section(history) + "\n"]
    for title, section, names, about in SECTIONS:
        told = section(history, pictures)
        out += [f"## {title}\n", about + "\n"]
        if told is None:
            out.append("Not measured yet.\n")
            continue
        out.append(told + "\n")
        out += [f"![{name.removeprefix('bench-')}](images/{name}.svg)\n"
                for name in names if name in pictures]
    return "\n".join(out).rstrip() + "\n", pictures


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    text, pictures = page(History(HISTORY))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text(text, "utf-8")
    for old in (folder / "images").glob("bench-*.svg"):
        if old.stem not in pictures:
            old.unlink()
    for name, drawn in pictures.items():
        (folder / "images" / f"{name}.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    main()
