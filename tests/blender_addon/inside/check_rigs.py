"""Armatures of every kind: by their bones' names, by their shape, and those that are none. The oracle for where limbs
point is the engine's forward kinematics; ``rigs.json`` has the names, by our joints."""

import json
import math
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from scenes import FOLDER, MODULE, addon, raises, read, rig, turned, z_up

actions, rigs = addon("scene.actions"), addon("scene.rigs")
shared = addon("shared")
skeleton, quat = shared.skeleton, shared.quaternion
UserError = addon("errors").UserError
JOINTS = skeleton.JOINTS
DANCE = FOLDER / "dance.npz"
ROTATIONS, ROOT = (np.load(DANCE)[name].astype(float) for name in ("rotations", "root"))
EXPECTED = np.load(FOLDER / "expected.npz")["positions"]
FAMILIES = json.loads((FOLDER / "rigs.json").read_text())
PLACES = z_up(skeleton.standing())


def a_pose(places, degrees=40.0):
    """Arms that hang, straddled legs."""
    places = places.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for top, below, angle in (("shoulder", ("elbow", "wrist"), degrees), ("hip", ("knee", "ankle", "foot"), -6.0)):
            turn = np.array(Matrix.Rotation(math.radians(sign * angle), 3, "Y"))
            middle = places[JOINTS.index(f"{side}_{top}")]
            for part in below:
                joint = JOINTS.index(f"{side}_{part}")
                places[joint] = middle + turn @ (places[joint] - middle)
    return places


def add_bones(armature, rows):
    """rows: (name, the bone above or None, head, the bones that shall hang on it)."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name, above, head, below in rows:
        bone = bones.new(name)
        bone.head, bone.tail = head, Vector(head) + Vector((0.0, 0.0, 0.05))
        bone.parent = bones[above] if above else None
        for other in below:
            bones[other].parent = bone
    bpy.ops.object.mode_set(mode="OBJECT")


def dances(armature, expected):
    """Its limbs point where the dancer's do, and the dance comes back. expected: our joints -> its bones."""
    assert rigs.bones(armature) == expected
    actions.write_dance(DANCE, armature, 1)
    for frame in range(0, len(EXPECTED), 13):
        bpy.context.scene.frame_set(1 + frame)
        wanted = z_up(EXPECTED[frame])
        for side in ("left", "right"):
            for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
                a, b = f"{side}_{upper}", f"{side}_{lower}"
                if b in expected:
                    bone = armature.pose.bones[expected[b]].head - armature.pose.bones[expected[a]].head
                    bone = np.array(armature.matrix_world.to_3x3() @ bone)
                    ours = wanted[JOINTS.index(b)] - wanted[JOINTS.index(a)]
                    assert bone @ ours / np.linalg.norm(bone) / np.linalg.norm(ours) > 1 - 1e-5, (frame, a, b)
    rotations, root = read(armature, 1, len(ROOT))
    np.testing.assert_allclose(root, ROOT, atol=1e-3)
    mapped = [JOINTS.index(joint) for joint in expected]
    cosines = np.abs(np.sum(turned(rotations)[:, mapped] * turned(ROTATIONS)[:, mapped], axis=-1))
    assert cosines.min() > np.cos(np.radians(0.25)), "half the angle between what was danced and what was read"


def with_fingers(armature, names):
    """A root on the floor, three fingers on every hand, a twist bone along every forearm."""
    rows = [("Root", None, (0.0, 0.0, 0.0), (names["pelvis"],))]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        wrist, elbow = names[f"{side}_wrist"], names[f"{side}_elbow"]
        hand = armature.data.bones[wrist].head_local
        for finger in range(3):
            head = hand + Vector((sign * 0.08, 0.03 * finger - 0.03, 0.0))
            rows.append((f"{wrist} finger {finger}", wrist, head, ()))
        rows.append((f"{elbow} twist", elbow, armature.data.bones[elbow].head_local, ()))
    add_bones(armature, rows)


