#!/usr/bin/env python3
"""A real Prometheus scrapes a real `pytoon serve` while it works: every query of the dashboard and
of the rules is understood, and gives data wherever this run makes some. Skipped where there is no
Prometheus (Debian's package prometheus)."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
PROMETHEUS = shutil.which("prometheus")
DASHBOARD = ROOT / "k8s/components/observability/dashboard.json"
RULES = ROOT / "docker/observability/rules.yaml"
# What this run makes nothing of: it has no GPU, no ComfyUI, no Redis, and no receiver of webhooks.
ABSENT = {"pytoon_gpu_memory_bytes", "pytoon_encoder_sessions",
          "pytoon_workflow_profile_error_ratio",
          "pytoon_admission_decisions_total", "pytoon_redis_up", "pytoon_redis_wakeups_sent_total"}
# Shown only while something hangs or was deleted.
ONLY_IF = re.compile(r" > 0$")
WINDOW = "10s"


def panels():
    """(title, query) of each, with a window that a short run fills."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], re.sub(r"\[(\$__rate_interval|1h)\]", f"[{WINDOW}]",
                                         target["expr"])


def expressions():
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert", rule.get("record")), rule["expr"]


def metrics_of(query):
    return {re.sub(r"_(bucket|count|sum)$", "", n) for n in re.findall(r"\bpytoon_\w+", query)}


class Dashboard(unittest.TestCase):
    def test_it_asks_for_what_is_told(self):
        told = set(re.findall(r'"(pytoon_\w+)"', "".join(
            (ROOT / p).read_text("utf-8")
            for p in ("server/observe/metrics.cpp", "server/observe/gpu_gauges.cpp"))))
        asked = set()
        for title, query in panels():
            self.assertLessEqual(metrics_of(query), told, title)
            asked |= metrics_of(query)
        unseen = {n for n in told - asked if not n.startswith("pytoon_redis_")}
        self.assertEqual(unseen, set(), "on no panel")

    def test_panels_have_a_place_of_their_own(self):
        whole = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
        self.assertEqual(len({p["id"] for p in whole}), len(whole))
        taken = set()
        for panel in whole:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


class Prometheus:
    def __init__(self, target):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pytoon-prometheus-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        shutil.copy(RULES, self.folder / "rules.yaml")
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "pytoon-api",
                                "static_configs": [{"targets": [target]}]}]}), "utf-8")
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [PROMETHEUS, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
             f"--web.listen-address=127.0.0.1:{self.port}"], cwd=self.folder,
            stdout=self.log, stderr=self.log)

    def ask(self, path, **parameters):
        address = f"http://127.0.0.1:{self.port}/{path}?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(address, timeout=20) as answer:
            return json.load(answer)

    def query(self, text):
        """Its results; a query that is not understood raises."""
        try:
            return self.ask("api/v1/query", query=text)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{text}: {error.read().decode()}") from None

    def wait(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"waited {seconds} s in vain for {what}:\n"
                             + (self.folder / "log").read_text("utf-8")[-2000:])

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless(PROMETHEUS, "no prometheus here: Debian's package prometheus has it")
class Scraped(unittest.TestCase):
    def setUp(self):
        import harness
        self.server = harness.Server()
        self.addCleanup(self.server.remove)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.prometheus = Prometheus(f"127.0.0.1:{self.server.port}")
        self.addCleanup(self.prometheus.close)
        self.prometheus.wait(lambda: self.prometheus.query("pytoon_queue_depth"), 60, "a scrape")

    def work(self):
        """Two jobs to their end and one made to fail; each counter rises after a scrape."""
        first = self.server.submit(preset_id="meme_fast", prompt="one", target_duration_seconds=2)
        self.server.wait(first)
        time.sleep(3)
        second = self.server.submit(preset_id="meme_fast", prompt="two", target_duration_seconds=2)
        self.server.wait(second)
        third = self.server.submit(preset_id="meme_fast", prompt="three", target_duration_seconds=9)
        self.server.call("POST", f"/api/v1/admin/jobs/{third}/fail", {"error": "by hand"})
        time.sleep(3)

    def test_every_query_gives_what_the_run_made(self):
        self.work()
        empty = []
        for title, query in panels():
            found = self.prometheus.query(query)
            if not found and not metrics_of(query) & ABSENT and not ONLY_IF.search(query):
                empty.append(f"{title}: {query}")
        self.assertEqual(empty, [])
        self.assertEqual(self.prometheus.query('up{job="pytoon-api"}')[0]["value"][1], "1")
        self.assertEqual(self.prometheus.query("sum(pytoon_render_success_total)")[0]["value"][1],
                         "2")

    def test_every_rule_is_evaluated_without_a_fault(self):
        self.work()
        rules = [r for g in self.prometheus.ask("api/v1/rules")["data"]["groups"]
                 for r in g["rules"]]
        self.assertEqual(len(rules), len(list(expressions())))
        self.prometheus.wait(lambda: all(
            r["health"] == "ok" for g in self.prometheus.ask("api/v1/rules")["data"]["groups"]
            for r in g["rules"]), 30, "rules that are all evaluated")
        for name, expression in expressions():
            self.prometheus.query(expression)
            if name.startswith("pytoon:"):
                self.assertTrue(self.prometheus.query(name), name)
        firing = self.prometheus.query('ALERTS{alertstate="firing"}')
        self.assertEqual([a["metric"]["alertname"] for a in firing], [])


if __name__ == "__main__":
    unittest.main()
