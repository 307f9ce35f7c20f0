"""The materials of a lit stage: two colours in a pattern, roughness and a glow, keyed where a show changes them."""

from __future__ import annotations

import json
from dataclasses import asdict

import bpy
import numpy as np

from ..names import PREFIX
from ..shared import show_channels
from .animation import Animation
from .lighting import Coat
from .tracks import Track, joined, steady
from .weave import SPOTS, Weave, Woven

WOVEN = f"{PREFIX}woven"
"""The custom property of a material from which ``woven`` reads its surface."""


def material(name: str, coat: Coat, frames: int, weave: Weave, glow: float, animation: Animation) -> bpy.types.Material:
    """A material that looks as ``coat`` on each of so many frames.

    glow: emission where the coat's glow is 1.
    """
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    share, base, accent = (mix.inputs[i] for i in (0, 6, 7))  # sockets of a kind share their names
    _colour(base, coat.base, animation)
    _colour(accent, coat.accent, animation)
    share.default_value = 0.0
    pattern = _pattern(made.node_tree, coat.pattern, weave, animation)
    if pattern is not None:
        links.new(pattern, share)
    for socket in ("Base Color", "Emission Color"):
        links.new(mix.outputs[2], shader.inputs[socket])
    animation.put(shader.inputs["Roughness"], "default_value", coat.roughness)
    animation.put(shader.inputs["Emission Strength"], "default_value", coat.glow.scaled(glow))
    usual = {part: getattr(coat, part).on(frames).mean(axis=0) for part in ("base", "accent", "roughness", "pattern")}
    weights: dict[str, float] = dict(zip(map(str, show_channels.PATTERNS), usual["pattern"].tolist(), strict=True))
    woven = Woven(weave, usual["base"], usual["accent"], weights)
    made.diffuse_color = (*woven.mean.tolist(), 1.0)  # what the Solid view shows
    made[WOVEN] = json.dumps(asdict(woven), default=np.ndarray.tolist)
    made.roughness = float(usual["roughness"][0])
    return made


def woven(material: bpy.types.Material) -> Woven | None:
    """The surface that ``material`` was made for, as it is on average over the show; None for another material."""
    if WOVEN not in material:
        return None
    kept = json.loads(material[WOVEN])
    base, accent = (np.array(kept[name]) for name in ("base", "accent"))
    return Woven(Weave(**kept["weave"]), base, accent, kept["weights"])


def glow(material: bpy.types.Material) -> float:
    """The light that a material gives off in its own colour, radiance of white."""
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    coloured = shader.inputs["Emission Color"].is_linked and shader.inputs["Base Color"].is_linked
    return shader.inputs["Emission Strength"].default_value if coloured else 0.0


def _colour(socket: bpy.types.NodeSocket, colour: Track, animation: Animation) -> None:
    animation.put(socket, "default_value", joined(colour, steady(1.0)))


def _pattern(
    tree: bpy.types.NodeTree, weights: Track, weave: Weave, animation: Animation
) -> bpy.types.NodeSocket | None:
    """The share of the accent, 0 to 1; None where there is no pattern at all."""
    total = None
    for index, name in enumerate(show_channels.PATTERNS):
        if name == "plain" or not weights.values[index].any():
            continue
        drawn = _stripes(tree, weave) if name == "stripes" else _spots(tree, weave, *SPOTS[name])
        weighted = tree.nodes.new("ShaderNodeMath")
        weighted.operation, weighted.label = "MULTIPLY", name
        tree.links.new(drawn, weighted.inputs[0])
        animation.put(weighted.inputs[1], "default_value", weights.only(index))
        total = weighted.outputs[0] if total is None else _math(tree, "ADD", total, weighted.outputs[0])
    return total


def _stripes(tree: bpy.types.NodeTree, weave: Weave) -> bpy.types.NodeSocket:
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(_metres(tree, weave, 1.0), parts.inputs[0])
    there_and_back = _math(tree, "PINGPONG", parts.outputs[weave.stripes], 1.0)
    return _math(tree, "GREATER_THAN", there_and_back, 0.5)


def _spots(
    tree: bpy.types.NodeTree, weave: Weave, count: float, radius: float, irregular: float
) -> bpy.types.NodeSocket:
    cells = tree.nodes.new("ShaderNodeTexVoronoi")
    cells.inputs["Scale"].default_value = 1.0
    cells.inputs["Randomness"].default_value = irregular
    tree.links.new(_metres(tree, weave, count), cells.inputs["Vector"])
    return _math(tree, "LESS_THAN", cells.outputs["Distance"], radius)


def _metres(tree: bpy.types.NodeTree, weave: Weave, count: float) -> bpy.types.NodeSocket:
    """Places on the surface, counted in pitches."""
    place, scale = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    scale.inputs["Scale"].default_value = [side / weave.pitch * count for side in weave.size]
    tree.links.new(place.outputs[weave.coordinates], scale.inputs["Vector"])
    return scale.outputs["Vector"]


def _math(
    tree: bpy.types.NodeTree, operation: str, first: bpy.types.NodeSocket, second: bpy.types.NodeSocket | float
) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    tree.links.new(first, node.inputs[0])
    if isinstance(second, float):
        node.inputs[1].default_value = second
    else:
        tree.links.new(second, node.inputs[1])
    return node.outputs[0]
