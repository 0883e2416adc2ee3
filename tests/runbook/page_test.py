#!/usr/bin/env python3
"""What is a block of the operator's page, what it must print, and that a wrong one is told."""

import pathlib
import subprocess
import tempfile
import unittest

from page import Block, PageError, matches, read_page
from runbook import check_grammar
from stage import ROOT, BlockError, Shell

PAGE = """# Page

## One

```sh
echo a
```

```text
a
```

<!-- stage: redis_away -->

```sh
# Not run here, needs docker
docker ps
```
"""


class Reading(unittest.TestCase):
    def test_blocks_what_they_print_and_directions(self):
        first, direction, last = read_page(PAGE)
        self.assertEqual((first.text, first.expected, first.chapter), ("echo a", "a", "One"))
        self.assertEqual(direction.name, "redis_away")
        self.assertEqual((last.needs, last.expected), ("docker", None))

    def test_nothing_is_passed_over(self):
        for wrong in ("```bash\necho a\n```", "```\necho a\n```", "```sql\nSELECT 1\n```",
                      "```sh\necho a", "```text\na\n```",
                      "```sh\necho a\n```\n\nmuch\n\nprose\n\n```text\na\n```",
                      "```sh\n# Not run here, needs time\nsleep 9\n```",
                      "```sh\n# Not run here, needs docker\necho not docker's\n```".replace(
                          "docker's", "theirs")):
            with self.assertRaises(PageError, msg=wrong):
                read_page(wrong)
        with self.assertRaises(PageError):
            check_grammar(read_page("```sh\nif true\n```"))

    def test_what_may_differ(self):
        for printed, expected in (
                ("a\nb\n", "a\nb"), ("a  1\n", "a 1"), ("id 7 is FAILED\n", "id ... is FAILED"),
                ("x\ny\nz\n", "...\nz"), ("z\n", "...\nz"), ("", ""), ("  a\n", "a"),
                ("a+b\n", "a+b"), ('{"a":1}\n', '{"a":...}')):
            self.assertTrue(matches(printed, expected), (printed, expected))
        for printed, expected in (
                ("a\nb\n", "a"), ("a\n", "a\nb"), ("ab\n", "a b"), ("id is FAILED!\n",
                "id ... FAILED"), ("a\nz\nb\n", "...\nz"), ("aab\n", "a+b"), ("a\n", "")):
            self.assertFalse(matches(printed, expected), (printed, expected))


class Typing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.shell = Shell(pathlib.Path(folder.name), {"PATH": "/usr/bin:/bin"})
        self.addCleanup(self.shell.close)

    def test_one_shell_for_all(self):
        self.assertEqual(self.shell.run("A=7; f() { echo $A$1; }", 5), "")
        self.assertEqual(self.shell.run("sleep 60 &\nf 8", 5), "78\n")

    def test_a_failing_command_is_told(self):
        for wrong in ("false\necho on", "false | cat", "echo $UNSET", "no-such-program"):
            shell = Shell(self.shell.folder, {"PATH": "/usr/bin:/bin"})
            self.addCleanup(shell.close)
            with self.assertRaises(BlockError, msg=wrong):
                shell.run(wrong, 5)

    def test_one_that_never_ends_is_told(self):
        with self.assertRaises(BlockError):
            self.shell.run("sleep 60", 0.5)


class Failing(unittest.TestCase):
    def test_a_wrong_block_makes_the_run_red(self):
        runbook = ROOT / "tests/runbook/runbook.py"
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            for block, status in (("```sh\necho a\n```\n\n```text\na\n```\n", 0),
                                  ("```sh\necho b\n```\n\n```text\na\n```\n", 1),
                                  ("```sh\nfalse\n```\n", 1), ("```sh\n(\n```\n", 1)):
                page.write_text(block)
                done = subprocess.run(["python3", "-B", runbook, "--binary", "/bin/true",
                                       "--page", page], capture_output=True, text=True)
                if done.returncode == 77:
                    self.skipTest(done.stdout.strip())
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)


class Complete(unittest.TestCase):
    def test_the_page_covers_what_operators_do(self):
        steps = read_page((ROOT / "docs/operations.md").read_text("utf-8"))
        run = {step.chapter for step in steps if isinstance(step, Block) and not step.needs}
        self.assertLessEqual({
            "Start and stop", "PostgreSQL, and a fleet", "Health", "Metrics", "Logs", "Scaling",
            "Stuck and failed jobs", "Fallbacks of engines",
            "Force all to the remote engine: api_only", "Back up, restore", "Upgrade",
            "Roll back", "Rotate keys", "Disk full", "A card is lost"}, run)


if __name__ == "__main__":
    unittest.main()
