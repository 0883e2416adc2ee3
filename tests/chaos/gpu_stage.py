"""What the rows about GPU memory play on: the fleet on a node with one card of 24 GiB (a fake
NVML) and one ComfyUI on it, and a watcher that reads the promise ledger ten times a second.

Nothing here asks the product whether its rule held: the watcher adds up the rows of the database
itself, and once more with what the ComfyUI really has.
"""

import contextlib
import json
import os
import pathlib
import shutil
import threading
import time

from fake_card import FakeCard
from fake_comfyui import MIB, FakeComfyUI
from harness import ROOT, picture
from client import Client
from workflows import WORKFLOWS, lying_models, request, write_config

GIB = 1 << 30
GRAIN = 2 * MIB  # what allocators round up to
# A sample is two readings, of the driver and of ComfyUI: a model that moves between them may be
# anybody's until the next one.
LOOKS_A_SAMPLE = 3
CARDS = """SELECT json_build_object('sample', g.sample::json, 'at', g.sampled_at,
  'foreign_before', g.foreign_at_last_promise,
  'now', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  'promises', coalesce((SELECT json_agg(json_build_object('epoch', p.epoch, 'lane', p.lane,
    'bytes', p.bytes, 'model', p.model, 'worker', p.worker_id, 'task', p.task,
    'expires', p.expires_at, 'released', p.released_at)) FROM promises p WHERE p.gpu = g.uuid),
    '[]'::json)) FROM gpus g"""


def library():
    return os.environ.get("PYTOON_FAKE_NVML_LIBRARY", "")


def unable():
    if not library():
        return "--fake-nvml was not given"
    return None if shutil.which("ffmpeg") else "ffmpeg is not installed"


class Balance:
    """free - sum of max(0, promised - held) of one state of the ledger, in bytes."""

    def __init__(self, card):
        sample, self.at = card["sample"], card["at"]
        self.now, self.free, self.endpoint = card["now"], sample["free"], sample["endpoint"]
        self.promises = [p for p in card["promises"] if self._counts(p)]
        told = dict(sample["held"])
        owed = 0
        for promise in self.promises:
            held = told.get(promise["epoch"], 0)
            if promise["lane"] == "generate":
                held = dict(self.endpoint["models"]).get(promise["model"], 0)
                held += self.endpoint["fill"]
                if self.endpoint["running"] == promise["epoch"]:
                    held += self.endpoint["working"]
            owed += max(0, promise["bytes"] - held)
        self.slack = self.free - owed
        self.by_foreigners = max(0, sample["foreign"] - card["foreign_before"])
        self.foreign = sample["foreign"]

    def _end(self, promise):
        if promise["released"]:
            return promise["released"]
        return promise["expires"] if promise["expires"] <= self.now else None

    def _counts(self, promise):
        end = self._end(promise)
        return end is None or self.at <= end

    def living(self):
        return [p for p in self.promises if self._end(p) is None]


class Watcher:
    """Reads the ledger's rows at 10 Hz and adds up."""

    def __init__(self, database, card, comfyui):
        self.database, self.card, self.comfyui = database, card, comfyui
        self.looks = self.missed = 0
        self.ours, self.foreign, self.untrue, self.most_at_once = [], [], [], 0
        self.least = self.oldest_ms = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def last(self):
        rows = self.database.sql(CARDS)
        return Balance(json.loads(rows[0][0])) if rows else None

    def _watch(self):
        while not self.over.wait(0.1):
            try:
                balance = self.last()
            except ConnectionError:
                balance = None
            if balance is None:
                self.missed += 1
                continue
            self.looks += 1
            self._look(balance)

    def _look(self, balance):
        self.least = min(self.least if self.least is not None else balance.slack, balance.slack)
        self.most_at_once = max(self.most_at_once, len(
            [p for p in balance.living() if p["lane"] == "generate"]))
        if balance.slack < -GRAIN:
            told = f"{balance.slack / GIB:.2f} GiB of slack, {balance.endpoint}, " \
                   f"{balance.promises}, {balance.free / GIB:.2f} GiB free"
            theirs = balance.slack + balance.by_foreigners >= -GRAIN
            (self.foreign if theirs else self.ours).append(told)
        self._look_at_truth(balance)

    # The sampler's word for what ComfyUI has is an estimate. This is what it has: of the promise's
    # model, for its prompt, and idle in its cache.
    def _look_at_truth(self, balance):
        with self.comfyui.lock:
            torch, free = self.comfyui.torch, self.card.free()
            for promise in balance.living():
                files = tuple(promise["model"].split("+"))
                held = torch.models.get(files, 0) + torch.working + torch.cached
                slack = free * MIB - max(0, promise["bytes"] - held * MIB)
                if slack < -GRAIN:
                    self.untrue.append(
                        f"{promise['bytes'] / GIB:.2f} GiB promised, {held / 1024:.2f} held, "
                        f"{free / 1024:.2f} free")

    def stop(self):
        self.over.set()
        self.thread.join()


