#!/usr/bin/env python3
"""Writes the console's files as C++ constants (server/http/console.h).

usage: embed_console.py FOLDER OUTPUT.cpp
"""

import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE = "index.html"


def slim(name, data):
    """Scripts and styles without comments on lines of their own and without indentation."""
    if not name.endswith((".js", ".css")):
        return data
    lines = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        line = line.strip()
        if line.count("`") % 2:
            raise SystemExit(f"{name}:{number}: a text over several lines would lose its blanks")
        comment = line.startswith("//") or line.startswith("/*") and line.endswith("*/")
        if line and not comment:
            lines.append(line)
    return ("\n".join(lines) + "\n").encode()


def literal(data):
    """Bytes as a C++ string, in lines that every compiler takes."""
    plain = {ord("\n"): "\\n", ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    lines = []
    for start in range(0, len(data), 4000):
        text = "".join(
            plain.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
            for byte in data[start:start + 4000])
        lines.append(f'    "{text}"')
    return "\n".join(lines) or '    ""'


def view(data):
    return f"std::string_view(\n{literal(data)},\n    {len(data)})"


def main(folder, output):
    root = pathlib.Path(folder)
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    data = {name: slim(name, (root / name).read_bytes()) for name in names}
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0{len(data[name])}\0".encode() + data[name])
    rows = ",\n".join(
        f'  ConsoleFile{{"{name}", "{TYPES[pathlib.PurePath(name).suffix]}", {view(data[name])}}}'
        for name in names if name != PAGE)
    count = len(names) - 1
    text = f"""// Made by embed_console.py.
#include <array>

#include "server/http/console.h"

namespace pytoon::http {{
namespace {{

const std::array<ConsoleFile, {count}> kFiles{{{{
{rows}
}}}};

}}  // namespace

std::span<const ConsoleFile> console_files() {{ return kFiles; }}

std::string_view console_page() {{
  return {view(data[PAGE])};
}}

std::string_view console_hash() {{ return "{digest.hexdigest()[:16]}"; }}

}}  // namespace pytoon::http
"""
    pathlib.Path(output).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
