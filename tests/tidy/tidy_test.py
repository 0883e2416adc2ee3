#!/usr/bin/env python3
"""Each rule turns red on a small bad tree, names file and line, and is green on a good one."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sizes  # noqa: E402
import tidy  # noqa: E402
from tree import code_only  # noqa: E402

HEADER = "// A thing that the tests of tidy include.\n#pragma once\n"
MAP = "# The house\n\n```\n" + "".join(f"{f}/\n" for f in ("base", "docs")) + "```\n"


def good_tree():
    return {"docs/architecture.md": MAP, "base/result.h": HEADER}


class TidyTest(unittest.TestCase):
    def findings(self, files, extra_folders=()):
        """What tidy says of a good tree with `files` added, as "path:line rule"."""
        tree = good_tree()
        tree.update(files)
        tops = {path.split("/")[0] for path in tree if "/" in path} - {"base", "docs"}
        drawn = sorted(tops | set(extra_folders))
        rooms = sorted({os.path.dirname(p) for p in tree if p.startswith(("pipeline/", "server/"))})
        lines = [f"{top}/" for top in drawn]
        for room in rooms:
            for top in ("pipeline", "server"):
                if room.startswith(top + "/"):
                    at = lines.index(top + "/") + 1
                    lines.insert(at, "  " + room.split("/")[1] + "/")
        if "docs/architecture.md" not in files:
            drawing = "".join(f"{line}\n" for line in lines)
            tree["docs/architecture.md"] = MAP[:-4] + drawing + "```\n"
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            _, found = tidy.check_tree(root)
        return [f"{f.path}:{f.line} {f.rule}" for f in found]

    def test_a_good_tree_is_green(self):
        self.assertEqual(self.findings({}), [])
        self.assertEqual(self.findings({
            "gpu/image.h": HEADER + '#include "base/result.h"\n#include <vector>\n',
            "pipeline/render/scene.cpp": '#include "gpu/image.h"\n#include <sys/stat.h>\n'}), [])

    def test_include_to_the_right(self):
        right = {"gpu/image.h": HEADER, "base/a.cpp": '#include "gpu/image.h"\n'}
        self.assertEqual(self.findings(right), ["base/a.cpp:1 door"])

    def test_media_does_not_know_the_spec(self):
        files = {"pipeline/spec/spec.h": HEADER,
                 "pipeline/media/a.cpp": '\n#include "pipeline/spec/spec.h"\n'}
        self.assertEqual(self.findings(files), ["pipeline/media/a.cpp:2 door"])

    def test_plan_does_not_know_media(self):
        files = {"pipeline/media/media.h": HEADER,
                 "pipeline/plan/a.cpp": '#include "pipeline/media/media.h"\n'}
        self.assertEqual(self.findings(files), ["pipeline/plan/a.cpp:1 door"])

    def test_rooms_of_the_server(self):
        files = {"server/jobs/job.h": HEADER, "server/io/store.h": HEADER,
                 "server/app/app.cpp": '#include "server/io/store.h"\n',
                 "server/main.cpp": '#include "server/io/store.h"\n',
                 "server/http/a.cpp": '#include "server/jobs/job.h"\n'
                                      '#include "server/io/store.h"\n',
                 "server/jobs/b.cpp": '#include "server/io/store.h"\n'}
        self.assertEqual(self.findings(files),
                         ["server/http/a.cpp:2 door", "server/jobs/b.cpp:1 door"])

    def test_a_device_is_reached_through_its_door(self):
        files = {"gpu/cpu/cpu_device.h": HEADER,
                 "pipeline/render/a.cpp": '#include "gpu/cpu/cpu_device.h"\n',
                 "server/app/app.cpp": '#include "gpu/cpu/cpu_device.h"\n',
                 "tests/gpu/a_test.cpp": '#include "gpu/cpu/cpu_device.h"\n'}
        found = [f for f in self.findings(files) if not f.endswith(" map")]
        self.assertEqual(found, ["pipeline/render/a.cpp:1 door"])

    def test_cycle(self):
        files = {"base/a.h": HEADER + '#include "base/b.h"\n',
                 "base/b.h": HEADER + '#include "base/a.h"\n'}
        self.assertEqual(self.findings(files), ["base/a.h:1 cycle"])

    def test_include_of_no_file(self):
        self.assertEqual(self.findings({"base/a.cpp": '#include "result.h"\n'}),
                         ["base/a.cpp:1 include"])

    def test_a_test_may_name_what_lies_beside_it(self):
        self.assertEqual(self.findings({"tests/base/kit.h": HEADER,
                                        "tests/base/a_test.cpp": '#include "kit.h"\n'}), [])

    def test_an_include_in_a_comment_is_none(self):
        text = '// #include "gone.h"\n/*\n#include <gst/gst.h>\n*/\n'
        self.assertEqual(self.findings({"base/a.cpp": text}), [])

    def test_foreign_library_outside_its_room(self):
        for header in ("gst/gst.h", "libavcodec/avcodec.h", "vips/vips.h", "pango/pango.h",
                       "cairo.h", "fontconfig/fontconfig.h", "pistache/http.h", "sqlite3.h",
                       "openssl/evp.h",
                       "prometheus/counter.h", "yaml-cpp/yaml.h", "curl/curl.h", "cuda.h",
                       "valijson/schema.hpp", "CLI/CLI.hpp", "unheard_of/thing.h", "gtest/gtest.h"):
            with self.subTest(header=header):
                found = self.findings({"gpu/a.cpp": f"#include <{header}>\n"})
                self.assertEqual(found, ["gpu/a.cpp:1 foreign"])

    def test_foreign_library_in_its_room_and_in_its_tests(self):
        self.assertEqual(self.findings({
            "server/http/a.cpp": "#include <pistache/http.h>\n",
            "server/io/a.cpp": "#include <sqlite3.h>\n",
            "server/main.cpp": "#include <CLI/CLI.hpp>\n",
            "pipeline/media/gst/a.cpp": "#include <gst/gst.h>\n",
            "docs/architecture.md": MAP[:-4] + "pipeline/\n  media/\nserver/\n  http/\n  io/\n"
                                               "tests/\n```\n",
            "tests/server/io/a_test.cpp": "#include <gtest/gtest.h>\n#include <sqlite3.h>\n",
            "tests/server/http/a_test.cpp": "#include <nlohmann/json.hpp>\n"}), [])

    def test_sizes(self):
        self.assertEqual(self.findings({"base/a.cpp": "int a();\n" * 501}),
                         ["base/a.cpp:501 file-size"])
        self.assertEqual(self.findings({"base/a.cpp": "int a();\n" * 500}), [])
        self.assertEqual(self.findings({"base/a.cpp": "\n// " + "a" * 98 + "\n"}),
                         ["base/a.cpp:2 columns"])
        self.assertEqual(self.findings({"base/a.cpp": "// " + "\u00e4" * 97 + "\n"}), [])

    def test_function_size(self):
        body = "  if (a) {\n    b();\n  }\n" * 23  # 69 lines
        long = "namespace n {\nstruct A {\nint f(int a) const {\n" + body + "\n}\n};\n}\n"
        self.assertEqual(self.findings({"base/a.cpp": long}), ["base/a.cpp:3 function-size"])
        fits = long.replace("\n\n}", "}")
        self.assertEqual(self.findings({"base/a.cpp": fits}), [])
        table = "const int kTable[] = {\n" + "  1,\n" * 90 + "};\n"
        table += "class A {\n" + "int a();\n" * 90 + "};\n"
        self.assertEqual(self.findings({"base/a.cpp": table}), [])
        python = "def f():\n" + "    pass\n" * 70 + "\n\ndef g():\n    pass\n"
        self.assertEqual(self.findings({"base/a.py": python}), ["base/a.py:1 function-size"])

    def test_functions_are_found_by_their_braces(self):
        code = ("template <class T>\nA<T>::A(int x)\n    : a_{x}, b_(x) {\n  c();\n}\n"
                "enum class E { kA };\nvoid g() {\n  auto l = [&] {\n  };\n}\n").splitlines()
        self.assertIn((7, 10, "g"), sizes.functions(code))
        self.assertEqual(max(last for _, last, _ in sizes.functions(code)), 10)

    def test_banned_calls(self):
        for call in ("std::chrono::system_clock::now()", "std::chrono::steady_clock::now()",
                     "std::this_thread::sleep_for(x)", "usleep(5)", "::sleep(1)", "rand()",
                     "std::random_device device", "time(nullptr)", "std::time(NULL)",
                     "clock_gettime(CLOCK_MONOTONIC, &t)", "gettimeofday(&t, nullptr)",
                     "RAND_bytes(bytes, 16)"):
            with self.subTest(call=call):
                found = self.findings({"base/a.cpp": f"int a =\n  {call};\n"})
                self.assertEqual(found, ["base/a.cpp:2 banned-call"])
                self.assertEqual(self.findings({"base/clock.cpp": f"  {call};\n"}), [])

    def test_clock_handed_in_is_welcome(self):
        text = ("void a(Clock& clock, Clock* other) {\n  clock.sleep_for(ms);\n"
                "  other->sleep_for(ms);\n  run_time(0);\n  clock_->steady_now();\n}\n"
                "// not steady_clock::now()\nconst char* t = \"time(nullptr)\";\n")
        self.assertEqual(self.findings({"base/a.cpp": text}), [])

    def test_a_test_may_wait_when_it_says_why(self):
        wait = "std::this_thread::sleep_for(x);"
        why = wait + "  // tidy: the kernel's own timer is under test"
        found = self.findings({"tests/a_test.cpp": wait + "\n", "base/b.cpp": why + "\n"})
        self.assertEqual(found, ["base/b.cpp:1 banned-call", "tests/a_test.cpp:1 banned-call"])
        self.assertEqual(self.findings({"tests/a_test.cpp": why + "\n"}), [])

    def test_naked_new(self):
        self.assertEqual(self.findings({"base/a.cpp": "A* a = new A;\ndelete a;\n"}),
                         ["base/a.cpp:1 naked-new", "base/a.cpp:2 naked-new"])
        fine = ("#include <new>\nA(const A&) = delete;\nvoid operator delete(void*);\n"
                "// a new thing\nconst char* s = \"new\";\n"
                "auto* a = new A;  // tidy: GObject frees it\n"
                "return std::unique_ptr<A>(new A(b));\nstd::unique_ptr<A> a(\n    new A(b));\n")
        self.assertEqual(self.findings({"base/a.cpp": fine}), [])

    def test_headers(self):
        self.assertEqual(self.findings({"base/a.h": "// What the thing is: a thing.\nint a();\n"}),
                         ["base/a.h:1 pragma-once"])
        for text in ("#pragma once\n", "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n",
                     "// a.h\n#pragma once\n"):
            self.assertEqual(self.findings({"base/a.h": text}), ["base/a.h:1 header-comment"])

    def test_notes_to_self_and_machine_paths(self):
        for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"):
            self.assertEqual(self.findings({"docs/a.md": f"\n{word}: later\n"}),
                             ["docs/a.md:2 note-to-self"])
        for path in ("/ho" + "me/ann/x", "/tm" + "p/out.mp4", "/ro" + "ot/.cache",
                     "/Us" + "ers/ann"):
            self.assertEqual(self.findings({"base/a.yaml": f"path: {path}\n"}),
                             ["base/a.yaml:1 machine-path"])
        fine = "mountPath: /tmp\nurl: https://a.org/home/x\npath: $DIR/tmp/x\n"
        self.assertEqual(self.findings({"base/a.yaml": fine}), [])

    def test_folders_without_meaning(self):
        self.assertEqual(self.findings({"base/utils/a.cpp": "int a();\n"}),
                         ["base/utils/a.cpp:1 folder"])

    def test_words_that_the_glossary_refuses(self):
        glossary = ("| term | meaning | refused |\n| --- | --- | --- |\n"
                    "| notifier | Tells. | `Bell`, `ring()` in base, `forget_*`, "
                    "`a::Hand` in gpu |\n")
        self.assertEqual(self.findings({
            "docs/glossary.md": "# Glossary\n\n" + glossary,
            "base/a.cpp": "int Bell;\nint Bells;\nint Doorbell;\nvoid ring();\nint ring;\n"
                          "int forget_it;\nint unforget_it;\na::Hand hand;\n",
            "gpu/a.cpp": "void ring();\na::Hand hand;\nint Hand;\n",
            "CHANGELOG.md": "Bell\n"}),
            ["base/a.cpp:1 term", "base/a.cpp:4 term", "base/a.cpp:6 term", "gpu/a.cpp:2 term"])

    def test_the_map_and_the_land(self):
        self.assertEqual(self.findings({}, extra_folders=["gpu"]), ["docs/architecture.md:6 map"])
        self.assertEqual(self.findings({"gpu/a.cpp": "", "docs/architecture.md": MAP}),
                         ["docs/architecture.md:1 map"])
        self.assertEqual(self.findings({"docs/architecture.md": "# No tree\n"}),
                         ["docs/architecture.md:1 map"])

    def test_docs_name_what_is_there(self):
        text = "[a](architecture.md) [b](gone.md) [c](https://a.org/x)\n"
        text += "`base/result.h` `base/gone.h`\n"
        self.assertEqual(self.findings({"docs/a.md": text}),
                         ["docs/a.md:1 link", "docs/a.md:2 link"])

    def test_code_only_keeps_lines_and_drops_words(self):
        text = 'a(1\'000); /* b\n */ R"x(c\n")x" "d\\"" \'"\' // e\nf();\n'
        code = code_only(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual(code.split("\n")[0].strip(), "a(1'000);")
        self.assertEqual(code.split("\n")[3], "f();")
        for word in "bcde":
            self.assertNotIn(word, code)


if __name__ == "__main__":
    unittest.main()
