"""The map and the land agree: folders that docs/architecture.md draws, paths and links in the docs.

In docs/architecture.md the tree is the first fenced block with lines such as `name/  what it is`;
two spaces of indent are one level. Every folder drawn must exist, and every room that exists must
be drawn. In all *.md files, relative links lead somewhere, and a `path/in/backticks` that starts
with a top-level folder of the tree is a file or folder of it.
"""

import posixpath
import re

import doors
from tree import Finding

MAP = "docs/architecture.md"
_ENTRY = re.compile(r"^( *)([\w.-]+/)(?:\s|$)")
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?)`")


def drawn_folders(lines):
    """(line number, path) of each folder in the first tree block."""
    drawn, fence, levels = [], False, []
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if fence and drawn:
                break
            fence = not fence
            continue
        match = _ENTRY.match(line) if fence else None
        if match:
            del levels[len(match.group(1)) // 2:]
            levels.append(match.group(2))
            drawn.append((number, "".join(levels).rstrip("/")))
    return drawn


def _existing(files):
    folders = set()
    for file in files:
        folder = posixpath.dirname(file.path)
        while folder:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return folders


def _map(files, folders):
    page = next((f for f in files if f.path == MAP), None)
    if page is None:
        return [Finding(MAP, 1, "map", "the map of the house is missing")]
    drawn = drawn_folders(page.lines)
    if not drawn:
        return [Finding(MAP, 1, "map", "no tree of folders is drawn")]
    found = [Finding(MAP, number, "map", f"{path}/ is drawn but does not exist")
             for number, path in drawn if path not in folders]
    names = {path for _, path in drawn}
    rooms = {f for f in folders if "/" not in f and not f.startswith(".")} \
        | {r for r in doors.ROOMS if r in folders}
    found += [Finding(MAP, 1, "map", f"{room}/ exists but is not drawn")
              for room in sorted(rooms - names)]
    return found


def _references(page, paths, folders):
    found, here = [], posixpath.dirname(page.path)
    tops = {p.split("/")[0] for p in paths if "/" in p}
    for number, line in enumerate(page.lines, 1):
        for target in _LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            path = posixpath.normpath(posixpath.join(here, target))
            if path not in paths and path not in folders:
                found.append(Finding(page.path, number, "link", f"{target} leads nowhere"))
        for name in _PATH.findall(line):
            path = name.rstrip("/")
            if path.split("/")[0] in tops and path not in paths and path not in folders:
                found.append(Finding(page.path, number, "link", f"{name} is not in the tree"))
    return found


def check(files):
    folders = _existing(files)
    paths = {f.path for f in files}
    found = _map(files, folders)
    for file in files:
        if file.path.endswith(".md"):
            found += _references(file, paths, folders)
    return found
