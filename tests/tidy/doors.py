"""Who may include whom: rooms, foreign libraries, cycles.

The corridor is base <- gpu <- pipeline <- engines <- server: a file includes only rooms to its
left, and each foreign library lives in one room. Tests and benchmarks mirror the rooms: they may
open any door of ours, but use only the foreign libraries of the room they mirror.
"""

import posixpath
import re

from tree import Finding

# Each room and the rooms it may include besides itself. A prefix stands for all beneath it.
ROOMS = {
    "base": [],
    "gpu": ["base"],
    "gpu/cpu": ["base", "gpu"],
    "gpu/cuda": ["base", "gpu"],
    "pipeline/spec": ["base", "gpu"],
    "pipeline/plan": ["base", "gpu", "pipeline/spec"],
    "pipeline/media": ["base", "gpu"],
    "pipeline/render": ["base", "gpu", "pipeline/spec", "pipeline/plan", "pipeline/media"],
    "engines": ["base", "gpu", "pipeline"],
    "server/jobs": ["base", "gpu", "pipeline", "engines"],
    "server/io": ["base", "gpu", "pipeline", "engines", "server/jobs"],
    "server/observe": ["base", "gpu", "pipeline", "engines", "server/jobs"],
    "server/worker": ["base", "gpu", "pipeline", "engines", "server/jobs"],
    "server/http": ["base", "gpu", "pipeline", "engines", "server/jobs"],
    "server/app": ["base", "gpu", "pipeline", "engines", "server"],
    "server": ["base", "gpu", "pipeline", "engines", "server"],
}
# Devices hide behind gpu/device.h: rooms outside gpu/ don't name them, except where all is wired.
DEVICE_FOLDERS = ("gpu/cpu", "gpu/cuda")

# The beginning of a foreign header's name -> rooms that may include it.
FOREIGN = {
    "nlohmann/": ["base", "gpu", "pipeline", "engines", "server"],
    "yaml-cpp/": ["base"],
    "openssl/": ["base"],
    "curl/": ["base"],
    "boost/": ["base"],
    "unicode/": ["base"],
    "cuda": ["gpu/cuda"],
    "nvml.h": ["gpu/cuda"],
    "nvrtc.h": ["gpu/cuda"],
    "valijson/": ["pipeline/spec"],
    "gst/": ["pipeline/media"],
    "glib": ["pipeline/media"],
    "gio/": ["pipeline/media"],
    "libavcodec/": ["pipeline/media"],
    "libavformat/": ["pipeline/media"],
    "libavutil/": ["pipeline/media"],
    "libavfilter/": ["pipeline/media"],
    "libswscale/": ["pipeline/media"],
    "libswresample/": ["pipeline/media"],
    "ffnvcodec/": ["pipeline/media"],
    "vips/": ["pipeline/media"],
    "libheif/": ["pipeline/media"],
    "webp/": ["pipeline/media"],
    "seccomp.h": ["pipeline/media"],
    "pango/": ["pipeline/media"],
    "cairo": ["pipeline/media"],
    "fontconfig/": ["pipeline/media"],
    "ft2build.h": ["pipeline/media"],
    "freetype": ["pipeline/media"],
    "hb": ["pipeline/media"],
    "pistache/": ["server/http"],
    "sqlite3.h": ["server/io"],
    "pqxx/": ["server/io"],
    "libpq-fe.h": ["server/io"],
    "pugixml.hpp": ["server/io"],
    "hiredis/": ["server/io"],
    "prometheus/": ["server/observe"],
    "CLI/": ["server", "server/app"],
}
ONLY_IN_TESTS = ("gtest/", "gmock/", "valijson/", "ebur128.h")
MIRRORS = ("tests/", "benchmarks/")

