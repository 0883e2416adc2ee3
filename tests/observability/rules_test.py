#!/usr/bin/env python3
"""The alerts of docker/observability/rules.yaml: each fires for its fault and is silent otherwise,
as promtool (Debian's package prometheus) evaluates them, and names only metrics that the program
has. Where there is no promtool the evaluation is skipped."""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = "docker/observability/rules.yaml"
OPERATORS_RULES = "k8s/components/observability/rules.yaml"
OPERATORS_HEAD = """\
# Made from docker/observability/rules.yaml: tests/observability/rules_test.py --renew
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pytoon
spec:
"""
PROMTOOL = shutil.which("promtool")
# Of Prometheus itself.
FOREIGN = {"up"}

# What a fleet at work tells. Minutes are one sample each; x20 goes on for 20 of them.
HEALTHY = {
    'up{job="pytoon-api",instance="a"}': "1x120",
    'pytoon_process_unusable{instance="a"}': "0x120",
    'pytoon_worker_threads{instance="a"}': "8x120",
    'pytoon_queue_segments{instance="a"}': "12x120",
    'pytoon_queue_depth{instance="a"}': "3x120",
    'pytoon_queue_oldest_seconds{instance="a"}': "20x120",
    'pytoon_render_success_total{archetype="OVERLAY"}': "0+5x120",
    'pytoon_render_jobs_total{archetype="OVERLAY",preset="overlay_glow"}': "0+5x120",
    'pytoon_render_failure_total{archetype="OVERLAY",reason="forced"}': "1x120",
    'pytoon_fallback_total{type="template"}': "2x120",
    'pytoon_segment_render_seconds_count{engine="local_compositor"}': "0+25x120",
    'pytoon_segment_render_seconds_bucket{engine="local_compositor",le="5"}': "0+25x120",
    'pytoon_segment_render_seconds_bucket{engine="local_compositor",le="+Inf"}': "0+25x120",
    'pytoon_job_total_seconds_bucket{archetype="OVERLAY",le="60"}': "0+5x120",
    'pytoon_job_total_seconds_bucket{archetype="OVERLAY",le="+Inf"}': "0+5x120",
    'pytoon_tasks_reaped_total{task="render",work="render"}': "1x120",
    'pytoon_jobs_quarantined_total': "0x120",
    'pytoon_webhook_attempts_total{outcome="dead_letter"}': "1x120",
    'pytoon_webhook_attempts_total{outcome="retry"}': "0+1x120",
    'pytoon_pool_lost_threads{instance="a",pool="render"}': "0x120",
    'pytoon_http_request_seconds_bucket{route="/api/v1/jobs",status="201",le="0.05"}': "0+100x120",
    'pytoon_http_request_seconds_bucket{route="/api/v1/jobs",status="201",le="+Inf"}': "0+100x120",
    'pytoon_http_request_seconds_bucket{route="/api/v1/jobs/{id}/output",status="200",le="10"}':
        "0+1x120",
    'pytoon_http_request_seconds_bucket{route="/api/v1/jobs/{id}/output",status="200",le="+Inf"}':
        "0+100x120",
    'pytoon_http_request_seconds_count{route="/api/v1/jobs",status="201"}': "0+100x120",
    'pytoon_http_request_seconds_count{route="/api/v1/jobs",status="500"}': "0x120",
    'pytoon_http_request_seconds_count{route="/api/v1/jobs",status="503"}': "0+10x120",
    'pytoon_redis_up{link="notifier"}': "1x120",
    'pytoon_degraded_total{from="h264_nvenc",to="libx264"}': "4x120",
    'pytoon_admission_violations_total{cause="ours"}': "0x120",
    'pytoon_admission_violations_total{cause="foreign"}': "0x120",
    'pytoon_admission_headroom_used_total': "0x120",
    'pytoon_workflow_profile_error_ratio{workflow="ltxv_i2v"}': "0.8x120",
}
SLOW_JOBS = {
    'pytoon_job_total_seconds_bucket{archetype="OVERLAY",le="300"}': "0+1x120",
    'pytoon_job_total_seconds_bucket{archetype="OVERLAY",le="60"}': "0x120",
    'pytoon_job_total_seconds_bucket{archetype="OVERLAY",le="600"}': "0+5x120",
}
# alert: (the series that differ from the healthy ones, minute at which it must fire, labels). The
# fault begins at minute 60; until then every alert is silent.
FAULTS = {
    "PytoonDown": ({'up{job="pytoon-api",instance="a"}': "1x59 0x60"}, 63,
                   {"instance": "a", "job": "pytoon-api"}),
    "PytoonProcessUnusable": ({'pytoon_process_unusable{instance="a"}': "0x59 1x60"}, 61,
                              {"instance": "a"}),
    "PytoonNoWorkers": ({'pytoon_worker_threads{instance="a"}': "8x59 0x60"}, 63, {}),
    "PytoonNothingFinishes": ({
        'pytoon_render_success_total{archetype="OVERLAY"}': "0+5x59 295x60",
        'pytoon_segment_render_seconds_count{engine="local_compositor"}': "0+25x59 1475x60"},
        73, {}),
    "PytoonJobsFail": ({
        'pytoon_render_failure_total{archetype="OVERLAY",reason="forced"}': "1x60 2+1x60"}, 69, {}),
    "PytoonFallbacks": ({'pytoon_fallback_total{type="template"}': "2x60 3+1x60"}, 110, {}),
    "PytoonQueueLong": ({'pytoon_queue_depth{instance="a"}': "3x59 51x60"}, 71, {}),
    "PytoonQueueOld": ({'pytoon_queue_oldest_seconds{instance="a"}': "20x59 601+60x60"}, 62, {}),
    "PytoonSegmentsSlow": ({
        'pytoon_segment_render_seconds_bucket{engine="local_compositor",le="5"}': "0+25x59 1475x60",
        'pytoon_segment_render_seconds_bucket{engine="local_compositor",le="60"}':
            "0+25x59 1475x60",
        'pytoon_segment_render_seconds_bucket{engine="local_compositor",le="120"}': "0+25x120"},
        100, {"engine": "local_compositor"}),
    "PytoonJobsSlow": (SLOW_JOBS, 100, {}),
    "PytoonWorkersDie": (
        {'pytoon_tasks_reaped_total{task="render",work="render"}': "1x59 1+1x60"}, 70, {}),
    "PytoonQuarantine": ({'pytoon_jobs_quarantined_total': "0x59 1x60"}, 62, {}),
    "PytoonWebhooksGivenUp": (
        {'pytoon_webhook_attempts_total{outcome="dead_letter"}': "1x59 2x60"}, 62, {}),
    "PytoonThreadsHang": ({'pytoon_pool_lost_threads{instance="a",pool="render"}': "0x59 1x60"}, 61,
                          {"instance": "a", "pool": "render"}),
    "PytoonRequestsSlow": ({
        'pytoon_http_request_seconds_bucket{route="/api/v1/jobs",status="201",le="0.05"}':
            "0+100x59 5900x60",
        'pytoon_http_request_seconds_bucket{route="/api/v1/jobs",status="201",le="2.5"}':
            "0+100x120"}, 75, {}),
    "PytoonServerErrors": (
        {'pytoon_http_request_seconds_count{route="/api/v1/jobs",status="500"}': "0x59 0+5x60"},
        70, {}),
    "PytoonRedisMissing": ({'pytoon_redis_up{link="notifier"}': "1x59 0x60"}, 66,
                           {"link": "notifier"}),
    "PytoonEncoderDegraded": (
        {'pytoon_degraded_total{from="h264_nvenc",to="libx264"}': "4x59 5x60"}, 62,
        {"from": "h264_nvenc", "to": "libx264"}),
    "PytoonPromisesBroken": (
        {'pytoon_admission_violations_total{cause="ours"}': "0x59 1x60"}, 62, {}),
    "PytoonForeignMemory": (
        {'pytoon_admission_violations_total{cause="foreign"}': "0x59 1x60"}, 62, {}),
    "PytoonHeadroomUsed": ({'pytoon_admission_headroom_used_total': "0x59 1x60"}, 62, {}),
    "PytoonProfileBreached": (
        {'pytoon_workflow_profile_error_ratio{workflow="ltxv_i2v"}': "0.8x59 1.2x60"}, 62,
        {"workflow": "ltxv_i2v"}),
}
# Faults that another alert may rightly tell of as well.
ALSO = {"PytoonNothingFinishes": {"PytoonFallbacks"}}
SLOW_FROM_THE_START = {"PytoonJobsSlow"}


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def groups():
    return yaml.safe_load(text(RULES))["groups"]


