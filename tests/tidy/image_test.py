#!/usr/bin/env python3
"""docker/Dockerfile and what it calls, as far as reading and trying parts of it goes. The whole is
built and run by `scripts/dev image`; where that has left an image, its facts are looked at too."""

import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "docker"), os.path.join(ROOT, "scripts")]


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def loaded(path):
    """A script without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(os.path.basename(path), os.path.join(ROOT, path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def steps():
    """(instruction, rest) of each step, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text("docker/Dockerfile"), flags=re.M))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def stages():
    """{name: steps}; the last is "final"."""
    found, name = {}, None
    for instruction, rest in steps():
        if instruction == "FROM":
            name = (re.search(r" AS (\S+)$", rest) or [None, "final"])[1]
            found[name] = []
        elif name:
            found[name].append((instruction, rest))
    return found


def all_of(stage, instruction):
    return [rest for name, rest in stages()[stage] if name == instruction]


class Stages(unittest.TestCase):
    def test_no_stage_is_named_by_an_argument(self):
        # buildah 1.28 resolves an argument to an image only.
        bases = [rest.split()[0] for name, rest in steps() if name == "FROM"]
        self.assertEqual(bases, ["${BUILD_IMAGE}", "tools", "tools", "scratch"])
        self.assertIn(("ARG", "BUILD_IMAGE=debian:12-slim"), steps())

    def test_nothing_that_buildah_does_not_know(self):
        for instruction, rest in steps():
            self.assertNotIn("<<", rest, "a here document")
            self.assertNotIn("--link", rest)
            self.assertNotEqual(instruction, "ADD", "what is fetched is fetched by a script")

    def test_copies_come_from_stages_before(self):
        seen = []
        for name, inner in stages().items():
            for instruction, rest in inner:
                source = re.search(r"--from=(\S+)", rest)
                if instruction == "COPY" and source:
                    self.assertIn(source[1], seen, name)
                elif instruction == "COPY":
                    for path in rest.split()[:-1]:
                        self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)
            seen.append(name)

    def test_nothing_fetched_is_run_as_it_comes(self):
        whole = text("docker/Dockerfile") + text("docker/install-nvcc")
        self.assertNotRegex(whole, r"(curl|wget)[^\n]*\|\s*(ba)?sh")
        self.assertNotIn("http://", text("docker/install-nvcc"))
        self.assertNotIn("--allow-unauthenticated", whole)

    def test_a_layer_each_and_the_program_last(self):
        root = loaded("docker/make-root")
        order = [re.search(r"/image/([\w-]+) /$", rest)[1] for rest in all_of("final", "COPY")]
        self.assertEqual(order, ["fonts-cjk", "fonts", "system", "pytoon"])
        for layer in order:
            self.assertIn(f'"{layer}', text("docker/make-root"))
        self.assertEqual(all_of("final", "RUN"), [], "nothing can run there: it has no shell")
        self.assertIn("/usr/bin/pytoon", root.PROGRAMS)

    def test_the_image_is_made_of_the_scripts(self):
        whole = text("docker/Dockerfile")
        for needed in ("scripts/setup --build-only", "scripts/dev build ${PRESET} pytoon",
                       "scripts/setup --runtime-only", "docker/make-root /image"):
            self.assertIn(needed, whole)
        self.assertNotIn("apt-get", whole, "packages belong in scripts/packages.txt")
        presets = {p["name"] for p in json.loads(text("CMakePresets.json"))["configurePresets"]}
        self.assertLessEqual({"release", "cuda"}, presets)


