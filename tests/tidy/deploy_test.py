#!/usr/bin/env python3
"""The files that ship Pytoon agree with each other and with the program: ports, users, paths,
names, variables, packages. The tests can't run containers, so this reads them."""

import json
import os
import re
import subprocess
import tempfile
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTS = {"serve": "8080", "api": "8080", "worker": "8081"}
COMPOSE_FILES = ("docker/compose.yaml", "docker/gpu.yaml", "docker/minio.yaml",
                 "docker/observability.yaml")
# What others' images and Compose itself are told; not settings of the program.
FOREIGN = re.compile(r"^(POSTGRES_(USER|DB)|MINIO_ROOT_\w+|MC_CONFIG_DIR|NVIDIA_\w+|GF_\w+)$")


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def documents(path):
    return [d for d in yaml.safe_load_all(text(path)) if d]


def k8s_files():
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, "k8s")):
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names
                  if name.endswith(".yaml")]
    return sorted(found)


def objects(kind):
    """(path, object) of every whole object of a kind; an overlay's patch is none."""
    return [(path, d) for path in k8s_files() for d in documents(path)
            if d["kind"] == kind and "/overlays/" not in path]


def deployment(path):
    return next(d for d in documents(path) if d["kind"] == "Deployment")


def pod(path):
    return deployment(path)["spec"]["template"]["spec"]


def role(container):
    return container.get("args", ["serve"])[0]


def services(path="docker/compose.yaml"):
    return documents(path)[0]["services"]


def ours(path="docker/compose.yaml"):
    """Services that run Pytoon's image as a server."""
    return {name: s for name, s in services(path).items()
            if s["image"].startswith("pytoon:") and s.get("command") != ["version"]}


def docker(pattern):
    match = re.search(pattern, text("docker/Dockerfile"), re.M)
    assert match, f"docker/Dockerfile has nothing like {pattern}"
    return match.group(1)


def packages(group):
    found, current = [], None
    for line in text("scripts/packages.txt").splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            current = line[1:-1]
        elif line and current == group:
            found.append(line)
    return found