def alerts():
    return {r["alert"]: r for g in groups() for r in g["rules"] if "alert" in r}


def without_annotations():
    found = copy.deepcopy(groups())
    for group in found:
        group["interval"] = "1m"
        for rule in group["rules"]:
            rule.pop("annotations", None)
    return {"groups": found}


def entry(name, series, minute, expected):
    """A test of promtool's: at a minute, each alert fires or is silent."""
    return {"name": name, "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert,
                                 "exp_alerts": [{"exp_labels": labels}] if labels is not None
                                 else []}
                                for alert, labels in expected.items()]}


def operators_rules():
    """The same rules as the Prometheus operator's kind of object."""
    body = text(RULES)[text(RULES).index("groups:"):]
    return OPERATORS_HEAD + "".join(f"  {line}" for line in body.splitlines(keepends=True))


def labels_of(alert, more):
    return {**alerts()[alert]["labels"], **more}


def promtool(tests):
    """What promtool says of them; empty when all is as expected."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("rules.yaml", without_annotations()),
                              ("test.yaml", {"rule_files": ["rules.yaml"],
                                             "evaluation_interval": "1m", "tests": tests})):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                yaml.safe_dump(content, file, sort_keys=False, width=1000)
        done = subprocess.run([PROMTOOL, "test", "rules", "test.yaml"], cwd=folder,
                              capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@unittest.skipUnless(PROMTOOL, "no promtool here: Debian's package prometheus has it")
class Evaluated(unittest.TestCase):
    def test_the_file_is_sound(self):
        subprocess.run([PROMTOOL, "check", "rules", os.path.join(ROOT, RULES)], check=True,
                       capture_output=True)

    def test_a_healthy_fleet_is_left_in_peace(self):
        silent = {alert: None for alert in alerts()}
        self.assertEqual(promtool([entry("healthy", HEALTHY, m, silent) for m in (5, 59, 110)]), "")

    def test_each_fires_for_its_fault_and_no_other_does(self):
        tests = []
        for alert, (series, minute, labels) in FAULTS.items():
            expected = {a: None for a in alerts() if a not in ALSO.get(alert, set())}
            if alert not in SLOW_FROM_THE_START:
                tests.append(entry(f"before {alert}", {**HEALTHY, **series}, 58,
                                   {a: None for a in alerts()}))
            tests.append(entry(alert, {**HEALTHY, **series}, minute,
                               {**expected, alert: labels_of(alert, labels)}))
        self.assertEqual(promtool(tests), "")

    def test_this_test_can_fail(self):
        series, minute, labels = FAULTS["PytoonQueueLong"]
        right = {"PytoonQueueLong": labels_of("PytoonQueueLong", labels)}
        self.assertEqual(promtool([entry("right", {**HEALTHY, **series}, minute, right)]), "")
        self.assertNotEqual(promtool([entry("wrong", HEALTHY, minute, right)]), "")


class Written(unittest.TestCase):
    def test_every_alert_has_its_fault(self):
        self.assertEqual(set(FAULTS), set(alerts()))

    def test_every_metric_is_one_of_ours(self):
        told = set(re.findall(r'"(pytoon_\w+)"', text("server/observe/metrics.cpp")
                              + text("server/observe/gpu_gauges.cpp")))
        for group in groups():
            for rule in group["rules"]:
                for name in re.findall(r"\bpytoon_\w+", rule["expr"]):
                    self.assertIn(re.sub(r"_(bucket|count|sum)$", "", name), told, name)

    def test_every_alert_says_what_it_is(self):
        page = text("docs/observability.md")
        for name, rule in alerts().items():
            self.assertIn(rule["labels"]["severity"], ("warning", "critical"), name)
            self.assertLessEqual({"summary", "description"}, set(rule["annotations"]), name)
            self.assertTrue(f"| {name} |" in page, f"docs/observability.md leaves out {name}")

    def test_the_operators_rules_are_the_same(self):
        self.assertEqual(text(OPERATORS_RULES), operators_rules(), "run this with --renew")


if __name__ == "__main__":
    if sys.argv[1:] == ["--renew"]:
        with open(os.path.join(ROOT, OPERATORS_RULES), "w", encoding="utf-8") as written:
            written.write(operators_rules())
    else:
        unittest.main()
