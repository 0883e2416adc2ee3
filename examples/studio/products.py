"""The three things Ondelune sells, standing on z = 0 and facing -y. One unit is 10 cm."""

import bpy

import artwork
import materials
import shapes

BLUE_GLASS = (0.06, 0.16, 0.55)
PALE_GOLD = (0.86, 0.64, 0.36)


def _gathered(name, parts, place):
    group = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(group)
    for part in parts:
        part.parent = group
    group.location = place
    return group


def serum(folder, place=(0, 0, 0)):
    """Dropper bottle: blue glass, gold collar, pale rubber bulb. 1.33 tall."""
    glass = materials.glass("blue glass", BLUE_GLASS)
    outside = shapes.rounded(
        [(0, 0.0), (0.235, 0.0), (0.235, 0.80), (0.085, 0.86), (0.085, 0.95)],
        [0, 0.035, 0.09, 0.02, 0])
    inside = shapes.rounded(
        [(0.065, 0.95), (0.065, 0.855), (0.212, 0.795), (0.212, 0.05), (0, 0.05)],
        [0, 0.02, 0.08, 0.03, 0])
    shell = shapes.turned("bottle", outside + inside, glass)
    pipette = shapes.turned("pipette", [(0, 0.14), (0.012, 0.14), (0.028, 0.26), (0.028, 0.94),
                                        (0, 0.94)],
                            materials.glass("pipette", (0.95, 0.97, 1.0), ior=1.45))
    collar = shapes.turned(
        "collar", shapes.rounded([(0, 0.87), (0.125, 0.87), (0.125, 1.07), (0.0, 1.07)],
                                 [0, 0.012, 0.014, 0]), materials.metal("gold", PALE_GOLD, 0.2))
    bulb = shapes.turned(
        "bulb", shapes.rounded([(0.0, 1.06), (0.098, 1.06), (0.098, 1.10), (0.078, 1.12),
                                (0.078, 1.33), (0.0, 1.33)], [0, 0.01, 0.015, 0.015, 0.07, 0]),
        materials.satin("rubber", (0.90, 0.86, 0.80), 0.42))
    path = folder + "/serum_label.png"
    artwork.serum_label(path)
    ink = shapes.wrapped("print", 0.2362, 0.10, 0.74, 124, materials.printed("serum print", path))
    return _gathered("serum", [shell, pipette, collar, bulb, ink], place)


def jar(folder, place=(0, 0, 0)):
    """Cream jar: thick porcelain-white body, gold lid. 0.56 tall."""
    body = shapes.turned(
        "jar", shapes.rounded([(0, 0), (0.36, 0), (0.36, 0.36), (0.30, 0.40), (0, 0.40)],
                              [0, 0.05, 0.04, 0.01, 0]),
        materials.satin("porcelain", (0.88, 0.86, 0.82), 0.18, coat=0.6))
    lid = shapes.turned(
        "lid", shapes.rounded([(0, 0.405), (0.352, 0.405), (0.352, 0.57), (0, 0.57)],
                              [0, 0.008, 0.02, 0]), materials.metal("gold lid", PALE_GOLD, 0.24))
    path = folder + "/jar_label.png"
    artwork.jar_label(path)
    ink = shapes.wrapped("jar print", 0.3612, 0.055, 0.34, 117, materials.printed("jar ink", path))
    return _gathered("jar", [body, lid, ink], place)


def tube(folder, place=(0, 0, 0)):
    """Foam bottle: tall satin column with a pump. 1.5 tall."""
    body = shapes.turned(
        "column", shapes.rounded([(0, 0), (0.21, 0), (0.21, 1.02), (0.10, 1.05), (0, 1.05)],
                                 [0, 0.03, 0.05, 0.01, 0]),
        materials.satin("column", (0.16, 0.27, 0.42), 0.36, coat=0.2))
    collar = shapes.turned(
        "pump collar", shapes.rounded([(0, 1.04), (0.12, 1.04), (0.12, 1.17), (0, 1.17)],
                                      [0, 0.008, 0.012, 0]),
        materials.metal("pump gold", PALE_GOLD, 0.22))
    white = materials.satin("pump white", (0.90, 0.88, 0.85), 0.3)
    stem = shapes.turned("stem", [(0, 1.16), (0.035, 1.16), (0.035, 1.30), (0, 1.30)], white)
    head = shapes.turned(
        "head", shapes.rounded([(0, 1.29), (0.105, 1.29), (0.105, 1.42), (0, 1.42)],
                               [0, 0.012, 0.03, 0]), white)
    nozzle = shapes.block("nozzle", (0.26, 0.07, 0.06), (-0.17, -0.035, 1.335), white, 0.02)
    path = folder + "/tube_label.png"
    artwork.tube_label(path)
    ink = shapes.wrapped("tube print", 0.2112, 0.09, 0.96, 112,
                         materials.printed("tube ink", path))
    return _gathered("tube", [body, collar, stem, head, nozzle, ink], place)
