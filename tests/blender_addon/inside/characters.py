"""Characters of many families as armatures, as their files come: with any rolls, axes, units and rotation modes."""

import math

import bpy
import numpy as np
from mathutils import Vector

STYLES = ("along", "across", "fixed", "any")
"""How bones lie: along the limb; across it, as importers lay those of games; all one way, as those of captures; or any
way."""

MODES = ("QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE")


def z_up(points):
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return np.stack((x, -z, y), axis=-1)


def add(told, variant):
    """An armature of a character. told: its names, parents, heads and tails, y up, metres. variant: a number that
    chooses style, unit, axes and rotation mode."""
    style, y_up = STYLES[variant % 4], variant % 3 == 1
    unit = (1.0, 100.0, 2.5)[variant % 3]
    generator = np.random.default_rng(variant)
    heads, tails = (unit * np.array(told[key]) for key in ("heads", "tails"))
    if not y_up:
        heads, tails = z_up(heads), z_up(tails)
    armature = bpy.data.objects.new("character", bpy.data.armatures.new("character"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name, parent, head, tail in zip(told["names"], told["parents"], heads, tails, strict=True):
        bone = bones.new(name)
        bone.head, bone.tail = head, head + _lying(tail - head, style, generator, unit)
        bone.roll = generator.uniform(-math.pi, math.pi)
        if parent >= 0:
            bone.parent = bones[told["names"][parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = MODES[variant % 4]
    scale = 1.0 / unit if variant % 2 else 1.0
    armature.scale = (scale, scale, scale)
    armature.location = (0.3 * (variant % 5), -0.2 * (variant % 3), 0.0)
    if y_up:
        armature.rotation_euler = (math.pi / 2, 0.0, 0.0)
    else:
        armature.rotation_euler = (0.0, 0.0, 0.7 * (variant % 4))
    bpy.context.view_layer.update()
    return armature


def _lying(along, style, generator, unit):
    length = np.linalg.norm(along) or 0.05 * unit
    if style == "along":
        return along if along.any() else np.array((0.0, 0.0, length))
    if style == "fixed":
        return np.array((0.0, 0.0, length))
    other = Vector(generator.normal(size=3))
    if style == "across":
        other = other.cross(Vector(along if along.any() else (0.0, 0.0, 1.0)))
    return length * np.array(other.normalized())
