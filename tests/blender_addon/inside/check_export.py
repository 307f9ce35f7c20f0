"""A dance goes through Blender's own exporters and comes back. The oracle is what Blender shows before."""

import bpy
import numpy as np
from scenes import FOLDER, addon

actions, dancer, rigs = addon("scene.actions"), addon("scene.dancer"), addon("scene.rigs")
thinning = addon("shared").thinning
DANCE = FOLDER / "steps.npz"
FRAMES = range(0, 80, 3)
PARTS = ("left_ankle", "right_ankle", "left_wrist", "right_wrist", "head")


def danced():
    """A dancer with a dance of few keys, and the scene's range as long."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 20, 1.0
    scene.frame_start, scene.frame_end = 1, 80
    armature = dancer.add_dancer(bpy.context)
    spacing = thinning.Spacing(tolerance=thinning.Tolerance(), smooth=True)
    actions.write_dance(DANCE, armature, 1, keys=spacing)
    for ob in scene.objects:
        ob.select_set(True)
    return armature


def places(armature, bones):
    """Where bones start in the world in some frames (t, n, 3)."""
    found = []
    for i in FRAMES:
        bpy.context.scene.frame_set(1 + i)
        found.append([armature.matrix_world @ armature.pose.bones[bone].head for bone in bones])
    return np.array(found)


def comes_back(write, read, atol=1e-4):
    armature = danced()
    bones = [rigs.bones(armature)[part] for part in PARTS]
    known = places(armature, bones)
    write()
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 20, 1.0
    read()
    found = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    np.testing.assert_allclose(places(found, bones), known, atol=atol)


def check_fbx():
    path = str(FOLDER / "dance.fbx")
    comes_back(
        lambda: bpy.ops.export_scene.fbx(
            filepath=path,
            use_selection=True,
            object_types={"ARMATURE", "MESH"},
            use_armature_deform_only=True,
            add_leaf_bones=False,
            bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False,
            bake_anim_simplify_factor=0.0,
        ),
        lambda: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0),
    )


def check_bvh():
    path = str(FOLDER / "dance.bvh")
    comes_back(
        lambda: bpy.ops.export_anim.bvh(filepath=path, frame_start=1, frame_end=80),
        lambda: bpy.ops.import_anim.bvh(filepath=path, axis_forward="Y", axis_up="Z", use_fps_scale=False),
    )


def check_gltf():
    path = str(FOLDER / "dance.glb")
    comes_back(
        lambda: bpy.ops.export_scene.gltf(
            filepath=path, use_selection=True, export_animation_mode="ACTIVE_ACTIONS", export_force_sampling=True
        ),
        lambda: bpy.ops.import_scene.gltf(filepath=path),
    )
