"""Cycles, told how to render, and its passes as arrays."""

import os

import bpy
import numpy

from denoise import denoised


def prepare(size, samples, scale, transparent=False):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = scale
    scene.render.film_transparent = transparent
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "High Contrast"
    cycles = scene.cycles
    cycles.samples = samples
    cycles.use_denoising = False
    cycles.use_adaptive_sampling = True
    cycles.adaptive_threshold = 0.02
    cycles.adaptive_min_samples = 12
    cycles.max_bounces = 10
    cycles.diffuse_bounces = 3
    cycles.glossy_bounces = 4
    cycles.transmission_bounces = 9
    cycles.transparent_max_bounces = 12
    cycles.sample_clamp_indirect = 3.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.denoising_store_passes = True
    bpy.context.view_layer.cycles.denoising_store_passes = True


def _array(path):
    image = bpy.data.images.load(path, check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = numpy.empty(width * height * 4, numpy.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)


def _passes(folder, seed):
    """One render as {"Image", "Denoising Albedo", "Denoising Normal"}, bottom row first."""
    scene = bpy.context.scene
    scene.cycles.seed = seed
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    output = tree.nodes.new("CompositorNodeOutputFile")
    output.base_path = folder
    output.format.file_format = "OPEN_EXR"
    output.format.color_mode = "RGBA"
    output.format.color_depth = "32"
    output.file_slots.clear()
    names = ("Image", "Denoising Albedo", "Denoising Normal")
    for name in names:
        output.file_slots.new(name.replace(" ", "_") + "_")
        tree.links.new(layers.outputs[name], output.inputs[-1])
    bpy.ops.render.render(write_still=False)
    found = {}
    for name in names:
        prefix = name.replace(" ", "_") + "_"
        file = next(f for f in sorted(os.listdir(folder))
                    if f.startswith(prefix) and f.endswith(".exr"))
        found[name] = _array(os.path.join(folder, file))
        os.remove(os.path.join(folder, file))
    return found


def render(path, folder):
    """Renders twice with half the samples, takes the grain out, writes a 16-bit PNG for screens."""
    scene = bpy.context.scene
    scene.cycles.samples = max(1, scene.cycles.samples // 2)
    first, second = _passes(folder, 1), _passes(folder, 2)
    features = numpy.concatenate([
        (first[name][..., :3] + second[name][..., :3]) / 2
        for name in ("Denoising Albedo", "Denoising Normal")], axis=2)
    alpha = (first["Image"][..., 3:] + second["Image"][..., 3:]) / 2
    colour = denoised(first["Image"][..., :3], second["Image"][..., :3],
                      numpy.concatenate([features, alpha], axis=2))
    height, width = alpha.shape[:2]
    image = bpy.data.images.new("picture", width, height, alpha=True, float_buffer=True)
    pixels = numpy.concatenate([colour, alpha], axis=2).astype(numpy.float32)
    image.pixels.foreach_set(pixels.ravel())
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "16"
    image.save_render(path, scene=scene)