class Final(unittest.TestCase):
    def setUp(self):
        self.environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(all_of("final", "ENV"))))
        self.root = loaded("docker/make-root")

    def test_the_user_has_a_number_and_an_account(self):
        (user,) = all_of("final", "USER")
        self.assertEqual(user, f"{self.root.USER}:{self.root.USER}")
        self.assertGreater(self.root.USER, 999)
        self.assertIn(f"pytoon:x:{self.root.USER}:", self.root.ACCOUNTS["etc/passwd"])
        self.assertEqual(loaded("scripts/image").USER, user)

    def test_what_is_written_is_the_users(self):
        (volume,) = all_of("final", "VOLUME")
        cache = self.environment["PYTOON_CACHE_DIR"]
        self.assertIn(volume[1:], self.root.OWN_FOLDERS)
        self.assertIn(self.environment["STORAGE_ROOT"][1:], self.root.OWN_FOLDERS)
        # podman gives a tmpfs over a folder that folder's mode and root as its owner.
        self.assertEqual(self.root.OWN_FOLDERS[cache[1:]], 0o1777)

    def test_labels(self):
        version = re.search(r"project\(pytoon VERSION ([0-9.]+)", text("CMakeLists.txt"))[1]
        labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"',
                                 " ".join(all_of("final", "LABEL"))))
        self.assertEqual(labels["version"], version)
        self.assertLessEqual({"title", "description", "licenses", "base.name"}, set(labels))

    def test_programs_are_started_without_a_shell(self):
        for instruction in ("ENTRYPOINT", "CMD"):
            (rest,) = all_of("final", instruction)
            self.assertIsInstance(json.loads(rest), list)
        (check,) = all_of("final", "HEALTHCHECK")
        command = json.loads(check[check.index("CMD") + 3:])
        self.assertIn("/usr/bin/" + command[0], self.root.PROGRAMS)

    def test_the_cuda_image_may_weigh_little_more(self):
        limit = loaded("scripts/image").SIZE_MB_MAX
        self.assertEqual(limit["release"], 450)
        self.assertLessEqual(limit["cuda"] - limit["release"], 20)

    def test_gstreamers_plugins_are_those_that_the_program_links(self):
        needed = re.findall(r'Plugin\{"(\w+\.so)"', text("pipeline/media/gst/plugin_folder.cpp"))
        self.assertTrue(needed)
        self.assertLessEqual(set(needed), {os.path.basename(p) for p in self.root.PLUGINS})
        by_name = re.search(r'kFile\[\] = "(libgstcuda[\w.-]+)"',
                            text("pipeline/media/gst/cuda_library.cpp"))[1]
        self.assertIn(by_name, {os.path.basename(p) for p in self.root.PLUGINS})


@unittest.skipUnless(shutil.which("ldd") and shutil.which("dpkg-query"), "this is no Debian")
class MakeRoot(unittest.TestCase):
    def test_links_come_with_what_they_lead_to(self):
        root_module = loaded("docker/make-root")
        with tempfile.TemporaryDirectory() as folder:
            root = root_module.Root(folder)
            for path in root_module.libraries(["/bin/ls"]):
                root.copy("system", path)
            self.assertIn("libc6", root.packages)
            self.assertIn("libselinux1", root.packages)
            kept = os.path.join(folder, "system", root_module.ARCH[1:], "libc.so.6")
            self.assertTrue(os.path.isfile(os.path.realpath(kept)))
            loader = os.path.join(folder, "system/usr/lib64/ld-linux-x86-64.so.2")
            self.assertTrue(os.path.lexists(loader))

    def test_a_missing_library_is_a_fault(self):
        root_module = loaded("docker/make-root")
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "gone.c")
            with open(source, "w", encoding="utf-8") as file:
                file.write("int gone(void) { return 0; }")
            subprocess.run(["gcc", "-shared", "-o", "libgone.so", source], cwd=folder, check=True)
            with open(source, "w", encoding="utf-8") as file:
                file.write("int gone(void); int main(void) { return gone(); }")
            subprocess.run(["gcc", "-o", "asks", source, "-L.", "-lgone"], cwd=folder, check=True)
            os.remove(os.path.join(folder, "libgone.so"))
            with self.assertRaises(SystemExit):
                root_module.libraries([os.path.join(folder, "asks")])


