"""A GPU that is a folder: what tests/gpu/nvml/fake_nvml.cpp shows as NVML to every process that is
started with environment(). Memory is in MiB, taken by name; each name is a program.
"""

import os
import pathlib
import threading


class FakeCard:
    def __init__(self, folder, library, uuid="GPU-chaos-0001", total=24 * 1024):
        self.folder = pathlib.Path(folder)
        self.library = pathlib.Path(library)  # the folder of libnvidia-ml.so.1
        self.uuid, self.total = uuid, total
        self.lock = threading.Lock()
        self.taken = {}
        (self.folder / "taken").mkdir(parents=True)
        self.describe()

    def environment(self):
        paths = [str(self.library), os.environ.get("LD_LIBRARY_PATH", "")]
        return {"PYTOON_FAKE_NVML": str(self.folder),
                "LD_LIBRARY_PATH": ":".join(path for path in paths if path)}

    def _write(self, place, text):
        staged = self.folder / f".{place.name}"
        staged.write_text(text)
        staged.replace(place)

    def describe(self, *keys):
        self._write(self.folder / "gpus", " ".join((self.uuid, str(self.total), *keys)) + "\n")

    def lose(self):
        self.describe("lost=1")

    def free(self):
        with self.lock:
            return self.total - sum(self.taken.values())

    def others(self, name):
        """What all but that program have."""
        with self.lock:
            return sum(self.taken.values()) - self.taken.get(name, 0)

    def take(self, name, pid, mib):
        """Sets what that program has. False, and nothing changes, when the card has not so much."""
        with self.lock:
            others = sum(self.taken.values()) - self.taken.get(name, 0)
            if others + mib > self.total:
                return False
            self.taken[name] = mib
            self._write(self.folder / "taken" / name, f"{self.uuid} {pid} {mib}\n")
            return True
