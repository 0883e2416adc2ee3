"""Makes the pictures of this folder: path-traced scenes of a brand that does not exist.

usage: blender -b -P examples/make_pictures.py -- [PICTURE...] [--samples N] [--scale PERCENT]
                                                  [--out FOLDER]

PICTURE is front, night, family, cutout, mask or logo; without one all are made. Needs Debian's
blender, python3-cairo, python3-numpy, python3-pil, python3-scipy, fonts-inter and
fonts-quattrocento. Nobody needs them to use the pictures, which are kept beside this script.
"""

import argparse
import os
import sys
import tempfile

import bpy
import numpy
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "studio"))

import artwork  # noqa: E402
import renderer  # noqa: E402
import scenes  # noqa: E402

WIDTH, HEIGHT = 1500, 2100
JPEG_QUALITY = 90


def photograph(name, build, folder, options):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    build(folder)
    renderer.prepare((WIDTH, HEIGHT), options.samples, options.scale)
    raw = os.path.join(folder, "raw.png")
    renderer.render(raw, folder)
    picture = Image.open(raw).convert("RGB")
    picture.save(os.path.join(options.out, name), quality=JPEG_QUALITY, subsampling=0,
                 optimize=True)


def cutout(folder, options):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scenes.packshot(folder)
    renderer.prepare((900, 1800), options.samples, options.scale, transparent=True)
    raw = os.path.join(folder, "raw.png")
    renderer.render(raw, folder)
    picture = Image.open(raw).convert("RGBA")
    left, top, right, bottom = picture.getchannel("A").getbbox()
    margin = 24
    picture = picture.crop((left - margin, top - margin, right + margin, bottom + margin))
    picture.save(os.path.join(options.out, "product_cutout.png"), optimize=True)


def mask(folder, options):
    """Where the bottle is in product_front.jpg: white with that alpha, soft at the edge."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bottle = scenes.morning(folder)
    kept = {bottle.name} | {child.name for child in bottle.children}
    for thing in bpy.context.scene.objects:
        if thing.type == "MESH" and thing.name not in kept:
            thing.hide_render = True
    renderer.prepare((WIDTH, HEIGHT), 12, options.scale, transparent=True)
    raw = os.path.join(folder, "raw.png")
    renderer.render(raw, folder)
    alpha = numpy.asarray(Image.open(raw).convert("RGBA").getchannel("A"))
    white = numpy.full(alpha.shape + (4,), 255, numpy.uint8)
    white[..., 3] = alpha
    Image.fromarray(white).save(os.path.join(options.out, "product_front_mask.png"), optimize=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", nargs="*")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--scale", type=int, default=100)
    parser.add_argument("--out", default=HERE)
    words = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        makers = {
            "front": lambda: photograph("product_front.jpg", scenes.morning, folder, options),
            "night": lambda: photograph("product_night.jpg", scenes.night, folder, options),
            "family": lambda: photograph("product_family.jpg", scenes.family, folder, options),
            "cutout": lambda: cutout(folder, options),
            "mask": lambda: mask(folder, options),
            "logo": lambda: artwork.logo(os.path.join(options.out, "logo.png")),
        }
        for picture in options.pictures or makers:
            makers[picture]()


main()
