#!/usr/bin/env python3
"""What the documents tell people to type exists: commands, settings, scripts, paths and fields."""

import json
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"] + sorted(
    os.path.relpath(os.path.join(folder, name), ROOT)
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")) for name in names
    if name.endswith(".md"))


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def commands():
    """Subcommands, "jobs list" among them, by the names that main.cpp gives them."""
    source = text("server/main.cpp")
    found = set(re.findall(r'add\(root, "(\w+)"', source))
    found |= set(re.findall(r'root\.add_subcommand\("(\w+)"', source))
    found -= {"inspect"}  # what a server asks of a child: not for people
    return found, set(re.findall(r'add(?:_turn)?\(\*jobs, "(\w+)"', source))


def quoted(page):
    """What stands in code: fenced blocks and backticks."""
    whole = text(page)
    fenced = re.findall(r"```\w*\n(.*?)```", whole, re.S)
    return "\n".join(fenced + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", whole,
                                                               flags=re.S)))


class Documents(unittest.TestCase):
    def test_commands(self):
        known, of_jobs = commands()
        self.assertIn("serve", known)
        self.assertIn("retry", of_jobs)
        for page in PAGES:
            for name in re.findall(r"\bpytoon ([a-z]+)\b", quoted(page)):
                self.assertIn(name, known, page)
            for name in re.findall(r"\bpytoon jobs ([a-z]+)\b", quoted(page)):
                self.assertIn(name, of_jobs, page)

    def test_every_command_is_in_the_readme(self):
        known, of_jobs = commands()
        told = re.search(r"## Commands\n(.*?)\n## ", text("README.md"), re.S).group(1)
        for name in known | of_jobs:
            self.assertRegex(told, rf"\b{name}\b")

    def test_scripts(self):
        for page in PAGES:
            for name in re.findall(r"\bscripts/[\w.-]*\w", text(page)):
                self.assertTrue(os.path.exists(os.path.join(ROOT, name)), f"{page}: {name}")

    def test_paths_of_the_api(self):
        served = {re.sub(r"\{\w+\}", "ID", p)
                  for p in json.loads(text("server/http/openapi.json"))["paths"]}
        for page in PAGES:
            for path in re.findall(r"/api/v1/[\w/{}$-]+", text(page)):
                path = re.sub(r"\{\w+\}|\$[A-Z]+", "ID", path).rstrip("/")
                self.assertIn(path, served, page)

    def test_fields_of_jobs_in_the_readme(self):
        schemas = json.loads(text("server/http/openapi.json"))["components"]["schemas"]
        known = set(schemas["JobRequest"]["properties"]) | set(schemas["Captions"]["properties"])
        bodies = re.findall(r"-d '(\{.*?\})' \\\n", text("README.md"), re.S)
        self.assertGreaterEqual(len(bodies), 2)
        for body in bodies:
            for field in re.findall(r'"(\w+)":', body):
                self.assertIn(field, known)

    def test_settings(self):
        explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text(".env.example"), re.M))
        for page in PAGES:
            for name in re.findall(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=", text(page)):
                if name.startswith(("DPYTOON_", "PYTOON_JOBS", "CUDA_VISIBLE")):  # others' own
                    continue
                self.assertIn(name, explained, page)


if __name__ == "__main__":
    unittest.main()