def check_the_shared_ground_is_the_extensions_own_and_starts_no_torch():
    assert "torch" not in sys.modules
    folder = Path(sys.modules[MODULE].__file__).parent
    for module in (skeleton, quat, shared.named_limbs, shared.retarget, sys.modules[f"{MODULE}.core.rig.rest"]):
        assert module.__name__.startswith(f"{MODULE}.core.rig.")
        assert Path(module.__file__).parent == folder / "core" / "rig"
    assert "core" not in sys.modules and "blender_addon" not in sys.modules
    assert not [path for path in sys.path if Path(path) == folder or folder in Path(path).parents]


def check_every_family_of_names():
    assert len(FAMILIES) >= 12
    for family, names in FAMILIES.items():
        bpy.ops.wm.read_homefile(use_empty=True)
        bones = [names[joint] for joint in JOINTS]
        armature = rig(bones, a_pose(1.3 * PLACES), rolled=0.3)
        with_fingers(armature, names)
        print(family, flush=True)
        dances(armature, names)


def check_the_shape_alone():
    names = {joint: f"bone {index}" for index, joint in enumerate(JOINTS)}
    armature = rig(list(names.values()), a_pose(PLACES), rolled=0.3)
    with_fingers(armature, names)
    add_bones(armature, [("ball", None, (2.0, 0.0, 0.0), ()), ("chain", "ball", (2.0, 0.0, 1.0), ())])
    dances(armature, names)


def check_the_shape_in_other_axes():
    """Y up and in centimetres, turned by its object, facing backwards."""
    names = {joint: f"bone {index}" for index, joint in enumerate(JOINTS)}
    armature = rig(list(names.values()), 100.0 * skeleton.standing() * (-1.0, 1.0, -1.0), rolled=0.3)
    armature.rotation_euler, armature.scale = (math.pi / 2, 0.0, math.pi), (0.01, 0.01, 0.01)
    dances(armature, names)


def check_more_and_fewer_bones():
    """Five bones in the spine and two in the neck; one bone in the spine, no collars, feet in one piece."""
    names = FAMILIES["unreal"] | {"spine2": "spine_03", "spine3": "spine_05"}
    armature = rig([names[joint] for joint in JOINTS], PLACES)
    add_bones(
        armature,
        [
            ("spine_02", "spine_01", (0.0, 0.01, 1.14), ("spine_03",)),
            ("spine_04", "spine_03", (0.0, 0.0, 1.22), ("spine_05",)),
            ("neck_02", "neck_01", (0.0, 0.0, 1.50), ("head",)),
        ],
    )
    dances(armature, names)
    bpy.ops.wm.read_homefile(use_empty=True)
    gone = {"spine2", "spine1", "neck", "left_collar", "right_collar", "left_foot", "right_foot"}
    names = {joint: name for joint, name in FAMILIES["unreal"].items() if joint not in gone}
    dances(rig([names.get(joint) for joint in JOINTS], a_pose(PLACES), rolled=0.2), names)


def check_legs_and_spine_that_meet_on_the_floor():
    """A bone on the floor carries both: it travels, and the hips turn about the pelvis all the same."""
    names = FAMILIES["unreal"] | {"pelvis": "base"}
    armature = rig([names[joint] for joint in JOINTS], PLACES)
    bpy.ops.object.mode_set(mode="EDIT")
    base = armature.data.edit_bones["base"]
    base.head, base.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    dances(armature, names)
    bpy.context.scene.frame_set(20)
    hip = armature.matrix_world @ armature.pose.bones[names["left_hip"]].head
    np.testing.assert_allclose(hip, z_up(EXPECTED[19])[JOINTS.index("left_hip")], atol=1e-4)


