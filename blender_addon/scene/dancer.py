"""The bundled dancer: an armature in a T-pose and a mannequin that follows it, built by code."""

from __future__ import annotations

import bpy
import numpy as np

from ..names import DANCER_MARK
from ..shared import proportions, skeleton
from . import mannequin, placing
from .mannequin import BONES

VERSION = 1

TONES = (("Footlight shell", (0.80, 0.56, 0.33, 1.0), 0.4), ("Footlight joints", (0.055, 0.075, 0.10, 1.0), 0.35))
"""Name, base colour and roughness of the two materials, in the order of mannequin.SHELL and mannequin.JOINT."""

MAIN_CHILD = {0: 3, 9: 12, 12: 15}
"""Where a joint has several children, or none in line: the one its bone points to."""


def add_dancer(context: bpy.types.Context, location: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> bpy.types.Object:
    """A new dancer in the active collection, or the scene's own where that one is hidden, standing on ``location``,
    selected and active. Returns its armature.

    Call it in Object Mode; the operator sees to that.
    """
    armature = bpy.data.objects.new("Dancer", bpy.data.armatures.new("Dancer"))
    armature[DANCER_MARK] = VERSION
    active = context.view_layer.active_layer_collection
    usable = active.is_visible and not active.exclude and active.collection.is_editable
    collection = active.collection if usable else context.scene.collection
    collection.objects.link(armature)
    for other in context.selected_objects:
        other.select_set(False)
    context.view_layer.objects.active = armature
    armature.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    _add_bones(armature.data.edit_bones)
    bpy.ops.object.mode_set(mode="OBJECT")
    body = _add_body(armature)
    collection.objects.link(body)
    armature.location = location
    armature.show_in_front = True  # or in Pose Mode there is nothing to click but the ends of bones
    armature.data.display_type = "WIRE"  # thin, so that the body is seen
    return armature


def add_to(scene: bpy.types.Scene) -> bpy.types.Object:
    """A new dancer in a scene, whatever mode and scene the user is in. Returns its armature."""
    window = bpy.context.window
    before, window.scene = window.scene, scene
    try:
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        return add_dancer(bpy.context, placing.free_spot(bpy.context))
    finally:
        window.scene = before


def remove(armature: bpy.types.Object) -> None:
    """Take back what ``add_dancer`` did."""
    for ob in (*armature.children, armature):
        data = ob.data
        materials = [one for one in data.materials if one] if isinstance(data, bpy.types.Mesh) else []
        bpy.data.objects.remove(ob)
        (bpy.data.meshes if isinstance(data, bpy.types.Mesh) else bpy.data.armatures).remove(data)
        for material in materials:
            if not material.users:
                bpy.data.materials.remove(material)


def shells(armature: bpy.types.Object) -> list[bpy.types.MaterialSlot]:
    """Where a bundled dancer's body, without its joints, has its own material: none where somebody gave it another."""
    slots = [child.material_slots[0] for child in armature.children if child.type == "MESH" and child.material_slots]
    name = TONES[0][0]
    return [slot for slot in slots if slot.link == "DATA" and slot.material and slot.material.name.startswith(name)]


def dancers(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The bundled dancers of a scene."""
    return [ob for ob in scene.objects if ob.type == "ARMATURE" and DANCER_MARK in ob]


def _add_bones(bones: bpy.types.ArmatureEditBones) -> None:
    parents = skeleton.PARENTS
    heads = proportions.to_blender(skeleton.standing())
    children = {parent: joint for joint, parent in reversed(list(enumerate(parents)))} | MAIN_CHILD
    for joint, name in enumerate(BONES):
        bone = bones.new(name)
        bone.head = heads[joint]
        tip = skeleton.TIPS.get(skeleton.JOINTS[joint])
        bone.tail = heads[children[joint]] if tip is None else heads[joint] + proportions.to_blender(tip)
        pointing = bone.vector.normalized()
        bone.align_roll((0.0, 0.0, 1.0) if abs(pointing.y) > 0.7 else (0.0, -1.0, 0.0))
        if parents[joint] >= 0:
            bone.parent = bones[BONES[parents[joint]]]
            bone.use_connect = (bone.parent.tail - bone.head).length < 1e-5


def _add_body(armature: bpy.types.Object) -> bpy.types.Object:
    shape = mannequin.build()
    mesh = bpy.data.meshes.new("Dancer body")
    mesh.from_pydata(shape.vertices, [], shape.faces)
    mesh.polygons.foreach_set("material_index", np.array(shape.tones, dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(shape.faces), dtype=bool))
    for tone in TONES:
        mesh.materials.append(_material(*tone))
    mesh.update()
    body = bpy.data.objects.new("Dancer body", mesh)
    for bone, vertices in shape.bones.items():
        body.vertex_groups.new(name=bone).add(vertices.tolist(), 1.0, "REPLACE")
    body.parent = armature
    skin = body.modifiers.new("Armature", "ARMATURE")
    skin.object = armature
    return body


def _material(name: str, colour: tuple[float, float, float, float], roughness: float) -> bpy.types.Material:
    """The material of that name if an earlier dancer brought it, else a new one."""
    material = bpy.data.materials.get(name)
    if material is None:
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        surface.inputs["Base Color"].default_value = colour
        surface.inputs["Roughness"].default_value = roughness
        material.diffuse_color = colour  # what the Solid view and Workbench show
        material.roughness = roughness
    return material