class Node:
    """One card, one ComfyUI, the fleet beside them."""

    def __init__(self, stage, ledger, seed):
        self.stage, self.fleet, self.ledger = stage, stage.fleet, ledger
        folder = self.fleet.folder / f"node-{ledger.row}"
        folder.mkdir()
        write_config(ROOT / "config", folder / "config")
        self.card = FakeCard(folder / "nvml", pathlib.Path(library()).parent,
                             uuid=f"GPU-{ledger.row}")
        self.models = lying_models(folder / "config", ledger.random)
        self.comfyui = FakeComfyUI(self.card, self.models.values(), seed, folder)
        self.environment = {**self.card.environment(), "COMFYUI_BASE_URL": self.comfyui.url,
                            "PYTOON_CONFIG_DIR": str(folder / "config")}
        self.watcher = None

    def start(self):
        for member in self.fleet.members:
            member.drain()
            member.extra = self.environment
        for table in ("promises", "gpu_reservations", "gpus", "workflow_profiles"):
            self.fleet.database.sql(f"DELETE FROM {table}")
        self.fleet.start()
        self.watcher = Watcher(self.fleet.database, self.card, self.comfyui)
        answer = Client(self.fleet.api.port).upload(picture(40, 240, 320))
        for place, name in enumerate(WORKFLOWS):
            self.ledger.kinds = {**self.ledger.kinds,
                                 name: request(name, 11 + place, answer.json()["uri"])}

    def stop(self):
        if self.watcher:
            self.watcher.stop()
        for member in self.fleet.members:
            if member.alive():
                member.drain()
            member.extra = {}
        self.fleet.start()
        self.comfyui.close()

    def submit(self, *kinds):
        for kind in kinds:
            self.ledger.insist(self.ledger.wish(kind))

    def finish(self, seconds=150):
        self.stage.judge.wait(self.ledger, seconds)

    def made(self):
        """(job, engine of its segment, whether it has a clip, why not) of this row's jobs."""
        ids = ",".join(f"'{wish.job_id}'" for wish in self.ledger.wishes)
        return self.fleet.database.sql(
            "SELECT j.id, s.engine_used, s.footage_key <> '', coalesce(j.fallback_reason, '') "
            f"FROM jobs j JOIN segments s ON s.job_id = j.id WHERE j.id IN ({ids})")

    def all_generated(self):
        chains = {chain for _, chain, _, _ in WORKFLOWS.values()}
        for job, engine, clip, reason in self.made():
            if engine not in chains or clip != "t":
                self.ledger.fault(f"{job} was made by {engine or 'nobody'}: {reason}")

    def waits(self):
        """What the tasks say that they wait for."""
        return [row[0] for row in self.fleet.database.sql(
            "SELECT waiting_for FROM tasks WHERE waiting_for <> ''")]

    def violations(self, cause):
        """By the metric of all workers."""
        name = f'pytoon_admission_violations_total{{cause="{cause}"}} '
        return sum(float(line.split()[-1]) for worker in self.fleet.workers if worker.alive()
                   for line in worker.get("/metrics").body.decode().splitlines()
                   if line.startswith(name))

    def judge(self):
        """What must hold in every row; gives its numbers."""
        watcher, comfyui, fault = self.watcher, self.comfyui, self.ledger.fault
        if watcher.ours:
            fault(f"{len(watcher.ours)} of {watcher.looks} samples violate: {watcher.ours[0]}")
        if self.violations("ours"):
            fault(f"the metric counts {self.violations('ours')} violations of ours")
        if watcher.most_at_once > 1:
            fault(f"{watcher.most_at_once} prompts were promised the card at once")
        theirs = [oom for oom in comfyui.ooms if oom.by_others()]
        known = [oom for oom in comfyui.ooms if oom.of_known_workflow()]
        if known:
            fault(f"ComfyUI ran out of memory in runs of known workflows: {known}")
        return {"samples": watcher.looks, "samples_of_foreign_violations": len(watcher.foreign),
                "least_slack_mib": None if watcher.least is None else watcher.least >> 20,
                "violations_of_foreigners": self.violations("foreign"),
                "frees": comfyui.frees, "tiled": comfyui.tiled_runs, "full": comfyui.full_runs,
                "oom_of_first_runs": len(comfyui.ooms) - len(theirs), "oom_by_others": len(theirs),
                "most_queued": comfyui.most_queued,
                "lies": [round(model.lie, 2) for model in self.models.values()]}

    def undisturbed(self):
        """Where nobody else takes of the card, no violation is a foreigner's."""
        if any(oom.grown > 0 for oom in self.comfyui.ooms):
            self.ledger.fault("a program that is not there grew while a prompt ran")
        if len(self.watcher.foreign) > LOOKS_A_SAMPLE:
            self.ledger.fault(f"{len(self.watcher.foreign)} samples blame foreigners who are not "
                              f"there: {self.watcher.foreign[0]}")
        if self.violations("foreign"):
            self.ledger.fault("the metric counts violations of foreigners who are not there")
        if self.watcher.untrue:
            self.ledger.fault(f"{len(self.watcher.untrue)} times more was promised than there "
                              f"was: {self.watcher.untrue[0]}")
        if self.comfyui.most_queued > 1:
            self.ledger.fault(f"{self.comfyui.most_queued} prompts stood in ComfyUI's queue")


@contextlib.contextmanager
def gpu_node(stage, ledger):
    node = Node(stage, ledger, ledger.random.getrandbits(32))
    try:
        node.start()
        yield node
    finally:
        node.stop()
