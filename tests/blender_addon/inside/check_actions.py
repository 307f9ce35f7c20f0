"""Dances written into actions. The oracle for where every joint is comes from the engine's own forward kinematics:
``dance.npz`` and ``expected.npz`` are made by the test that starts this."""

import math

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector
from scenes import FOLDER, MIXAMO, addon, fingerprint, raises, unchanged

actions, dancer = addon("scene.actions"), addon("scene.dancer")
skeleton, BONES = addon("shared").skeleton, addon("scene.mannequin").BONES
UserError = addon("errors").UserError
DANCE = FOLDER / "dance.npz"
EXPECTED = np.load(FOLDER / "expected.npz")["positions"]  # (t, 22, 3), y-up


def joints_now(armature, bones=BONES) -> np.ndarray:
    return np.array([armature.pose.bones[bone].head for bone in bones])


def expected_at(frame: int) -> np.ndarray:
    x, y, z = EXPECTED[frame].T
    return np.stack((x, -z, y), axis=1)


def check_every_joint_is_where_the_engine_says():
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context, (1.0, 2.0, 3.0))
    before = fingerprint()
    action = actions.write_dance(DANCE, armature, 11, name="song dance", properties={"song": "song"})
    before["actions"].add(action.name)
    unchanged(before)
    for frame in range(0, len(EXPECTED), 7):
        scene.frame_set(11 + frame)
        np.testing.assert_allclose(joints_now(armature), expected_at(frame), atol=2e-5)
    scene.frame_set(11)
    hand = armature.matrix_world @ armature.pose.bones["hand.L"].head
    np.testing.assert_allclose(hand, expected_at(0)[skeleton.JOINTS.index("left_wrist")] + (1, 2, 3), atol=2e-5)


