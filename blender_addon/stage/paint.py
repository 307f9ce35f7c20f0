"""The materials of a lit stage: two colours in a pattern, roughness and a glow, keyed where a show changes them."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..shared import show_channels
from .animation import Animation
from .played import Surface

GLOW = 0.6  # emission of a surface with a glow of 1
TOLERANCE = 0.01  # of a colour, a weight or a roughness


@dataclass(frozen=True)
class Weave:
    """How patterns lie on a surface.

    coordinates: the output of Blender's Texture Coordinate node.  size: of the surface along these, in metres.
    stripes: the axis across which they run.  pitch: metres from one stripe to the next; dots and sparkles are as far.
    """

    coordinates: str
    size: tuple[float, float, float]
    stripes: int
    pitch: float


def material(name: str, surface: Surface, weave: Weave, animation: Animation) -> bpy.types.Material:
    """A material that looks as ``surface`` does on every frame."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    share, base, accent = (mix.inputs[i] for i in (0, 6, 7))  # sockets of a kind share their names
    _colour(base, surface.base, animation)
    _colour(accent, surface.accent, animation)
    share.default_value = 0.0
    pattern = _pattern(made.node_tree, surface.pattern, weave, animation)
    if pattern is not None:
        links.new(pattern, share)
    for socket in ("Base Color", "Emission Color"):
        links.new(mix.outputs[2], shader.inputs[socket])
    animation.put(shader.inputs["Roughness"], "default_value", surface.roughness, TOLERANCE)
    animation.put(shader.inputs["Emission Strength"], "default_value", surface.glow * GLOW, TOLERANCE)
    shown = surface.base.mean(axis=0) * surface.pattern[:, 0].mean() + _other(surface)
    made.diffuse_color = (*shown.tolist(), 1.0)  # what the Solid view and drawn films show
    made.roughness = float(surface.roughness.mean())
    return made


def _other(surface: Surface) -> np.ndarray:
    """The part of a surface's mean colour (3,) that patterns have."""
    halves = (surface.base + surface.accent).mean(axis=0) / 2
    return halves * (1 - surface.pattern[:, 0].mean())


def _colour(socket: bpy.types.NodeSocket, values: np.ndarray, animation: Animation) -> None:
    animation.put(socket, "default_value", np.column_stack([values, np.ones(len(values))]), TOLERANCE)


def _pattern(
    tree: bpy.types.NodeTree, weights: np.ndarray, weave: Weave, animation: Animation
) -> bpy.types.NodeSocket | None:
    """The share of the accent, 0 to 1; None where there is no pattern at all."""
    total = None
    for index, name in enumerate(show_channels.PATTERNS):
        if name == "plain" or not weights[:, index].any():
            continue
        drawn = _stripes(tree, weave) if name == "stripes" else _spots(tree, weave, *SPOTS[name])
        weighted = tree.nodes.new("ShaderNodeMath")
        weighted.operation, weighted.label = "MULTIPLY", name
        tree.links.new(drawn, weighted.inputs[0])
        animation.put(weighted.inputs[1], "default_value", weights[:, index], TOLERANCE)
        total = weighted.outputs[0] if total is None else _math(tree, "ADD", total, weighted.outputs[0])
    return total


SPOTS = {"dots": (1.0, 0.30, 0.0), "sparkle": (3.0, 0.16, 1.0)}
"""Of a pattern: how many to a pitch, their radius, both as a share of their distance, and how irregular they are."""


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
