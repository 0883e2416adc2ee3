"""Words that don't belong: calls that bypass the clock, naked new, notes to self, machine paths."""

import re

from tree import Finding

# Only these files may ask the machine for the time, wait, or draw random numbers.
SOURCES_OF_CHANGE = ("base/clock.cpp", "base/ids.cpp")
BANNED_CALLS = re.compile(
    r"\b(?:system_clock|steady_clock|high_resolution_clock|file_clock|utc_clock)::now\b"
    r"|\b(?:sleep_for|sleep_until)\s*\("
    r"|(?<![\w.>])(?:std::|::)?(?:sleep|usleep|nanosleep|clock_nanosleep|clock_gettime"
    r"|gettimeofday|localtime|localtime_r|rand|srand|drand48|arc4random|getrandom)\s*\("
    r"|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\w+)?\s*\)"
    r"|\brandom_device\b|\bRAND_(?:priv_)?bytes\b|\buuid_generate\w*\b")
# A Clock's own method bears the name of the banned one: clock.sleep_for(), clock_->sleep_for().
_THROUGH_CLOCK = re.compile(r"[\w\])](?:\.|->)sleep_for\s*\(")
_DECLARES_CLOCK = re.compile(r"\bvoid sleep_for\s*\([^;{]*\)\s*(?:const\s*)?(?:override|=\s*0)?")

_NEW = re.compile(r"\b(?:new|delete)\b")
# Not naked: deleted functions, operators by name, <new>, and a pointer owned from its first moment,
# which a private constructor forces (std::make_unique can't reach it).
_NOT_NAKED = re.compile(
    r"=\s*delete\b|\boperator\s+(?:new|delete)\b|#\s*include[^\n]*"
    r"|\bunique_ptr<[^;{}()]*>\s*\w*\s*[({]\s*new\b")

# Written in halves so that this file passes its own rule.
_NOTES = ("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")
NOTES_TO_SELF = re.compile(r"\b(?:" + "|".join(_NOTES) + r")\b")
MACHINE_PATHS = re.compile(r"(?<![\w.$})])/(?:home|root|Users|tmp|work)/[\w.]")

FOLDERS_WITHOUT_MEANING = {"utils", "util", "misc", "helpers", "common", "legacy"}


def _calls(file):
    if file.path in SOURCES_OF_CHANGE:
        return []
    is_test = file.path.startswith(("tests/", "benchmarks/"))
    found = []
    for number, line in enumerate(file.code, 1):
        line = _DECLARES_CLOCK.sub("", _THROUGH_CLOCK.sub("", line))
        match = BANNED_CALLS.search(line)
        if match and not (is_test and file.says_why(number)):
            found.append(Finding(file.path, number, "banned-call",
                                 f"{match.group().strip()}: time, waiting and randomness come in "
                                 "through base/clock.h and base/ids.h"))
    return found


def _naked(file):
    found = []
    text = _NOT_NAKED.sub(lambda m: "\n" * m.group().count("\n"), "\n".join(file.code))
    for number, line in enumerate(text.split("\n"), 1):
        match = _NEW.search(line)
        if match and not file.says_why(number):
            found.append(Finding(file.path, number, "naked-new", (
                f"naked {match.group()}; where a C API forces it say so: // tidy: why")))
    return found


def _header(file):
    found = []
    if "#pragma once" not in file.lines:
        found.append(Finding(file.path, 1, "pragma-once", "a header needs #pragma once"))
    prose = []
    for line in file.lines:
        if not line.startswith("//"):
            break
        if "SPDX-" not in line:
            prose.append(line[2:].strip())
    if len(" ".join(prose)) < 20:
        found.append(Finding(file.path, 1, "header-comment",
                             "a header opens with a comment that says what the thing is"))
    return found


def _text(file):
    found = []
    for number, line in enumerate(file.lines, 1):
        match = NOTES_TO_SELF.search(line)
        if match:
            found.append(Finding(file.path, number, "note-to-self",
                                 f"{match.group()}: finish it or file an issue"))
        match = MACHINE_PATHS.search(line)
        if match:
            found.append(Finding(file.path, number, "machine-path",
                                 f"{match.group()}...: a path of one machine"))
    return found


def check(files):
    found = []
    for file in files:
        for part in file.path.split("/")[:-1]:
            if part.lower() in FOLDERS_WITHOUT_MEANING:
                found.append(Finding(file.path, 1, "folder",
                                     f"{part}/ says nothing: name the thing"))
                break
        if file.binary:
            continue
        found += _text(file)
        if file.is_cpp:
            found += _calls(file) + _naked(file)
        if file.path.endswith(".h"):
            found += _header(file)
    return found