# Headers of the operating system that the rooms may use.
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/")
SYSTEM_HEADERS = {
    "cpuid.h", "dirent.h", "dlfcn.h", "elf.h", "execinfo.h", "fcntl.h", "grp.h", "immintrin.h",
    "locale.h", "malloc.h", "netdb.h", "poll.h", "pthread.h", "pwd.h", "sched.h", "semaphore.h",
    "signal.h", "spawn.h", "termios.h", "ucontext.h", "unistd.h", "x86intrin.h",
}

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(file):
    """(line number, quoted?, name) of each #include that is not commented out."""
    found = []
    for number, (line, code) in enumerate(zip(file.lines, file.code), 1):
        match = _INCLUDE.match(line)
        if match and code.strip().startswith("#"):
            found.append((number, match.group(1) == '"', match.group(2)))
    return found


def room_of(path):
    """The longest room name that the path lies in, or None."""
    folder = posixpath.dirname(path)
    while folder:
        if folder in ROOMS:
            return folder
        folder = posixpath.dirname(folder)
    return None


def mirrored(path):
    """(path without tests/ or benchmarks/, whether there was one)."""
    for prefix in MIRRORS:
        if path.startswith(prefix):
            return path[len(prefix):], True
    return path, False


def _within(room, allowed):
    return any(room == a or room.startswith(a + "/") for a in allowed)


def _door(file, number, target):
    room, other = room_of(file.path), room_of(target)
    if room is None or other is None or room == other:
        return []
    if other in DEVICE_FOLDERS and room not in ("server", "server/app"):
        return [Finding(file.path, number, "door", f"{other} is reached through gpu/device.h")]
    if _within(other, ROOMS[room]):
        return []
    return [Finding(file.path, number, "door", f"{room} may not include {target} of {other}")]


def _foreign(file, number, name):
    path, is_test = mirrored(file.path)
    if is_test and name.startswith(ONLY_IN_TESTS):
        return []
    rooms = next((FOREIGN[p] for p in FOREIGN if name.startswith(p)), None)
    if rooms is None:
        known = ("." not in name and "/" not in name) or name in SYSTEM_HEADERS \
            or name.startswith(SYSTEM_FOLDERS)
        return [] if known else [Finding(file.path, number, "foreign", (
            f"<{name}> belongs to no room yet: give its library one in tests/tidy/doors.py"))]
    room = room_of(path)
    if name.startswith("nlohmann/") or (room is not None and _in_rooms(room, rooms)):
        return []
    if is_test and room is None and _in_rooms(rooms[0], [path.split("/")[0]]):
        return []  # a test of a whole floor, such as tests/pipeline/
    return [Finding(file.path, number, "foreign", f"<{name}> lives in {' and '.join(rooms)} only")]


def _in_rooms(room, rooms):
    # "server" alone means main.cpp, not every room of the service.
    return any(room == r or (r != "server" and room.startswith(r + "/")) for r in rooms)


def _cycle_from(start, edges, done):
    """The files of the first cycle met from `start`, or None; iterative depth-first search."""
    path, on_path = [], set()
    stack = [(start, iter(sorted(edges.get(start, ()))))]
    path.append(start)
    on_path.add(start)
    while stack:
        node, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            stack.pop()
            on_path.discard(path.pop())
            done.add(node)
        elif step in on_path:
            return path[path.index(step):] + [step]
        elif step not in done:
            stack.append((step, iter(sorted(edges.get(step, ())))))
            path.append(step)
            on_path.add(step)
    return None


def _cycles(edges):
    done = set()
    for start in sorted(edges):
        if start in done:
            continue
        cycle = _cycle_from(start, edges, done)
        if cycle:
            return [Finding(cycle[0], 1, "cycle", " -> ".join(cycle))]
    return []


def check(files):
    found, edges = [], {}
    known = {f.path for f in files} | {f.path[:-3] for f in files if f.path.endswith(".in")}
    for file in files:
        if not file.is_cpp:
            continue
        for number, quoted, name in includes(file):
            beside = posixpath.join(posixpath.dirname(file.path), name)
            if mirrored(file.path)[1] and beside in known:
                name = beside  # tests may name what lies beside them
            if not quoted:
                found += _foreign(file, number, name)
            elif name not in known:
                found.append(Finding(file.path, number, "include", (
                    f'"{name}" is no file of the tree; write the path from the root, '
                    "foreign headers in <>")))
            else:
                found += _door(file, number, name)
                edges.setdefault(file.path, set()).add(name)
    return found + _cycles(edges)
