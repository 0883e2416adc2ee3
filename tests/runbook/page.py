"""The page as a list of steps: its command blocks with what they must print, and the directions
for the stage. See runbook.py for the rules; each that is broken raises with the line's number.
"""

import dataclasses
import re

NOT_RUN = "# Not run here, needs "
NEEDS = ("docker", "podman", "kubectl", "systemctl", "a card", "a newer package", "ComfyUI")
DIRECTION = re.compile(r"<!-- stage: ([a-z_]+) -->")


@dataclasses.dataclass
class Block:
    line: int
    chapter: str
    text: str
    expected: str | None = None  # None: the exit status is all that counts
    needs: str = ""              # what the stage has not; such a block is not run


@dataclasses.dataclass
class Direction:
    line: int
    chapter: str
    name: str


class PageError(Exception):
    pass


def _needs(block):
    first = block.text.splitlines()[0] if block.text else ""
    if not first.startswith(NOT_RUN):
        return ""
    needs = first.removeprefix(NOT_RUN).rstrip(".")
    if needs not in NEEDS:
        raise PageError(f"line {block.line}: {needs!r} is none of {NEEDS}")
    word = needs.split()[-1]
    if needs in ("docker", "kubectl", "systemctl", "podman") and word not in "\n".join(
            block.text.splitlines()[1:]):
        raise PageError(f"line {block.line}: says that it needs {needs} and does not use it")
    return needs


def read_page(text):
    steps, chapter = [], ""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(("## ", "### ")):
            chapter = line.lstrip("# ")
        elif found := DIRECTION.fullmatch(line.strip()):
            steps.append(Direction(at, chapter, found[1]))
        elif line.lstrip().startswith("```"):
            at = _read_block(lines, at, chapter, steps)
    return steps


def _read_block(lines, at, chapter, steps):
    """Reads the block whose fence is the line before `at`; gives where it ends."""
    begin, fence = at, lines[at - 1].strip()
    while at < len(lines) and lines[at].strip() != "```":
        at += 1
    if at == len(lines):
        raise PageError(f"line {begin}: the block has no end")
    body = "\n".join(lines[begin:at])
    if fence == "```sh":
        block = Block(begin, chapter, body)
        block.needs = _needs(block)
        steps.append(block)
    elif fence == "```text":
        last = steps[-1] if steps else None
        between = [one for one in lines[last.line + len(last.text.splitlines()) + 1:begin - 1]
                   if one.strip()] if isinstance(last, Block) else None
        if not isinstance(last, Block) or last.expected is not None or len(between) > 1:
            raise PageError(f"line {begin}: no command block is just before this text")
        last.expected = body
    else:
        raise PageError(f"line {begin}: {fence} is neither ```sh nor ```text; nothing else would "
                        "be tested")
    return at + 1


def matches(printed, expected):
    """`...` stands for anything within a line; a line of it alone for any lines, or none."""
    pattern = ""
    for line in expected.strip("\n").split("\n"):
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            words = r"\s+".join(
                ".*?".join(re.escape(part) for part in word.split("..."))
                for word in line.split())
            pattern += r"[ \t]*" + words + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None