def settings():
    """Names of .env.example."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text(".env.example"), re.M))


def variables_of(container):
    names = {v["name"] for v in container.get("env", [])}
    maps = {d["metadata"]["name"]: d for _, d in objects("ConfigMap") + objects("Secret")}
    for source in container.get("envFrom", []):
        name = next(iter(source.values()))["name"]
        whole = maps[name]
        names |= set(whole.get("data") or whole["stringData"])
    return names


class Settings(unittest.TestCase):
    def test_every_variable_is_explained(self):
        named = set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", text("docker/Dockerfile")))
        named -= {"PRESET", "BUILD_IMAGE", "CCACHE_DIR", "PATH"}  # not ours
        for path in COMPOSE_FILES:
            named |= set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", text(path)))
            for service in services(path).values():
                named |= set(service.get("environment", {}))
        for _, whole in objects("Deployment"):
            for container in whole["spec"]["template"]["spec"]["containers"]:
                named |= variables_of(container)
        named |= {v["name"] for c in pod("k8s/overlays/gpu/worker.yaml")["containers"]
                  for v in c["env"]}
        unknown = {n for n in named if not FOREIGN.match(n)} - settings()
        self.assertEqual(unknown, set(), "not in .env.example")

    def test_the_program_reads_what_is_explained(self):
        read = set(re.findall(r'\.name = "(\w+)"', text("server/app/settings_table.cpp"))) | {
            # Read by Compose.
            "COMPOSE_FILE", "COMPOSE_PROFILES", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}
        self.assertEqual(settings() - read, set(), "explained, but read by nobody")
        self.assertEqual(read - settings(), set(), "read, but not explained")

    def test_workers_are_shown_no_keys_of_clients(self):
        secret = {"API_KEY", "WEBHOOK_SECRET"}
        worker = pod("k8s/base/worker.yaml")["containers"][0]
        self.assertEqual(secret & variables_of(worker), set())
        self.assertEqual(secret & set(services()["worker"]["environment"]), set())
        api = pod("k8s/base/api.yaml")["containers"][0]
        self.assertLessEqual(secret, variables_of(api))

    def test_whoever_serves_clients_has_a_key(self):
        for _, whole in objects("Deployment"):
            container = whole["spec"]["template"]["spec"]["containers"][0]
            if container.get("args") != ["worker"]:
                self.assertIn("API_KEY", variables_of(container))
        for name, service in ours().items():
            if service.get("command") != ["worker"]:
                self.assertIn("API_KEY", service["environment"], name)


class Ports(unittest.TestCase):
    def test_the_image(self):
        self.assertEqual(docker(r"^EXPOSE (.*)$").split(), ["8080", "8081"])
        self.assertEqual(docker(r"\bAPI_PORT=(\d+)"), PORTS["api"])
        self.assertEqual(docker(r"\bWORKER_PORT=(\d+)"), PORTS["worker"])
        self.assertEqual(docker(r"http://127.0.0.1:(\d+)/health"), PORTS["serve"])

    def test_compose(self):
        for name, service in ours().items():
            port = PORTS[service.get("command", ["serve"])[0]]
            for published in service.get("ports", []):
                self.assertTrue(published.endswith(f":{port}"), name)
            if "healthcheck" in service:
                self.assertIn(f":{port}/ready", service["healthcheck"]["test"][-1], name)
        self.assertNotIn("ports", services()["worker"], "could not be scaled")

    def test_kubernetes(self):
        for path, whole in objects("Deployment"):
            template = whole["spec"]["template"]
            container = template["spec"]["containers"][0]
            port = container["ports"][0]
            self.assertEqual(str(port["containerPort"]), PORTS[role(container)], path)
            self.assertEqual(template["metadata"]["annotations"]["prometheus.io/port"],
                             PORTS[role(container)], path)
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(container[probe]["httpGet"]["port"], port["name"], path)
        for path, service in objects("Service"):
            self.assertEqual(service["spec"]["ports"][0]["targetPort"], "http", path)


class Probes(unittest.TestCase):
    def test_the_paths_are_served(self):
        served = json.loads(text("server/http/openapi.json"))["paths"]
        asked = set(re.findall(r"http://127.0.0.1:808\d(/\w+)", text("docker/Dockerfile")
                               + text("docker/compose.yaml")))
        for _, whole in objects("Deployment"):
            template = whole["spec"]["template"]
            asked.add(template["metadata"]["annotations"]["prometheus.io/path"])
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked.add(template["spec"]["containers"][0][probe]["httpGet"]["path"])
        self.assertLessEqual(asked, set(served))

    def test_nobody_is_killed_or_cut_off_by_a_drain(self):
        for path, whole in objects("Deployment"):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                container = whole["spec"]["template"]["spec"]["containers"][0]
                self.assertEqual(container[probe]["httpGet"]["path"], "/health", path)

    def test_there_is_time_to_leave(self):
        longest = int(re.search(r"kLongestStop\{(\d+)\}", text("server/app/serving.cpp")).group(1))
        for path, whole in objects("Deployment"):
            grace = whole["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            self.assertGreater(grace, longest, path)
        for name, service in ours().items():
            self.assertGreater(int(service["stop_grace_period"][:-1]), longest, name)


class Rights(unittest.TestCase):
    def test_the_user(self):
        user = docker(r"^USER (\d+):\d+$")
        for path, whole in objects("Deployment"):
            context = whole["spec"]["template"]["spec"]["securityContext"]
            self.assertIs(context["runAsNonRoot"], True, path)
            for field in ("runAsUser", "runAsGroup", "fsGroup"):
                self.assertEqual(str(context[field]), user, path)

    def test_no_container_runs_as_root(self):
        for path in COMPOSE_FILES:
            for name, service in services(path).items():
                if "image" not in service or service["image"].startswith("pytoon:"):
                    self.assertNotIn("user", service, name)  # the image's own
                    continue
                self.assertNotIn(service["user"].split(":")[0], ("0", "root"), name)

    def test_nothing_more_than_needed(self):
        for path in COMPOSE_FILES:
            for name, service in services(path).items():
                if "image" in service and (path != "docker/gpu.yaml" or name == "comfyui"):
                    self.assertEqual(service["cap_drop"], ["ALL"], name)
                    self.assertEqual(service["security_opt"], ["no-new-privileges:true"], name)
        for name, service in ours().items():
            self.assertIs(service["read_only"], True, name)
        for path, whole in objects("Deployment"):
            inner = whole["spec"]["template"]["spec"]["containers"][0]["securityContext"]
            self.assertIs(inner["readOnlyRootFilesystem"], True, path)
            self.assertIs(inner["allowPrivilegeEscalation"], False, path)
            self.assertEqual(inner["capabilities"]["drop"], ["ALL"], path)

    def test_comfyui_hears_workers_only(self):
        policy = next(d for _, d in objects("NetworkPolicy")
                      if d["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/name")
                      == "comfyui")
        labels = deployment("k8s/base/worker.yaml")["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(policy["spec"]["policyTypes"], ["Ingress"])
        (rule,) = policy["spec"]["ingress"]
        self.assertEqual(rule["from"], [{"podSelector": {"matchLabels": labels}}])


class Files(unittest.TestCase):
    def test_what_is_written_is_mounted(self):
        data, cache = docker(r"^VOLUME (\S+)$"), docker(r"PYTOON_CACHE_DIR=(\S+)")
        self.assertTrue(docker(r"STORAGE_ROOT=(\S+)").startswith(data + "/"))
        self.assertTrue(docker(r"DB_URL=sqlite:///(\S+)").startswith(data + "/"))
        made = re.findall(r'"([\w/]+)": 0o', text("docker/make-root").split("OWN_FOLDERS = ")[1])
        for path, whole in objects("Deployment"):
            spec = whole["spec"]["template"]["spec"]
            mounts = {m["mountPath"]: m["name"] for m in spec["containers"][0]["volumeMounts"]}
            self.assertEqual(set(mounts), {data, cache, "/tmp"}, path)
            self.assertEqual(set(mounts.values()), {v["name"] for v in spec["volumes"]}, path)
        for name, service in ours().items():
            self.assertEqual({t.split(":")[0] for t in service["tmpfs"]}, {cache, "/tmp"}, name)
            for mount in service["volumes"]:
                volume, where = mount.split(":")
                self.assertIn(volume, documents("docker/compose.yaml")[0]["volumes"], name)
                self.assertIn(where[1:], made, "a new volume would belong to root")

    def test_the_fleet_shares_files_and_nothing_else(self):
        shared = {s["volumes"][0] for n, s in ours().items() if n != "pytoon"}
        self.assertEqual(shared, {"files:" + docker(r"STORAGE_ROOT=(\S+)")})

    def test_a_claim_for_the_single_one(self):
        claims = {d["metadata"]["name"] for _, d in objects("PersistentVolumeClaim")}
        used = {v["persistentVolumeClaim"]["claimName"]
                for v in pod("k8s/single/deployment.yaml")["volumes"]
                if "persistentVolumeClaim" in v}
        self.assertEqual(used, claims)

    def test_sqlite_has_one_owner(self):
        spec = deployment("k8s/single/deployment.yaml")["spec"]
        self.assertEqual((spec["replicas"], spec["strategy"]["type"]), (1, "Recreate"))
        for name in ("api", "worker"):
            self.assertTrue(services()[name]["environment"]["DB_URL"].startswith("postgresql://"))
        stores = next(d for d in documents("k8s/base/secrets.example.yaml")
                      if "DB_URL" in d["stringData"])
        self.assertTrue(stores["stringData"]["DB_URL"].startswith("postgresql://"))


class Names(unittest.TestCase):
    def test_one_version(self):
        version = re.search(r"project\(pytoon VERSION ([0-9.]+)", text("CMakeLists.txt")).group(1)
        images = [s["image"] for p in COMPOSE_FILES for s in services(p).values() if "image" in s]
        for path in k8s_files():
            for whole in documents(path):
                if whole["kind"] == "Deployment":
                    images += [c["image"] for c in whole["spec"]["template"]["spec"]["containers"]
                               if "image" in c]
        own = {i for i in images if i.startswith("pytoon:")}
        self.assertEqual(own, {f"pytoon:{version}", f"pytoon:{version}-cuda"})
        for image in images:
            self.assertRegex(image, r":(?!latest)[\w.-]+$")

    def test_labels_select(self):
        pods = {}
        for path, whole in objects("Deployment"):
            labels = whole["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(whole["spec"]["selector"]["matchLabels"], labels, path)
            pods.setdefault(os.path.dirname(path), []).append(labels)
        selectors = [(p, s["spec"]["selector"]) for p, s in objects("Service")]
        selectors += [(p, s["spec"]["selector"]["matchLabels"])
                      for p, s in objects("PodDisruptionBudget")]
        for path, selector in selectors:
            matching = [p for p in pods[os.path.dirname(path)] if selector.items() <= p.items()]
            self.assertEqual(len(matching), 1, path)

    def test_scaling_names_what_is_there(self):
        names = {d["metadata"]["name"] for _, d in objects("Deployment")}
        for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            found = objects(kind)
            self.assertTrue(found, kind)
            for path, scaler in found:
                self.assertIn(scaler["spec"]["scaleTargetRef"]["name"], names, path)
        self.assertNotIn("replicas", deployment("k8s/base/api.yaml")["spec"], "the autoscaler's")

    def test_scaling_asks_for_metrics_that_are_told(self):
        told = set(re.findall(r'"(pytoon_\w+)"', text("server/observe/metrics.cpp")))
        asked = set()
        for _, scaler in objects("ScaledObject"):
            for trigger in scaler["spec"]["triggers"]:
                asked |= set(re.findall(r"pytoon_\w+", trigger["metadata"]["query"]))
        self.assertIn("pytoon_queue_work_seconds", asked)
        self.assertLessEqual(asked, told)

    def test_operators_are_told_of_every_metric(self):
        told = set(re.findall(r'"(pytoon_\w+)"', text("server/observe/metrics.cpp")))
        page = set(re.findall(r"pytoon_\w+", text("docs/operations.md")))
        self.assertEqual(told - page, set())

    def test_every_file_is_used(self):
        named = set()
        for path in k8s_files():
            if not path.endswith("/kustomization.yaml"):
                continue
            here, whole = os.path.dirname(path), documents(path)[0]
            for entry in whole["resources"] + [p["path"] for p in whole.get("patches", [])
                                               if "path" in p] + whole.get("components", []):
                target = os.path.normpath(os.path.join(here, entry))
                self.assertTrue(os.path.exists(os.path.join(ROOT, target)), f"{path}: {entry}")
                named.add(target)
        idle = {p for p in k8s_files() if not p.endswith(
            ("/kustomization.yaml", "secret.example.yaml", "secrets.example.yaml"))} - named
        self.assertEqual(idle, set())

    def test_secrets_have_the_keys_that_are_asked_for(self):
        shapes = {d["metadata"]["name"]: d["stringData"] for _, d in objects("Secret")}
        for path, whole in objects("Deployment"):
            for variable in whole["spec"]["template"]["spec"]["containers"][0].get("env", []):
                if "valueFrom" in variable:
                    reference = variable["valueFrom"]["secretKeyRef"]
                    self.assertIn(reference["key"], shapes[reference["name"]], path)

    def test_a_gpu_is_given_back_before_the_next_is_taken(self):
        patch = deployment("k8s/overlays/gpu/worker.yaml")
        self.assertEqual(patch["spec"]["strategy"]["rollingUpdate"]["maxSurge"], 0)
        (container,) = patch["spec"]["template"]["spec"]["containers"]
        self.assertEqual(container["name"],
                         pod("k8s/base/worker.yaml")["containers"][0]["name"])
        self.assertEqual(container["resources"]["limits"]["nvidia.com/gpu"], 1)
        self.assertEqual(docker(r"NVIDIA_DRIVER_CAPABILITIES=(\S+)"), "compute,video,utility")


    def test_comfyui_leaves_room_on_the_card_that_it_shares(self):
        room = re.search(r"`--vram-headroom`.*?(\d\.\d) GiB for four", text("docs/admission.md"),
                         re.S).group(1)
        start = text("docker/comfyui/start")
        for flag in ("--reserve-vram \"$room\"", "--vram-headroom \"$room\""):
            self.assertIn(flag, start)
        service = services("docker/gpu.yaml")["comfyui"]
        self.assertEqual(service["command"], ["0.0.0.0", room])
        self.assertNotIn("ports", service, "it has no passwords")
        worker, comfyui = pod("k8s/overlays/gpu-shared/comfyui.yaml")["containers"]
        self.assertEqual(comfyui["args"], ["127.0.0.1", room])
        self.assertEqual(comfyui["image"], service["image"])
        self.assertEqual(comfyui["resources"]["limits"]["nvidia.com/gpu"], 1)
        self.assertEqual(worker["env"], [{"name": "COMFYUI_BASE_URL",
                                          "value": "http://127.0.0.1:8188"}])
        self.assertIn(service["image"].split(":")[1], text("docker/comfyui/Dockerfile"))

    def test_comfyui_is_asked_which_flags_it_knows(self):
        for known in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                python = os.path.join(folder, "python3")
                with open(python, "w", encoding="utf-8") as file:
                    told = "--vram-headroom" if known else "--reserve-vram"
                    file.write(f'#!/bin/sh\n[ "$2" = --help ] && echo {told} || echo "$@"\n')
                os.chmod(python, 0o755)
                said = subprocess.run(
                    [os.path.join(ROOT, "docker/comfyui/start"), "127.0.0.1", "2.5", "--lowvram"],
                    env={**os.environ, "PATH": folder + ":" + os.environ["PATH"]},
                    capture_output=True, text=True, check=True).stdout
            self.assertEqual("--vram-headroom 2.5" in said, known)
            self.assertIn("--reserve-vram 2.5 --lowvram", said)
            self.assertIn("--listen 127.0.0.1", said)


class Packages(unittest.TestCase):
    def test_fonts_of_the_configuration_are_installed(self):
        fonts = re.findall(r"package: ([a-z0-9.+-]+)", text("config/fonts.yaml"))
        self.assertTrue(fonts)
        self.assertLessEqual(set(fonts), set(packages("run")))

    def test_what_is_found_at_run_time_is_installed(self):
        # h264parse and libgstcuda; the container's health check; backups of PostgreSQL.
        for package in ("gstreamer1.0-plugins-bad", "curl", "postgresql-client-15"):
            self.assertIn(package, packages("run"))
        server = services()["postgres"]["image"]
        self.assertTrue(server.startswith("postgres:15-"), "newer than the image's pg_dump")

    def test_packages_are_listed_once_a_group(self):
        for group in ("build", "run", "test", "dev"):
            found = packages(group)
            self.assertTrue(found, group)
            self.assertEqual(len(found), len(set(found)), group)


if __name__ == "__main__":
    unittest.main()