def check_the_mannequin_follows():
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    actions.write_dance(DANCE, armature, 1)
    scene.frame_set(20)
    skin = armature.children[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
    group = skin.vertex_groups["hand.L"].index
    hand = [vertex.co for vertex in skin.data.vertices if vertex.groups and vertex.groups[0].group == group]
    wrist, tip = armature.pose.bones["hand.L"].head, armature.pose.bones["hand.L"].tail
    middle = sum(hand, Vector()) / len(hand)
    assert (middle - (wrist + tip) / 2).length < 0.05


def check_the_action():
    armature = dancer.add_dancer(bpy.context)
    armature.animation_data_create()
    mine = bpy.data.actions.new("mine")
    armature.animation_data.action = mine
    action = actions.write_dance(DANCE, armature, 5, name="song dance", frames=20, properties={"song": "song"})
    assert action.use_fake_user and action.name == "song dance"
    assert armature.animation_data.action == action
    assert armature.animation_data.action_slot == action.slots[0]
    assert mine.use_fake_user, "an action that lost its last user would be gone after the next save"
    assert dict(action)["footlight_song"] == "song" and dict(action)["footlight_seed"] == "7"
    channels = action.layers[0].strips[0].channelbag(action.slots[0])
    assert len(channels.fcurves) == 22 * 4 + 3
    limbs = [f"{side} {limb}" for side in ("Left", "Right") for limb in ("Arm", "Leg")]
    assert sorted(group.name for group in channels.groups) == sorted(("Hips", "Spine", "Head", *limbs))
    for name, part, count in (("Left Arm", ".L", 16), ("Right Leg", ".R", 16), ("Hips", "pelvis", 7)):
        inside = [curve for curve in channels.fcurves if curve.group.name == name]
        assert len(inside) == count and all(part in curve.data_path for curve in inside), name
    assert tuple(action.frame_range) == (5, 24)
    for curve in channels.fcurves:
        assert [point.co[0] for point in curve.keyframe_points] == list(range(5, 25))
        assert {point.interpolation for point in curve.keyframe_points} == {"LINEAR"}
    again = actions.write_dance(DANCE, armature, 5, name="song dance")
    assert again != action and action.name == "song dance" and again.name == "song dance.001"


def check_every_rotation_mode():
    scene = bpy.context.scene
    armature = dancer.add_dancer(bpy.context)
    modes = ("QUATERNION", "XYZ", "ZYX", "YXZ", "AXIS_ANGLE")
    for i, bone in enumerate(armature.pose.bones):
        bone.rotation_mode = modes[i % len(modes)]
    action = actions.write_dance(DANCE, armature, 1)
    assert [bone.rotation_mode for bone in armature.pose.bones] == [modes[i % len(modes)] for i in range(22)]
    for frame in range(0, len(EXPECTED), 7):
        scene.frame_set(1 + frame)
        np.testing.assert_allclose(joints_now(armature), expected_at(frame), atol=1e-4)
    channels = action.layers[0].strips[0].channelbag(action.slots[0])
    for curve in channels.fcurves:
        if curve.data_path.endswith("rotation_euler"):
            values = np.array([point.co[1] for point in curve.keyframe_points])
            assert np.abs(np.diff(values)).max() < math.pi, f"{curve.data_path} turns over"


def check_another_rig_by_its_bones_names():
    """A Mixamo rig twice as large, in an A-pose, with its bones rolled and turned: its limbs point where the dancer's
    do, and it travels twice as far."""
    positions = 2.0 * np.stack((lambda p: (p[:, 0], -p[:, 2], p[:, 1]))(skeleton.standing()), axis=1)
    droop = Matrix.Rotation(math.radians(40), 3, "Y")
    for side, turn in (("left", droop), ("right", droop.inverted())):
        shoulder = skeleton.JOINTS.index(f"{side}_shoulder")
        for joint in ("elbow", "wrist"):
            index = skeleton.JOINTS.index(f"{side}_{joint}")
            arm = Vector(positions[index] - positions[shoulder])
            positions[index] = positions[shoulder] + np.array(turn @ arm)
    armature = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for joint, name in enumerate(MIXAMO):
        bone = armature.data.edit_bones.new(name)
        bone.head = positions[joint]
        children = [child for child, parent in enumerate(skeleton.PARENTS) if parent == joint]
        bone.tail = positions[children[0]] if len(children) == 1 else bone.head + Vector((0.02, 0.01, 0.1))
        bone.roll = 0.3 * joint
        if joint:
            bone.parent = armature.data.edit_bones[MIXAMO[skeleton.PARENTS[joint]]]
    bpy.ops.object.mode_set(mode="OBJECT")
    actions.write_dance(DANCE, armature, 1)
    limbs = [(1, 4), (4, 7), (2, 5), (5, 8), (16, 18), (18, 20), (17, 19), (19, 21)]
    for frame in range(0, len(EXPECTED), 7):
        bpy.context.scene.frame_set(1 + frame)
        found, wanted = joints_now(armature, MIXAMO), expected_at(frame)
        np.testing.assert_allclose(found[0], 2.0 * wanted[0], atol=1e-4)
        for a, b in limbs:
            there, here = wanted[b] - wanted[a], found[b] - found[a]
            assert there @ here / np.linalg.norm(there) / np.linalg.norm(here) > 1 - 1e-6, (frame, a, b)


def check_what_cannot_be_danced():
    scene = bpy.context.scene
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    scene.collection.objects.link(cube)
    raises(UserError, "not an armature", actions.write_dance, DANCE, cube, 1)
    empty = bpy.data.objects.new("empty rig", bpy.data.armatures.new("empty rig"))
    scene.collection.objects.link(empty)
    raises(UserError, "among its 0 bones no two legs and arms", actions.write_dance, DANCE, empty, 1)
    armature = dancer.add_dancer(bpy.context)
    before = fingerprint()
    broken = FOLDER / "broken.npz"
    broken.write_bytes(DANCE.read_bytes()[:-100])
    raises(UserError, "cannot be read", actions.write_dance, broken, armature, 1)
    raises(UserError, "invalid numbers", actions.write_dance, FOLDER / "nan.npz", armature, 1)
    raises(UserError, "different versions", actions.write_dance, FOLDER / "other.npz", armature, 1)
    unchanged(before)
    assert armature.animation_data is None


def check_a_dancer_linked_from_another_file_is_refused():
    path = str(FOLDER / "library.blend")
    armature = dancer.add_dancer(bpy.context)
    bpy.data.libraries.write(path, {armature})
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects = list(there.objects)
    linked = next(ob for ob in here.objects if ob.type == "ARMATURE")
    bpy.context.scene.collection.objects.link(linked)
    raises(UserError, "linked from another file", actions.write_dance, DANCE, linked, 1)


def check_the_dancer():
    armature = dancer.add_dancer(bpy.context, (0.0, 0.0, 0.0))
    assert bpy.context.active_object == armature and dancer.dancers(bpy.context.scene) == [armature]
    another = dancer.add_dancer(bpy.context, (2.0, 0.0, 0.0))
    assert len(bpy.data.materials) == 2, "dancers share their two materials"
    assert another.children[0].modifiers[0].object == another
    for bone in armature.pose.bones:
        assert Quaternion(bone.rotation_quaternion).angle == 0 and not tuple(bone.location).count(1)
    heads = joints_now(armature)
    np.testing.assert_allclose(heads[:, [0, 2]], skeleton.standing()[:, [0, 1]], atol=1e-5)
    size = armature.children[0].dimensions
    assert 1.68 < size.z < 1.72 and 1.6 < size.x < 1.85


def check_markers():
    markers = addon("scene.markers")
    scene = bpy.context.scene
    scene.timeline_markers.new("beat", frame=30)
    markers.show_beats(scene, [1.2, 15.9, 30.0], [True, False, True])
    assert [(m.name, m.frame) for m in scene.timeline_markers][1:] == [
        ("♪ 1 ·1, eight 1", 1),
        ("♪ ·2", 16),
        ("♪ 2 ·3", 30),
    ]
    markers.show_beats(scene, [5.0, 7.0])
    assert [(m.name, m.frame) for m in scene.timeline_markers] == [("beat", 30), ("♪", 5), ("♪", 7)]
    scene.timeline_markers[2].name = "♪ chorus"
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "marked.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "marked.blend"))
    scene = bpy.context.scene
    assert markers.remove_beats(scene) == 1
    assert [(m.name, m.frame) for m in scene.timeline_markers] == [("beat", 30), ("♪ chorus", 7)]
