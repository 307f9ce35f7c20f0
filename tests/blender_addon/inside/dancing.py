"""Where a body is and where it should be. The oracle is the engine's forward kinematics."""

import math

import bpy
import numpy as np
from mathutils import Matrix
from scenes import FOLDER, addon, z_up

actions, dancer = addon("scene.actions"), addon("scene.dancer")
skeleton, BONES = addon("shared").skeleton, addon("scene.mannequin").BONES
JOINTS = skeleton.JOINTS
DANCE = FOLDER / "dance.npz"
EXPECTED = np.load(FOLDER / "expected.npz")["positions"]  # (t, 22, 3), y-up
FRAMES = range(0, len(EXPECTED), 13)
OURS = dict(zip(JOINTS, BONES, strict=True))
LIMBS = [
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]


def write(armature, frame=1):
    """A dance on ``armature``. Returns the action and what was said."""
    said = []
    return actions.write_dance(DANCE, armature, frame, say=said.append), " ".join(said)


def places(armature, bones=OURS):
    """Our joints -> where their bones start in the world, as they are shown now."""
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {joint: np.array(shown.matrix_world @ shown.pose.bones[bone].head) for joint, bone in bones.items()}


def off(armature, bones=OURS, turn=None, frame=1):
    """The largest angle between a limb and the dance's, in degrees. turn: the rotation of the whole dance."""
    turn = np.eye(3) if turn is None else np.array(turn)
    worst = 0.0
    for i in FRAMES:
        bpy.context.scene.frame_set(frame + i)
        now, wanted = places(armature, bones), z_up(EXPECTED[i]) @ turn.T
        for upper, lower in LIMBS:
            a = now[lower] - now[upper]
            b = wanted[JOINTS.index(lower)] - wanted[JOINTS.index(upper)]
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            worst = max(worst, math.degrees(math.acos(np.clip(cosine, -1.0, 1.0))))
    return worst


def away(armature, place, turn=None, scale=1.0, frame=1):
    """The largest distance between the hips of a body with our build and the dance's, which stands on ``place``."""
    turn = np.eye(3) if turn is None else np.array(turn)
    worst = 0.0
    for i in FRAMES:
        bpy.context.scene.frame_set(frame + i)
        now, wanted = places(armature), scale * z_up(EXPECTED[i]) @ turn.T + np.array(place)
        worst = max(worst, *(np.linalg.norm(now[j] - wanted[JOINTS.index(j)]) for j in ("left_hip", "right_hip")))
    return worst


def about(degrees, axis="Z"):
    return Matrix.Rotation(math.radians(degrees), 3, axis)


def as_it_should(armature, bones=OURS, turn=None):
    assert (angle := off(armature, bones, turn)) < 0.3, angle


def apply(armature, **what):
    """Apply the transform of an armature and its mesh, as Ctrl A does."""
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = armature
    for ob in (armature, *armature.children):
        ob.select_set(True)
    bpy.ops.object.transform_apply(**{"location": False, "rotation": False, "scale": False} | what)


def with_root(armature):
    """A bone on the floor that carries the pelvis."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    root = bones.new("root")
    root.head, root.tail, root.roll = (0.0, 0.0, 0.0), (0.0, 0.3, 0.1), 0.4
    bones["pelvis"].use_connect = False
    bones["pelvis"].parent = root
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature.pose.bones["root"]
