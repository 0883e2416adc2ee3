"""One term for one thing: the words that docs/glossary.md refuses are used nowhere.

The third column of its table holds them in backticks; `word` in folder, folder limits a word to
those folders, else it is refused everywhere. `word()` is refused as a call or declaration only,
`word*` also as the beginning of a longer word.
"""

import re

from tree import Finding

GLOSSARY = "docs/glossary.md"
# History keeps its words: what was released, measured and migrated.
EXEMPT = ("CHANGELOG.md", GLOSSARY, "benchmarks/history/", "docs/adr/", "server/io/migrations/",
          "tests/tidy/")
_ENTRY = re.compile(r"`([^`]+)`(?: in ([\w/, ]+?))?(?=,\s*`|$)")


def refused(glossary_lines):
    """(pattern, word, folders, term) of each refused word."""
    for line in glossary_lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| ") or len(cells) != 3 or cells[0] in ("term", "---"):
            continue
        for word, folders in _ENTRY.findall(cells[2]):
            name = word.removesuffix("()").removesuffix("*")
            tail = r"\(" if word.endswith("()") else "" if word.endswith("*") else r"(?!\w)"
            yield (re.compile(r"(?<!\w)" + re.escape(name) + tail), word,
                   tuple(f.strip() + "/" for f in folders.split(",") if f.strip()), cells[0])


def check(files):
    glossary = next((file for file in files if file.path == GLOSSARY), None)
    if glossary is None:
        return []
    rules = list(refused(glossary.lines))
    found = []
    for file in files:
        if file.binary or file.path.startswith(EXEMPT):
            continue
        mine = [r for r in rules if not r[2] or file.path.startswith(r[2])]
        for number, line in enumerate(file.lines, 1):
            for pattern, word, _, term in mine:
                if pattern.search(line):
                    found.append(Finding(file.path, number, "term",
                                         f"{word}: say {term} ({GLOSSARY})"))
    return found
