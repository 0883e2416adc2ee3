#!/usr/bin/env python3
"""The stand-in of ComfyUI on a real card, for scripts/device-check: it takes CUDA memory where the
real one would. Says "ready URL", serves until its standard input ends, and then says as JSON what
it saw. Status 1: more prompts than one stood in its queue, or one of a workflow that it had done
before ran out of memory.

usage: comfyui_on_card.py CONFIG CLIPS SEED COMMAND...   COMMAND takes and gives memory: gpu_tenant
"""

import json
import random
import sys

from fake_comfyui import FakeComfyUI
from real_card import RealCard
from workflows import lying_models


def main(config, clips, seed, command):
    card = RealCard(command)
    models = lying_models(config, random.Random(seed))
    comfyui = FakeComfyUI(card, models.values(), seed, clips)
    print("ready", comfyui.url, flush=True)
    sys.stdin.read()
    comfyui.close()
    card.close()
    known = [oom for oom in comfyui.ooms if oom.of_known_workflow()]
    print(json.dumps({
        "prompts": sum(comfyui.runs.values()), "tiled": comfyui.tiled_runs,
        "full": comfyui.full_runs, "frees": comfyui.frees, "most_queued": comfyui.most_queued,
        "out_of_memory": len(comfyui.ooms), "out_of_memory_of_known": len(known),
        "lies": [round(model.lie, 2) for model in models.values()]}))
    return 1 if known or comfyui.most_queued > 1 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
