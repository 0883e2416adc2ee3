"""A real card in the place of a FakeCard: a child process (`gpu_tenant told`) takes CUDA memory and
gives it back as it is told. One program only: the ComfyUI that plays on it. Memory is in MiB.
"""

import subprocess
import threading

from fake_comfyui import CONTEXT


class RealCard:
    """command: what starts that child."""

    def __init__(self, command):
        self.lock = threading.Lock()
        self.child = subprocess.Popen([*command, "told"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self._answer("ready")
        self.total = self._tell("look")[0]

    def close(self):
        self.child.stdin.close()
        self.child.wait()

    def _answer(self, expected):
        words = self.child.stdout.readline().split()
        if not words:
            raise RuntimeError("the program that takes the card's memory has ended")
        if words[0] not in expected.split("|"):
            raise RuntimeError(f"it said {words}")
        return words

    def _tell(self, order):
        """(total, free, held)"""
        self.child.stdin.write(f"{order}\n")
        self.child.stdin.flush()
        return tuple(int(word) for word in self._answer("ok")[1:])

    def free(self):
        with self.lock:
            return self._tell("look")[1]

    def others(self, _):
        with self.lock:
            total, free, held = self._tell("look")
            return max(0, total - free - held - CONTEXT)

    def take(self, _, __, mib):
        """Sets what that program has, its context of CUDA being there already. False, and nothing
        changes, when the driver does not give it."""
        wanted = max(0, mib - CONTEXT)
        with self.lock:
            return self._tell(wanted)[2] == wanted
