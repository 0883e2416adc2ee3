"""The sets: what stands around the products, the light on them, the camera before them."""

import math

import bpy
from mathutils import Vector

import materials
import products
import shapes


def area_light(place, target, size, power, colour=(1, 1, 1), size_y=None, visible=True):
    data = bpy.data.lights.new("area", "AREA")
    data.shape = "RECTANGLE"
    data.size, data.size_y = size, size_y or size
    data.energy, data.color = power, colour
    lamp = bpy.data.objects.new("area", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.location = place
    lamp.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    lamp.visible_glossy = visible
    return lamp


def sun(direction, strength, colour, softness_deg):
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.color, data.angle = strength, colour, math.radians(softness_deg)
    lamp = bpy.data.objects.new("sun", data)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.rotation_euler = Vector(direction).to_track_quat("-Z", "Y").to_euler()


def camera(place, target, focal_mm, focus=None, f_number=8.0):
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_fit, data.sensor_height = focal_mm, "VERTICAL", 36
    eye = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(eye)
    eye.location = place
    eye.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    if focus:
        data.dof.use_dof = True
        data.dof.focus_distance = (Vector(focus) - Vector(place)).length
        data.dof.aperture_fstop = f_number
    bpy.context.scene.camera = eye


def world(colour, strength):
    setting = bpy.context.scene.world or bpy.data.worlds.new("world")
    bpy.context.scene.world = setting
    setting.use_nodes = True
    background = setting.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = colour + (1.0,)
    background.inputs["Strength"].default_value = strength


def morning(folder):
    """The serum on a plinth before an arch, morning sun through palm leaves."""
    wall = materials.plaster("sand wall", (0.70, 0.40, 0.27))
    light_plaster = materials.plaster("arch", (0.78, 0.52, 0.38))
    plinth = materials.plaster("plinth", (0.86, 0.70, 0.58), 0.15)
    shapes.block("floor", (12, 8, 0.2), (0, -5, -0.2), wall, 0)
    shapes.block("wall", (12, 0.2, 8), (0, 1.5, 0), wall, 0)
    shape = shapes.extruded("arch", shapes.arch(1.5, 1.95), 0.28, light_plaster, 0.025)
    shape.location = (0.2, 1.22, 0)
    shapes.disc("plinth", 0.62, 0.34, (0, 0, 0), plinth, 0.03)
    shapes.disc("step", 0.98, 0.15, (0.12, 0.12, 0), light_plaster, 0.03)
    travertine = materials.stone("travertine", (0.88, 0.78, 0.66), (0.66, 0.50, 0.38), 4.0)
    shapes.ball("stone", 0.25, (0.80, -0.05, 0.40), travertine)
    shapes.ball("pearl", 0.105, (-0.74, -0.42, 0.105),
                materials.satin("pearl", (0.92, 0.86, 0.80), 0.12, coat=1.0))
    shapes.ball("gold", 0.10, (0.34, -0.98, 0.10),
                materials.metal("gold ball", products.PALE_GOLD, 0.14))
    bottle = products.serum(folder, (0, 0, 0.34))

    leaf = materials.satin("leaf", (0.02, 0.03, 0.02))
    fronds = ((70, (-2.5, -0.4, 2.75)), (110, (-2.7, -0.4, 3.1)), (35, (-2.2, -0.6, 1.9)))
    for turn, place in fronds:
        frond = shapes.palm_leaf("frond", 2.1, leaf)
        frond.location = place
        frond.rotation_euler = (math.radians(-20), math.radians(turn), math.radians(-42))
        frond.visible_camera = frond.visible_glossy = frond.visible_transmission = False
    sun((1.0, 0.72, -0.82), 3.4, (1.0, 0.84, 0.66), 1.0)
    area_light((2.6, -2.6, 2.4), (0, 0, 0.9), 1.6, 36, (0.90, 0.94, 1.0))
    area_light((-1.5, -1.2, 1.3), (0, 0, 0.9), 0.35, 14, (1, 0.95, 0.88), size_y=1.6)
    area_light((0, 0.95, 0.9), (0, 0, 0.8), 0.8, 9, (1, 0.9, 0.8), visible=False)
    world((0.95, 0.84, 0.78), 0.34)
    camera((0, -6.6, 1.25), (0.03, 0, 0.66), 80, (0, -0.22, 0.9), 5.6)
    return bottle


def night(folder):
    """The serum on black stone in still water, a full moon behind it."""
    shapes.block("sea", (40, 40, 0.1), (0, -12, -0.1),
                 materials.water("sea", (0.004, 0.012, 0.03)), 0)
    slate = materials.stone("slate", (0.055, 0.065, 0.085), (0.012, 0.015, 0.022), 3.0)
    shapes.disc("rock", 0.60, 0.13, (0, 0, -0.02), slate, 0.03)
    for radius, place in ((0.17, (0.78, 0.28, 0.05)), (0.10, (-0.80, -0.10, 0.02)),
                          (0.24, (-0.92, 0.75, 0.03))):
        pebble = shapes.ball("pebble", radius, place, slate)
        pebble.scale = (1.25, 1.0, 0.62)
    moon = shapes.turned("moon", [(0, 0), (1.45, 0), (1.45, 0.01), (0, 0.01)],
                         materials.moonlight("moon"), steps=256)
    moon.rotation_euler = (math.radians(90), 0, 0)
    moon.location = (0.0, 7.5, 1.75)
    sky = shapes.block("sky", (40, 0.1, 26), (0, 14, -2),
                       materials.plaster("sky", (0.02, 0.05, 0.13)), 0)
    sky.visible_shadow = False
    bottle = products.serum(folder, (0, 0, 0.11))
    area_light((-2.3, 0.7, 1.4), (0, 0, 0.75), 0.5, 120, (0.72, 0.84, 1.0), size_y=2.6)
    area_light((2.3, 0.5, 1.3), (0, 0, 0.75), 0.5, 110, (1.0, 0.80, 0.58), size_y=2.6)
    area_light((0.5, -3.4, 2.8), (0, 0, 0.8), 1.6, 70, (0.92, 0.95, 1.0))
    area_light((0, 9, 8), (0, 14, 3), 8, 1400, (0.24, 0.42, 0.95))
    world((0.02, 0.04, 0.10), 0.6)
    camera((0, -6.8, 1.10), (0, 0, 0.42), 70, (0, -0.22, 0.7), 4.0)
    return bottle


def family(folder):
    """All three on steps of sage green, the sun through a window."""
    sage = materials.plaster("sage", (0.30, 0.41, 0.33))
    pale = materials.plaster("pale sage", (0.44, 0.55, 0.46), 0.15)
    cream = materials.plaster("cream", (0.86, 0.82, 0.74), 0.15)
    shapes.block("floor", (14, 10, 0.2), (0, -7, -0.2), sage, 0)
    shapes.block("wall", (14, 0.2, 9), (0, 1.7, 0), sage, 0)
    shapes.block("high step", (1.25, 1.1, 0.62), (-0.55, 0.1, 0), pale, 0.025)
    shapes.block("low step", (1.35, 1.0, 0.30), (0.50, -0.35, 0), cream, 0.025)
    halo = shapes.disc("halo", 1.05, 0.12, (0.10, 1.62, 1.22), cream, 0.03)
    halo.rotation_euler = (math.radians(90), 0, 0)
    products.tube(folder, (-0.52, 0.45, 0.62)).rotation_euler = (0, 0, math.radians(6))
    hero = products.serum(folder, (0.34, 0.02, 0.30))
    products.jar(folder, (-0.42, -0.62, 0.0)).rotation_euler = (0, 0, math.radians(-7))
    shapes.ball("pearl", 0.11, (0.92, -0.05, 0.41),
                materials.satin("pearl", (0.92, 0.86, 0.80), 0.12, coat=1.0))
    shapes.ball("gold", 0.09, (0.42, -1.02, 0.09),
                materials.metal("gold ball", products.PALE_GOLD, 0.14))

    frame = materials.satin("frame", (0.02, 0.02, 0.02))
    bars = [((9, 0.05, 3.2), (0, 0, 2.55)), ((9, 0.05, 3.0), (0, 0, -3.35)),
            ((4, 0.05, 9), (-3.3, 0, -3)), ((4, 0.05, 9), (3.3, 0, -3)),
            ((0.10, 0.05, 9), (0, 0, -3)), ((9, 0.05, 0.10), (0, 0, 1.05))]
    window = bpy.data.objects.new("window", None)
    bpy.context.scene.collection.objects.link(window)
    for size, place in bars:
        bar = shapes.block("bar", size, place, frame, 0)
        bar.parent = window
        bar.visible_camera = bar.visible_glossy = bar.visible_transmission = False
    window.location = (-4.2, -3.6, 2.75)
    window.rotation_euler = (0, 0, math.radians(-46))
    sun((1.0, 0.96, -0.72), 3.6, (1.0, 0.88, 0.72), 1.2)
    area_light((2.8, -2.8, 2.6), (0, 0, 0.8), 2.0, 30, (0.92, 0.97, 1.0))
    area_light((-1.6, -1.9, 1.6), (0, 0, 0.9), 0.4, 16, (1, 0.96, 0.9), size_y=1.8)
    world((0.80, 0.90, 0.86), 0.30)
    camera((0.1, -7.6, 1.6), (-0.02, 0, 0.60), 72, (0.3, -0.2, 0.8), 5.6)
    return hero


def packshot(folder):
    """The serum alone between two softboxes, for a cut-out."""
    bottle = products.serum(folder)
    area_light((-2.0, 0.35, 1.0), (0, 0, 0.65), 0.8, 85, size_y=2.4)
    area_light((2.0, 0.55, 1.0), (0, 0, 0.65), 0.6, 70, size_y=2.4)
    area_light((0.2, -3.0, 2.4), (0, 0, 0.7), 1.4, 60)
    area_light((0, 1.6, 0.9), (0, 0, 0.6), 1.6, 60, (0.85, 0.92, 1.0))
    world((0.85, 0.90, 1.0), 0.45)
    camera((0, -7.0, 0.85), (0, 0, 0.665), 155)
    return bottle
