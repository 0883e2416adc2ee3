"""Surfaces for the studio, made of Cycles shader nodes."""

import bpy


class Surface:
    """A material with its Principled node at hand."""

    def __init__(self, name, **inputs):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes = self.material.node_tree.nodes
        self.links = self.material.node_tree.links
        self.shader = self.nodes["Principled BSDF"]
        for key, value in inputs.items():
            if isinstance(value, tuple):
                value = value + (1.0,) * (4 - len(value))
            self.shader.inputs[key.replace("_", " ")].default_value = value

    def node(self, kind, **inputs):
        made = self.nodes.new(kind)
        for key, value in inputs.items():
            made.inputs[key].default_value = value
        return made

    def bump(self, height, strength, distance=0.02):
        bump = self.node("ShaderNodeBump", Strength=strength, Distance=distance)
        self.links.new(height, bump.inputs["Height"])
        self.links.new(bump.outputs["Normal"], self.shader.inputs["Normal"])
        return self

    def noise(self, scale, detail=8.0, roughness=0.6):
        place = self.nodes.new("ShaderNodeTexCoord")
        noise = self.node("ShaderNodeTexNoise", Scale=scale, Detail=detail, Roughness=roughness)
        self.links.new(place.outputs["Object"], noise.inputs["Vector"])
        return noise.outputs["Fac"]

    def tinted(self, factor, colours, stops=(0.35, 0.65)):
        ramp = self.nodes.new("ShaderNodeValToRGB")
        for element, colour, stop in zip(ramp.color_ramp.elements, colours, stops):
            element.color = colour + (1.0,)
            element.position = stop
        self.links.new(factor, ramp.inputs["Fac"])
        self.links.new(ramp.outputs["Color"], self.shader.inputs["Base Color"])
        return self


def plaster(name, colour, grain=0.25):
    surface = Surface(name, Base_Color=colour, Roughness=0.85, Specular=0.2)
    return surface.bump(surface.noise(14.0), grain, 0.015).material


def stone(name, light, dark, scale=5.0):
    surface = Surface(name, Roughness=0.55, Specular=0.35)
    surface.tinted(surface.noise(scale, 12.0, 0.72), (dark, light), (0.38, 0.6))
    return surface.bump(surface.noise(45.0, 6.0), 0.12, 0.01).material


def metal(name, colour, roughness=0.22):
    return Surface(name, Base_Color=colour, Metallic=1.0, Roughness=roughness).material


def satin(name, colour, roughness=0.35, coat=0.0):
    return Surface(name, Base_Color=colour, Roughness=roughness, Specular=0.5,
                   Clearcoat=coat, Clearcoat_Roughness=0.08).material


def glass(name, colour, ior=1.5, roughness=0.0):
    """Tinted glass. Shadow rays go through it tinted, which stands in for caustics."""
    surface = Surface(name, Base_Color=colour, Transmission=1.0, IOR=ior, Roughness=roughness,
                      Specular=0.5)
    path = surface.nodes.new("ShaderNodeLightPath")
    clear = surface.node("ShaderNodeBsdfTransparent")
    clear.inputs["Color"].default_value = colour + (1.0,)
    mix = surface.nodes.new("ShaderNodeMixShader")
    out = surface.nodes["Material Output"]
    surface.links.new(path.outputs["Is Shadow Ray"], mix.inputs["Fac"])
    surface.links.new(surface.shader.outputs["BSDF"], mix.inputs[1])
    surface.links.new(clear.outputs["BSDF"], mix.inputs[2])
    surface.links.new(mix.outputs["Shader"], out.inputs["Surface"])
    return surface.material


def printed(name, image_path, roughness=0.45):
    """A picture with transparency, as ink on what lies beneath."""
    surface = Surface(name, Roughness=roughness, Specular=0.3)
    texture = surface.nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(image_path)
    texture.image.pack()
    surface.links.new(texture.outputs["Color"], surface.shader.inputs["Base Color"])
    surface.links.new(texture.outputs["Alpha"], surface.shader.inputs["Alpha"])
    return surface.material


def water(name, colour):
    surface = Surface(name, Base_Color=colour, Roughness=0.03, Specular=0.6, IOR=1.33)
    place = surface.nodes.new("ShaderNodeTexCoord")
    wave = surface.node("ShaderNodeTexNoise", Scale=3.2, Detail=2.0, Roughness=0.45,
                        Distortion=0.6)
    stretch = surface.node("ShaderNodeMapping")
    stretch.inputs["Scale"].default_value = (0.55, 1.7, 1.0)
    surface.links.new(place.outputs["Object"], stretch.inputs["Vector"])
    surface.links.new(stretch.outputs["Vector"], wave.inputs["Vector"])
    return surface.bump(wave.outputs["Fac"], 0.32, 0.12).material


def moonlight(name):
    """A disc that shines like the full moon, with its pale seas."""
    surface = Surface(name, Base_Color=(0.0, 0.0, 0.0), Specular=0.0, Emission_Strength=0.95)
    ramp = surface.nodes.new("ShaderNodeValToRGB")
    dark, light = ramp.color_ramp.elements
    dark.color, dark.position = (0.62, 0.50, 0.36, 1.0), 0.36
    light.color, light.position = (1.0, 0.88, 0.68, 1.0), 0.62
    surface.links.new(surface.noise(1.15, 7.0, 0.58), ramp.inputs["Fac"])
    surface.links.new(ramp.outputs["Color"], surface.shader.inputs["Emission"])
    return surface.material
