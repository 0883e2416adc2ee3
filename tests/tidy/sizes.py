"""Sizes: lines of a file, lines of a function, columns of a line."""

import re

from tree import Finding

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

_TYPE = re.compile(r"\b(class|struct|union|enum)\b(?![^{]*\)\s*$)")


def _kind(head, inside_function):
    """What a `{` opens, from the text of the statement before it."""
    head = head.strip()
    if inside_function:
        return "block"
    if re.search(r"\bnamespace\b", head) or re.search(r'\bextern\s*""\s*$', head):
        return "scope"
    if head.endswith(("=", "(", ",", "return")) or "(" not in head:
        return "scope" if _TYPE.search(head) else "value"
    if _TYPE.match(re.sub(r"^template\s*<[^{]*?>\s*", "", head)):
        return "scope"
    return "function"


def functions(code_lines):
    """(first line, last line, name) of each outermost function body; a brace heuristic."""
    found, stack = [], []  # stack of (kind, head's first line, head)
    head, head_line = "", 0
    for number, line in enumerate(code_lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for char in line + "\n":
            if char == "{":
                inside = any(kind in ("function", "value") for kind, _, _ in stack)
                stack.append((_kind(head, inside), head_line or number, head))
                head, head_line = "", 0
            elif char == "}":
                if stack:
                    kind, first, opened = stack.pop()
                    if kind == "function":
                        found.append((first, number, _name(opened)))
                head, head_line = "", 0
            elif char == ";":
                head, head_line = "", 0
            else:
                if not head.strip() and not char.isspace():
                    head_line = number
                head += char
    return found


def _name(head):
    match = re.search(r"([~\w:]+)\s*\(", head)
    return match.group(1) if match else "function"


def _python_functions(lines):
    found, open_defs = [], []
    last_text = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        while open_defs and indent <= open_defs[-1][0] and not line.lstrip().startswith(")"):
            found.append((open_defs[-1][1], last_text, open_defs.pop()[2]))
        match = re.match(r"\s*def (\w+)", line)
        if match:
            open_defs.append((indent, number, match.group(1)))
        last_text = number
    return found + [(first, last_text, name) for _, first, name in open_defs]


def check(files):
    found = []
    for file in files:
        if not file.is_code:
            continue
        if len(file.lines) > FILE_LINES_MAX:
            found.append(Finding(file.path, len(file.lines), "file-size",
                                 f"{len(file.lines)} lines, at most {FILE_LINES_MAX}"))
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                found.append(Finding(file.path, number, "columns",
                                     f"{len(line)} columns, at most {COLUMNS_MAX}"))
        bodies = functions(file.code) if file.is_cpp else (
            _python_functions(file.lines) if file.path.endswith(".py") else [])
        for first, last, name in bodies:
            if last - first + 1 > FUNCTION_LINES_MAX:
                found.append(Finding(file.path, first, "function-size", (
                    f"{name} has {last - first + 1} lines, at most {FUNCTION_LINES_MAX}")))
    return found
