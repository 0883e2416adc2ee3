"""Rows about GPU memory: one card, one ComfyUI on it, and neither may run out."""

import itertools
import time

from gpu_stage import gpu_node
from servers import wait_for
from workflows import WORKFLOWS

FOREIGN_PID = 4_000_002
PROMISE_LEASE = 15  # seconds, of the product
SAMPLE_AGE_MAX = 2   # seconds, of the product
SILENCE_MAX = 60    # seconds that a prompt waits for a card that is not measured, of the product


def alternate(count):
    return list(itertools.islice(itertools.cycle(WORKFLOWS), count))


def two_workflows(stage, ledger, count):
    """Different models, which do not fit at once, whose files lie."""
    with gpu_node(stage, ledger) as node:
        node.submit(*alternate(count))
        node.finish()
        node.all_generated()
        node.undisturbed()
        return node.judge()


def foreign_tenant(stage, ledger, count):
    """It takes the card while prompts run, and gives it back later."""
    with gpu_node(stage, ledger) as node:
        node.submit(*alternate(1))
        node.finish()
        node.submit(*alternate(count))
        wait_for(lambda: node.comfyui.running, 30, "a prompt to run")
        grown = 0
        while node.card.take("foreign", FOREIGN_PID, grown + 512):
            grown += 512
            time.sleep(0.02)
        wait_for(lambda: any("other programs hold" in why for why in node.waits()), 60,
                 f"a task to say who has the memory, not {node.waits()}")
        before = sum(node.comfyui.runs.values())
        time.sleep(2)
        if sum(node.comfyui.runs.values()) > before + 1:
            ledger.fault("prompts went on running on a full card")
        node.card.take("foreign", FOREIGN_PID, 0)
        node.finish()
        node.all_generated()
        return {"foreign_gib": round(grown / 1024, 1), **node.judge()}


def kill_with_promise(stage, ledger, count):
    """A worker dies while its prompt runs: the promise ends with its lease, the other goes on."""
    with gpu_node(stage, ledger) as node:
        seconds = []
        for _ in range(count):
            node.submit(*alternate(3))
            worker, task = wait_for(lambda: holder(node), 30, "a worker to have a promise")
            wait_for(lambda: node.comfyui.running, 10, "its prompt to run")
            worker.kill()
            began = time.monotonic()
            wait_for(lambda: not promised(node, worker, task), 40, "the promise to run out")
            seconds.append(time.monotonic() - began)
            node.finish()
            worker.start()
        node.all_generated()
        if max(seconds) > PROMISE_LEASE + 5:
            ledger.fault(f"a dead worker's promise lasted {max(seconds):.1f} s")
        if node.watcher.untrue:
            ledger.fault(node.watcher.untrue[0])
        twice = [task for task, runs in node.comfyui.made.items() if runs > 1]
        if twice:
            ledger.fault(f"made again beside what a dead worker had ordered: {twice}")
        return {"promise_lasted_seconds": round(max(seconds), 1), **node.judge()}


def holder(node):
    """(worker that has the card's promise, its id there)"""
    balance = node.watcher.last()
    for promise in balance.living() if balance else ():
        for worker in node.fleet.workers:
            found = node.fleet.database.sql(
                f"SELECT pid FROM workers WHERE worker_id = '{promise['worker']}'")
            if found and int(found[0][0]) == worker.process.pid:
                return worker, promise["epoch"]
    return None


def promised(node, _, epoch):
    return any(promise["epoch"] == epoch for promise in node.watcher.last().promises)


def lost_card(stage, ledger, count):
    """The card is not there any more, for good: every job ends, and says why it has no clip."""
    with gpu_node(stage, ledger) as node:
        node.submit(*alternate(1))
        node.finish()
        node.card.lose()
        time.sleep(SAMPLE_AGE_MAX + 1)  # until then the last sample still promises
        began = time.monotonic()
        node.submit(*alternate(count))
        node.finish(SILENCE_MAX + 60)
        took = time.monotonic() - began
        told = [reason for _, engine, clip, reason in node.made() if clip != "t"]
        if len(told) < count:
            ledger.fault(f"only {len(told)} of {count} jobs did without the card")
        for reason in told:
            if "was not measured" not in reason:
                ledger.fault(f"the reason does not name the card: {reason!r}")
        return {"ended_after_seconds": round(took, 1), "reason": told[0] if told else None,
                **node.judge()}
