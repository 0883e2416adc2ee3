"""The working tree as tidy sees it: its files, their lines, their code without comments.

Only the standard library is used, so that the check runs wherever Python 3.9 or later does.
"""

import os
import re
import subprocess
from typing import NamedTuple

CODE_ENDINGS = (".h", ".cpp", ".cu")
SCRIPT_ENDINGS = (".py", ".sh", ".cmake")
UNTRACKED_FOLDERS = {".git", "build", "storage", "data", ".cache", "__pycache__"}


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.text}"


# One alternation, read left to right, so that a quote in a comment or a comment in a string is
# taken for what it is. Numbers come first because of their separators: 1'000.
_TOKEN = re.compile(
    r"""(?P<number>(?<!\w)\.?\d(?:[\w.]|'\w)*)
      |(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<raw>\b(?:u8|[uUL])?R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)")
      |(?P<string>"(?:\\.|[^"\\\n])*")
      |(?P<char>'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL)


def _blank(match):
    kind = match.lastgroup
    text = match.group()
    if kind == "number":
        return text
    lines = "\n" * text.count("\n")
    if kind in ("raw", "fence", "string"):
        return '""' + lines
    return "0" if kind == "char" else " " + lines


def code_only(text):
    """C++ without comments, strings emptied, every line where it was."""
    return _TOKEN.sub(_blank, text)


class SourceFile:
    """One text file of the tree. `path` is relative to the root, with forward slashes."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
        self.binary = b"\0" in data[:8000]
        self.text = "" if self.binary else data.decode("utf-8", errors="replace")
        self.lines = self.text.splitlines()
        self.is_cpp = path.endswith(CODE_ENDINGS)
        self.is_code = self.is_cpp or path.endswith(SCRIPT_ENDINGS) or self._is_script()
        self._code = None

    def _is_script(self):
        name = os.path.basename(self.path)
        return name == "CMakeLists.txt" or (bool(self.lines) and self.lines[0].startswith("#!"))

    @property
    def code(self):
        """Lines of code without comments and string contents (C++ only)."""
        if self._code is None:
            self._code = code_only(self.text).splitlines() if self.is_cpp else []
        return self._code

    def says_why(self, line_number):
        """Whether the line carries an exception with its reason: `// tidy: why`."""
        return bool(re.search(r"//\s*tidy: \w.{5,}", self.lines[line_number - 1]))


def _from_git(root):
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
        top = subprocess.run(["git", "-C", root, "rev-parse", "--show-toplevel"],
                             capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    if os.path.realpath(top) != os.path.realpath(root):
        return None  # a tree that lies inside somebody else's repository
    return [name for name in done.stdout.decode().split("\0") if name]


def _from_walk(root):
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in UNTRACKED_FOLDERS)
        names += [os.path.relpath(os.path.join(folder, f), root).replace(os.sep, "/")
                  for f in files]
    return names


def read_tree(root):
    """All files that git tracks or would track; without git, all files."""
    names = _from_git(root)
    if names is None:
        names = _from_walk(root)
    files = []
    for name in sorted(set(names)):
        full = os.path.join(root, name)
        if os.path.isfile(full) and not os.path.islink(full):
            files.append(SourceFile(root, name))
    return files
