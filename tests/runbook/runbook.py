#!/usr/bin/env python3
"""Types docs/operations.md, block by block, as a reader would.

usage: runbook.py --binary PYTOON [--page FILE] [--until LINE] [--keep]

Rules of the page:
- A block ```sh is run, in the order of the page, in one shell. A command that fails makes the run
  red, as does a block that is not done within two minutes.
- A block ```text right after it (one line of prose may stand between) is what it must print:
  `...` stands for anything within a line, a line of it alone for any lines. Columns may differ in
  width.
- A block whose first line is `# Not run here, needs X` is checked for its grammar only. X is one
  of page.py's.
- `<!-- stage: NAME -->` makes trouble that an operator does not make: a method of stage.py. Where
  that can't be done, the rest of its chapter is not run, and that is said.
- No other kind of block may stand on the page.
- 8080, 5432 and the like are the well-known ports; here they are replaced by free ones.

--keep leaves the folder, --until stops before that line. Exit status 1 when a block failed, 77 when
this machine has no PostgreSQL or no Redis.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

from page import Block, PageError, matches, read_page
from stage import ROOT, BlockError, Stage

BLOCK_SECONDS = 120
LOG_LINES = 8


def lacking():
    if not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "PostgreSQL"
    for program in ("redis-server", "psql", "jq", "curl", "openssl"):
        if not shutil.which(program):
            return program
    return None


def check_grammar(steps):
    for step in steps:
        if isinstance(step, Block):
            done = subprocess.run(["bash", "-n"], input=step.text, capture_output=True, text=True)
            if done.returncode != 0:
                raise PageError(f"line {step.line}: {done.stderr}")


class Run:
    def __init__(self, stage):
        self.stage = stage
        self.ran, self.skipped = 0, []
        self.closed = None  # the chapter whose rest is not run

    def step(self, step):
        if step.chapter == self.closed:
            self._skip(step, "see above")
        elif isinstance(step, Block):
            self._block(step)
        elif why := getattr(self.stage, step.name)():
            self.closed = step.chapter
            self._skip(step, why)

    def _skip(self, step, why):
        self.skipped.append(step)
        print(f"  not run  line {step.line:4}  {step.chapter}: {why}", flush=True)

    def _block(self, block):
        if block.needs:
            self._skip(block, "needs " + block.needs)
            return
        began = time.monotonic()
        printed = self.stage.shell.run(self.stage.staged(block.text), BLOCK_SECONDS)
        if block.expected is not None:
            expected = self.stage.staged(block.expected)
            if not matches(printed, expected):
                raise BlockError(f"it printed something else than\n{expected}\n", printed)
        self.ran += 1
        print(f"  ok {time.monotonic() - began:5.1f} s  line {block.line:4}  {block.chapter}",
              flush=True)


def tell_failure(stage, step, error):
    print(f"\nFAILED  {step.chapter}, line {step.line}: {error.args[0]}\n--- typed\n"
          f"{step.text}\n--- printed\n{error.args[1]}")
    for log in sorted(stage.folder.glob("*.log")):
        print(f"--- {log.name}\n" + "\n".join(
            log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--page", default=str(ROOT / "docs/operations.md"))
    parser.add_argument("--until", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if lack := lacking():
        print(f"not run: {lack} is not installed")
        return 77
    try:
        steps = read_page(pathlib.Path(arguments.page).read_text("utf-8"))
        check_grammar(steps)
    except PageError as error:
        print(f"FAILED  {error}")
        return 1
    stage = Stage(arguments.binary)
    run = Run(stage)
    current = None
    began = time.monotonic()
    try:
        for current in steps:
            if arguments.until and current.line >= arguments.until:
                break
            run.step(current)
    except BlockError as error:
        tell_failure(stage, current, error)
        return 1
    finally:
        stage.close(arguments.keep)
    print(f"{run.ran} blocks were run in {time.monotonic() - began:.0f} s, "
          f"{len(run.skipped)} were not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