@unittest.skipUnless(shutil.which("dpkg-query"), "this is no Debian")
class Bill(unittest.TestCase):
    def setUp(self):
        import spdx
        self.spdx = spdx

    def document(self, packages, cuda=False):
        real = self.spdx.version_of
        self.spdx.version_of = lambda *command: "1.2.3"
        try:
            return json.loads(self.spdx.document(packages, cuda))
        finally:
            self.spdx.version_of = real

    def test_what_spdx_demands(self):
        told = self.document(["libc6", "libstdc++6"])
        self.assertEqual((told["spdxVersion"], told["dataLicense"], told["SPDXID"]),
                         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(told["documentNamespace"], r"^https://[^#]+$")
        self.assertRegex(told["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        ids = [p["SPDXID"] for p in told["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        for package in told["packages"]:
            self.assertRegex(package["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
            for field in ("name", "versionInfo", "downloadLocation", "licenseDeclared"):
                self.assertTrue(package[field], package["name"])
        for relation in told["relationships"]:
            self.assertIn(relation["relatedSpdxElement"], ids)
        described = [r for r in told["relationships"] if r["relationshipType"] == "DESCRIBES"]
        self.assertEqual([r["relatedSpdxElement"] for r in described], ["SPDXRef-pytoon"])

    def test_versions_are_dpkgs(self):
        package = self.spdx.of_debian("libc6")
        installed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libc6"],
                                   capture_output=True, text=True, check=True).stdout
        self.assertEqual(package["versionInfo"], installed)
        self.assertIn("glibc", package["sourceInfo"])
        self.assertIn("/usr/share/doc/libc6/copyright", package["licenseComments"])
        (reference,) = package["externalRefs"]
        self.assertIn(f"pkg:deb/debian/libc6@{installed.replace('+', '%2B')}",
                      reference["referenceLocator"])

    def test_what_is_compiled_in_is_built_with(self):
        listed = text("scripts/packages.txt").split("\n[run]")[0]
        for package in self.spdx.STATIC_PACKAGES:
            self.assertRegex(listed, rf"(?m)^{re.escape(package)}\s")

    def test_cuda_says_what_it_has_of_nvidia(self):
        names = {p["name"] for p in self.document(["libc6"], cuda=True)["packages"]}
        self.assertIn("libcudart-static", names)
        self.assertNotIn("libcudart-static",
                         {p["name"] for p in self.document(["libc6"])["packages"]})


class Nvcc(unittest.TestCase):
    def test_a_toolkit_that_is_there_is_used(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "bin"))
            nvcc = os.path.join(folder, "bin/nvcc")
            with open(nvcc, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n")
            os.chmod(nvcc, 0o755)
            told = subprocess.run([os.path.join(ROOT, "docker/install-nvcc")], check=True,
                                  env={"PATH": "/usr/bin:/bin", "CUDA_HOME": folder},
                                  capture_output=True, text=True).stdout
            self.assertIn("is there", told)


# Filters its own system calls, letting all through, and waits.
CONFINED = """
import ctypes, struct, sys
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(allow)))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
print(libc.prctl(22, 2, program), flush=True)
sys.stdin.read()
"""


@unittest.skipUnless(sys.platform == "linux", "no /proc")
class Watch(unittest.TestCase):
    def findings(self, program):
        import decoder_watch
        with decoder_watch.DecoderWatch(os.getpid()) as watch:
            with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as child:
                self.assertEqual(child.stdout.readline(), "0\n")
                for _ in range(500):
                    if watch.seen or child.poll() is not None:
                        break
                    time.sleep(0.01)
        return watch.findings()

    def test_a_process_with_a_filter_of_its_own_is_told(self):
        self.assertRegex(self.findings(CONFINED), "^1 confined decoders seen.*NoNewPrivs 1")

    def test_one_without_is_not(self):
        unconfined = "import time; print(0, flush=True); time.sleep(0.3)"
        self.assertEqual(self.findings(unconfined), "")


def built():
    """(engine, image) of an image that scripts/dev image left here, or why there is none."""
    image = loaded("scripts/image")
    name = f"pytoon:{image.version()}"
    for engine in ("docker", "podman"):
        if shutil.which(engine):
            done = subprocess.run([engine, "image", "inspect", name], capture_output=True)
            if done.returncode == 0:
                return json.loads(done.stdout)[0], ""
    return None, f"no container engine here has an image {name}: scripts/dev image makes it"


class Built(unittest.TestCase):
    def test_its_configuration(self):
        facts, why_not = built()
        if facts is None:
            self.skipTest(why_not)
        inner = facts["Config"]
        self.assertEqual(inner["User"], "10001:10001")
        self.assertEqual(inner["Entrypoint"], ["pytoon"])
        self.assertIn("8080/tcp", inner["ExposedPorts"])
        self.assertIn("org.opencontainers.image.version", inner["Labels"])


if __name__ == "__main__":
    unittest.main()
