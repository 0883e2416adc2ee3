"""Two small workflows made of the shipped ones, and what they really take of a card, which is not
what their files say.

usage: workflows.py SHIPPED CONFIG EXAMPLES CLIPS   for a machine without ffmpeg: the configuration
into CONFIG, a request of each workflow into EXAMPLES, what ComfyUI makes of them into CLIPS
"""

import json
import pathlib
import shutil
import sys

from fake_comfyui import MIB, Model, clip_name, make_clip

# By workflow: the file of config/workflows that it is made of, its engine, sizes in MiB.
WORKFLOWS = {
    "chaos_wan": ("wan22_5b_i2v", "local_comfyui", 9 * 1024, 2 * 1024),
    "chaos_ltx": ("ltxv_i2v", "comfyui_ltxv", 7 * 1024, 1536)}
WIDTH, HEIGHT = 128, 224
LOAD, RUN = 1.0, 2.0  # seconds
CLIPS = ((WIDTH, HEIGHT, 25, 25), (WIDTH, HEIGHT, 25, 24))  # that they are asked for


def files_of(workflow):
    return sorted({value for node in workflow["graph"].values()
                   for value in node["inputs"].values()
                   if isinstance(value, str) and value.endswith(".safetensors")})


def write_config(shipped, folder):
    """The shipped configuration with the two workflows and a preset of each."""
    shutil.copytree(shipped, folder)
    engine = (folder / "engine.yaml").read_text()
    presets = (folder / "presets.yaml").read_text()
    for name, (origin, chain, weights, tiled) in WORKFLOWS.items():
        workflow = json.loads((folder / "workflows" / f"{origin}.json").read_text())
        workflow.update(width=WIDTH, height=HEIGHT, load_seconds=LOAD, run_seconds=RUN,
                        weights_bytes=weights * MIB, vram_bytes=(weights + tiled) * MIB)
        (folder / "workflows" / f"{name}.json").write_text(json.dumps(workflow))
        before = engine
        engine = engine.replace("[wan22_5b_i2v, wan22_5b_t2v]" if origin.startswith("wan")
                                else f"[{origin}]", f"[{name}]")
        assert engine != before, f"engine.yaml has no {origin}"
        presets += f"""
  - id: {name}
    name: "{name}"
    archetype: PRODUCT_HERO
    brand_safe: false
    engine_policy: local_only
    caption_style: {{font: "Inter", size_rules: auto, position: lower_third, safe_margin_px: 120}}
    motion_profile: subtle
    transitions: {{type: cut, duration_ms: 0}}
    audio: {{music_level_db: -18, voice_level_db: -6}}
    overlay_fx: {{shadow: false, glow: false}}
    engines: [{chain}]
"""
    (folder / "engine.yaml").write_text(engine)
    (folder / "presets.yaml").write_text(presets)


def request(name, seed, image):
    return {"preset_id": name, "target_duration_seconds": 1, "seed": seed, "prompt": "Light",
            "image_uris": [image]}


def lying_models(config, draw):
    """What each workflow of that configuration really takes: weights about as told, work far less
    or far more. By workflow."""
    lies = [draw.uniform(0.7, 0.9), draw.uniform(1.6, 2.0)]
    draw.shuffle(lies)
    models = {}
    for (name, (_, _, weights, tiled)), lie in zip(WORKFLOWS.items(), lies):
        workflow = json.loads((pathlib.Path(config) / "workflows" / f"{name}.json").read_text())
        models[name] = Model(files_of(workflow), round(weights * draw.uniform(0.95, 1.05)), tiled,
                             LOAD, RUN, lie)
    return models


def main(shipped, config, examples, clips):
    write_config(pathlib.Path(shipped), pathlib.Path(config))
    for place, name in enumerate(WORKFLOWS):
        wanted = request(name, 11 + place, "product_front.jpg")
        (pathlib.Path(examples) / f"{name}.json").write_text(json.dumps(wanted))
    for shape in CLIPS:
        make_clip(shape, pathlib.Path(clips) / clip_name(shape))


if __name__ == "__main__":
    main(*sys.argv[1:])
