"""Solids for the studio: turned profiles, rounded slabs, leaves. One unit is 10 cm."""

import math

import bmesh
import bpy


def _finish(name, mesh, material, smooth_deg=35):
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if material:
        mesh.materials.append(material)
    if smooth_deg:
        for polygon in mesh.polygons:
            polygon.use_smooth = True
        mesh.use_auto_smooth = True
        mesh.auto_smooth_angle = math.radians(smooth_deg)
    return thing


def rounded(points, radii, steps=10):
    """A polyline with its inner corners rounded: the corner at points[i] gets radii[i]."""
    line = []
    for index, (point, radius) in enumerate(zip(points, radii)):
        if radius <= 0 or index in (0, len(points) - 1):
            line.append(point)
            continue
        before, after = points[index - 1], points[index + 1]
        start = _towards(point, before, radius)
        end = _towards(point, after, radius)
        for step in range(steps + 1):
            t = step / steps
            line.append(tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * p + t ** 2 * b
                              for a, p, b in zip(start, point, end)))
    return line


def _towards(origin, target, distance):
    length = math.dist(origin, target)
    t = min(0.5, distance / length) if length else 0
    return tuple(o + (g - o) * t for o, g in zip(origin, target))


def turned(name, profile, material, steps=160):
    """A solid of revolution about z from (radius, z) points."""
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    rings = []
    for radius, z in profile:
        ring = []
        for step in range(steps):
            angle = 2 * math.pi * step / steps
            ring.append(shape.verts.new((radius * math.cos(angle), radius * math.sin(angle), z)))
        rings.append(ring)
    for low, high in zip(rings, rings[1:]):
        for step in range(steps):
            after = (step + 1) % steps
            shape.faces.new((low[step], low[after], high[after], high[step]))
    if profile[0][0] > 1e-6:
        shape.faces.new(list(reversed(rings[0])))
    if profile[-1][0] > 1e-6:
        shape.faces.new(rings[-1])
    bmesh.ops.remove_doubles(shape, verts=shape.verts, dist=1e-6)
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    shape.to_mesh(mesh)
    shape.free()
    return _finish(name, mesh, material)


def wrapped(name, radius, z_low, z_high, arc_deg, material, taper=0.0):
    """A sheet bent round z that faces -y, for prints; its texture runs left to right."""
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    uv = shape.loops.layers.uv.new("print")
    columns = 64
    grid = []
    for column in range(columns + 1):
        u = column / columns
        angle = math.radians(-90 + (u - 0.5) * arc_deg)
        grid.append([(shape.verts.new((r * math.cos(angle), r * math.sin(angle), z)), (u, v))
                     for v, z, r in ((0, z_low, radius), (1, z_high, radius - taper))])
    for left, right in zip(grid, grid[1:]):
        corners = [left[0], right[0], right[1], left[1]]
        face = shape.faces.new([corner[0] for corner in corners])
        for loop, corner in zip(face.loops, corners):
            loop[uv].uv = corner[1]
    shape.to_mesh(mesh)
    shape.free()
    return _finish(name, mesh, material)


def extruded(name, outline, depth, material, bevel=0.01):
    """A slab from an outline in the xz plane, `depth` thick towards +y, edges rounded."""
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    front = [shape.verts.new((x, 0, z)) for x, z in outline]
    back = [shape.verts.new((x, depth, z)) for x, z in outline]
    shape.faces.new(front)
    shape.faces.new(list(reversed(back)))
    for index in range(len(outline)):
        after = (index + 1) % len(outline)
        shape.faces.new((front[after], front[index], back[index], back[after]))
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    shape.to_mesh(mesh)
    shape.free()
    thing = _finish(name, mesh, material)
    if bevel:
        rounding = thing.modifiers.new("bevel", "BEVEL")
        rounding.width = bevel
        rounding.segments = 4
        rounding.limit_method = "ANGLE"
    return thing


def arch(width, height, steps=64):
    """The outline of a round-headed arch standing on z = 0."""
    radius = width / 2
    outline = [(-radius, 0), (radius, 0)]
    for step in range(steps + 1):
        angle = math.pi * step / steps
        outline.append((radius * math.cos(angle), height - radius + radius * math.sin(angle)))
    return outline


def block(name, size, place, material, bevel=0.02):
    width, depth, height = size
    outline = [(-width / 2, 0), (width / 2, 0), (width / 2, height), (-width / 2, height)]
    thing = extruded(name, outline, depth, material, bevel)
    thing.location = place
    return thing


def disc(name, radius, height, place, material, bevel=0.02):
    profile = rounded([(0, 0), (radius, 0), (radius, height), (0, height)], [0, bevel, bevel, 0])
    thing = turned(name, profile, material, steps=200)
    thing.location = place
    return thing


def ball(name, radius, place, material):
    bpy.ops.mesh.primitive_uv_sphere_add(segments=96, ring_count=64, radius=radius, location=place)
    thing = bpy.context.object
    thing.name = name
    bpy.ops.object.shade_smooth()
    thing.data.materials.append(material)
    return thing


def palm_leaf(name, length, material, leaflets=17):
    """A flat palm frond in the xz plane with its foot at the origin, to throw shadows."""
    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()

    def blade(foot, angle, reach, width):
        along = (math.cos(angle), math.sin(angle))
        across = (-along[1], along[0])
        points = []
        for t, w in ((0, 0.15), (0.25, 0.9), (0.5, 1.0), (0.75, 0.7), (1, 0.02)):
            points.append((t, w))
        outline = points + [(t, -w) for t, w in reversed(points)]
        shape.faces.new([shape.verts.new((foot[0] + along[0] * reach * t + across[0] * width * w, 0,
                                          foot[1] + along[1] * reach * t + across[1] * width * w))
                         for t, w in outline])

    for index in range(leaflets):
        t = (index + 1) / leaflets
        foot = (0.12 * length * t * t, length * t)
        reach = length * 0.55 * math.sin(math.pi * (0.2 + 0.72 * t))
        lean = math.radians(25 + 40 * t)
        blade(foot, lean, reach, length * 0.017)
        blade(foot, math.pi - lean + math.radians(12), reach, length * 0.017)
    blade((0, 0), math.radians(85), length * 1.05, length * 0.012)
    shape.to_mesh(mesh)
    shape.free()
    return _finish(name, mesh, material, smooth_deg=0)
