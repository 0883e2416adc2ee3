#!/usr/bin/env python3
"""The folders of k8s/ as `kubectl kustomize` renders them: what a cluster would be given. Each
object against the schema of its kind (where tests/k8s/node_modules is: `npm install` there), and
what objects name of each other and of the program."""

import json
import os
import re
import shutil
import subprocess
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests/k8s")
FOLDERS = ("base", "single", "overlays/cpu", "overlays/gpu", "overlays/gpu-shared",
           "overlays/keda", "overlays/observability")
KUBECTL = shutil.which("kubectl")
NODE = shutil.which("node")
MODULES = os.environ.get("PYTOON_K8S_MODULES", HERE)
HAS_SCHEMAS = NODE and os.path.isdir(os.path.join(MODULES, "node_modules/kubernetes-models"))
SECRETS = {"pytoon-stores", "pytoon-api", "pytoon-keys"}
CARD = "nvidia.com/gpu"


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def rendered(folder):
    done = subprocess.run([KUBECTL, "kustomize", os.path.join(ROOT, "k8s", folder)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [d for d in yaml.safe_load_all(done.stdout) if d]


def faults(objects):
    done = subprocess.run([NODE, os.path.join(HERE, "validate.mjs"), MODULES], text=True,
                          input=json.dumps(objects), capture_output=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


def of_kind(objects, kind):
    return [d for d in objects if d["kind"] == kind]


def pods(objects):
    """(name, labels, pod) of each deployment."""
    return [(d["metadata"]["name"], d["spec"]["template"]["metadata"]["labels"],
             d["spec"]["template"]["spec"]) for d in of_kind(objects, "Deployment")]


def bytes_of(quantity):
    number, unit = re.fullmatch(r"(\d+)(\w*)", quantity).groups()
    return int(number) * {"Mi": 2**20, "Gi": 2**30}[unit]


@unittest.skipUnless(HAS_SCHEMAS and KUBECTL,
                     "needs kubectl, node and `npm install` in tests/k8s (or PYTOON_K8S_MODULES)")
class Schemas(unittest.TestCase):
    def test_every_object_is_one_of_its_kind(self):
        for folder in FOLDERS:
            self.assertEqual(faults(rendered(folder)), [], folder)

    def test_examples_of_secrets_too(self):
        for path in ("k8s/base/secrets.example.yaml", "k8s/single/secret.example.yaml"):
            self.assertEqual(faults([d for d in yaml.safe_load_all(text(path)) if d]), [], path)

    def test_a_wrong_value_and_an_unknown_field_are_seen(self):
        objects = rendered("base")
        worker = next(d for d in of_kind(objects, "Deployment") if "worker" in str(d["metadata"]))
        worker["spec"]["replicas"] = "two"
        (fault,) = faults([worker])
        self.assertIn("replicas must be integer", fault)
        worker["spec"]["replicas"] = 2
        worker["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
        (fault,) = faults([worker])
        self.assertIn("livenesProbe is no known field", fault)


@unittest.skipUnless(KUBECTL, "needs kubectl")
class Rendered(unittest.TestCase):
    def setUp(self):
        self.folders = {folder: rendered(folder) for folder in FOLDERS}

    def each_pod(self):
        for folder, objects in self.folders.items():
            for name, labels, pod in pods(objects):
                yield f"{folder} {name}", labels, pod

    def test_configuration_and_secrets_that_are_named_are_there(self):
        for folder, objects in self.folders.items():
            maps = {d["metadata"]["name"] for d in of_kind(objects, "ConfigMap")}
            for name, _, pod in pods(objects):
                for container in pod["containers"]:
                    for source in container.get("envFrom", []):
                        kind, reference = next(iter(source.items()))
                        known = maps if kind == "configMapRef" else SECRETS
                        self.assertIn(reference["name"], known, f"{folder} {name}")

    def test_settings_are_ones_that_the_program_reads(self):
        read = set(re.findall(r'\.name = "(\w+)"', text("server/app/settings_table.cpp")))
        for folder, objects in self.folders.items():
            for name, _, pod in pods(objects):
                container = pod["containers"][0]
                for variable in container.get("env", []):
                    self.assertIn(variable["name"], read, f"{folder} {name}")
            for config in of_kind(objects, "ConfigMap"):
                if config["metadata"]["name"] == "pytoon-settings":
                    self.assertLessEqual(set(config["data"]), read, folder)

    def test_volumes_that_are_mounted_are_there(self):
        for where, _, pod in self.each_pod():
            volumes = {v["name"] for v in pod["volumes"]}
            for container in pod["containers"]:
                for mount in container.get("volumeMounts", []):
                    self.assertIn(mount["name"], volumes, where)

    def test_a_pod_has_time_to_hand_back_its_work(self):
        longest = int(re.search(r"kLongestStop\{(\d+)\}", text("server/app/serving.cpp"))[1])
        for where, _, pod in self.each_pod():
            self.assertGreater(pod["terminationGracePeriodSeconds"], longest, where)
            for container in pod["containers"]:
                self.assertNotIn("lifecycle", container, where)

    def test_a_lost_card_is_not_alive(self):
        """/health is 503 then, and nobody may overlook it for long."""
        self.assertTrue("process_health().reason()" in text("server/app/serving.cpp"))
        for where, _, pod in self.each_pod():
            probe = pod["containers"][0]["livenessProbe"]
            self.assertEqual(probe["httpGet"]["path"], "/health", where)
            self.assertLessEqual(probe.get("failureThreshold", 3) * probe["periodSeconds"], 60,
                                 where)

    def test_everything_asks_for_what_it_needs_and_is_bounded(self):
        for where, _, pod in self.each_pod():
            for container in pod["containers"]:
                wanted = container["resources"]["requests"]
                self.assertLessEqual({"cpu", "memory"}, set(wanted), where)
                if container["name"] != "comfyui":
                    limit = container["resources"]["limits"]["memory"]
                    self.assertGreater(bytes_of(limit), bytes_of(wanted["memory"]), where)

    def test_no_pod_may_do_more_than_it_must(self):
        for where, _, pod in self.each_pod():
            self.assertIs(pod["securityContext"]["runAsNonRoot"], True, where)
            self.assertIs(pod["automountServiceAccountToken"], False, where)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
                             where)
            for container in pod["containers"]:
                inner = container["securityContext"]
                self.assertIs(inner["allowPrivilegeEscalation"], False, where)
                self.assertEqual(inner["capabilities"], {"drop": ["ALL"]}, where)

    def test_each_pod_of_a_fleet_is_under_a_policy_and_a_budget(self):
        for folder, objects in self.folders.items():
            if folder == "single":
                continue
            for kind, selector in (("NetworkPolicy", "podSelector"),
                                   ("PodDisruptionBudget", "selector")):
                chosen = [d["spec"][selector]["matchLabels"] for d in of_kind(objects, kind)]
                for name, labels, _ in pods(objects):
                    self.assertTrue(any(c.items() <= labels.items() for c in chosen),
                                    f"{folder}: {name} is under no {kind}")

    def test_a_budget_never_forbids_every_eviction(self):
        for folder, objects in self.folders.items():
            for budget in of_kind(objects, "PodDisruptionBudget"):
                self.assertEqual(budget["spec"].get("maxUnavailable",
                                                    budget["spec"].get("minAvailable")), 1, folder)

    def test_overlays_do_what_they_are_for(self):
        cards = {}
        for folder, objects in self.folders.items():
            for name, _, pod in pods(objects):
                cards[folder, name] = [c["resources"].get("limits", {}).get(CARD, 0)
                                       for c in pod["containers"]]
        self.assertEqual(cards["overlays/cpu", "pytoon-worker"], [0])
        self.assertEqual(cards["overlays/gpu", "pytoon-worker"], [1])
        self.assertEqual(cards["overlays/gpu-shared", "pytoon-worker"], [1, 1])
        keda = self.folders["overlays/keda"]
        worker = next(d for d in of_kind(keda, "Deployment")
                      if d["metadata"]["name"] == "pytoon-worker")
        self.assertNotIn("replicas", worker["spec"], "KEDA's to say")
        (scaler,) = of_kind(keda, "ScaledObject")
        self.assertEqual(scaler["spec"]["scaleTargetRef"]["name"], "pytoon-worker")

    def test_monitors_find_every_pod_by_a_port_that_it_has(self):
        objects = self.folders["overlays/observability"]
        (monitor,) = of_kind(objects, "PodMonitor")
        wanted = monitor["spec"]["selector"]["matchLabels"]
        for name, labels, pod in pods(objects):
            self.assertLessEqual(wanted.items(), labels.items(), name)
            ports = {p["name"] for p in pod["containers"][0]["ports"]}
            for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                self.assertIn(endpoint["port"], ports, name)


if __name__ == "__main__":
    unittest.main()