def check_a_control_rig_is_read_but_not_written():
    """Bones that follow others by constraints show no keys of their own, but they do show how the body moves."""
    names = {joint: f"ORG-{name}" for joint, name in FAMILIES["rigify"].items()}
    armature = rig([names[joint] for joint in JOINTS], PLACES)
    other = rig(list(JOINTS), PLACES)
    for joint, name in names.items():
        follow = armature.pose.bones[name].constraints.new("COPY_TRANSFORMS")
        follow.target, follow.subtarget = other, joint
    raises(UserError, "control rig: its bone ORG-thigh.L follows left_hip", actions.write_dance, DANCE, armature, 1)
    assert armature.animation_data is None
    actions.write_dance(DANCE, other, 1)
    rotations, root = read(armature, 1, len(ROOT))
    np.testing.assert_allclose(root, ROOT, atol=1e-4)
    assert np.abs(np.sum(rotations * ROTATIONS, axis=-1)).min() > 1 - 1e-5
    for constraint in armature.pose.bones["ORG-thigh.L"].constraints:
        constraint.mute = True
    rigs.check_readable(armature)


def check_a_constraint_or_two_of_the_users_own_are_no_control_rig():
    armature = rig([FAMILIES["smpl"][joint] for joint in JOINTS], PLACES)
    hold = armature.pose.bones["left_elbow"].constraints.new("COPY_ROTATION")
    hold.target = armature
    hold.subtarget = "right_elbow"
    rigs.check_writable(armature)


def check_legs_that_follow_their_feet():
    """As in MikuMikuDance: keys on thighs and shins would not show, so the new action switches the IK off."""
    names = FAMILIES["mmd"]
    armature = rig([names[joint] for joint in JOINTS], PLACES)
    rows = [(f"足IK.{side}", None, armature.data.bones[f"足首.{side}"].head_local, ()) for side in "LR"]
    add_bones(armature, rows)
    constraints = [armature.pose.bones[f"ひざ.{side}"].constraints.new("IK") for side in "LR"]
    for constraint, side in zip(constraints, "LR", strict=True):
        constraint.target, constraint.subtarget, constraint.chain_count = armature, f"足IK.{side}", 2
    dances(armature, names)
    bpy.context.view_layer.update()
    assert [constraint.influence for constraint in constraints] == [0.0, 0.0]


def check_hips_that_are_connected():
    """They have no location of their own; the bone that they hang on takes them along."""
    names = FAMILIES["smpl"]
    armature = rig([names[joint] for joint in JOINTS], PLACES)
    add_bones(armature, [("Root", None, (0.0, 0.0, 0.0), ()), ("Middle", "Root", (0.0, 0.1, 0.3), ())])
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    bones["Root"].tail, bones["Root"].roll = bones["Middle"].head, 0.7
    bones["Middle"].tail = bones["pelvis"].head
    bones["Middle"].use_connect = True
    bones["pelvis"].parent, bones["pelvis"].use_connect = bones["Middle"], True
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["Root"].location = (0.5, 0.5, 0.5)
    armature.pose.bones["Middle"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    dances(armature, names)
    bpy.context.scene.frame_set(20)
    hips = armature.matrix_world @ armature.pose.bones["pelvis"].head
    np.testing.assert_allclose(hips, z_up(EXPECTED[19])[0], atol=1e-4)


def check_what_is_no_humanoid():
    names = FAMILIES["unreal"]
    armature = rig([None if "left_knee" in j or "left_ankle" in j else names[j] for j in JOINTS], PLACES)
    raises(UserError, "there are thigh_l, ball_l, thigh_r ..., but no left shin, no left foot", rigs.check, armature)
    tree = bpy.data.objects.new("tree", bpy.data.armatures.new("tree"))
    bpy.context.collection.objects.link(tree)
    rows = [("trunk", None, (0.0, 0.0, 0.0), ())]
    for branch in range(7):
        above = "trunk"
        for part in range(4):
            angle = branch * 2 * math.pi / 7
            out = 0.3 * (part + 1)
            rows.append((f"{branch} {part}", above, (out * math.cos(angle), out * math.sin(angle), 1.0 + out), ()))
            above = rows[-1][0]
    add_bones(tree, rows)
    raises(
        UserError,
        "'tree' is no body that Footlight knows: among its 29 bones no two legs and arms could be found. Rename",
        rigs.check,
        tree,
    )
    raises(UserError, "no two legs and arms", actions.write_dance, DANCE, tree, 1)
    assert not rigs.fits(tree) and tree.animation_data is None
