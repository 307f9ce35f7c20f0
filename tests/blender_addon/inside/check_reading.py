"""Animated rigs read back. The oracle is the dance that was written on them, or what Blender itself shows."""

import math

import bpy
import numpy as np
from mathutils import Quaternion, Vector
from scenes import FOLDER, MIXAMO, addon, fingerprint, raises, read, rig, z_up

actions, dancer, reading = addon("scene.actions"), addon("scene.dancer"), addon("scene.reading")
skeleton, quat = addon("shared").skeleton, addon("shared").quaternion
BONES = addon("scene.mannequin").BONES
UserError = addon("errors").UserError
DANCE = FOLDER / "dance.npz"
ROTATIONS, ROOT = (np.load(DANCE)[name].astype(float) for name in ("rotations", "root"))
FRAMES = len(ROOT)


def the_same(found, rotations=ROTATIONS, root=ROOT, atol=2e-5):
    assert found[0].shape == rotations.shape and found[1].shape == root.shape
    np.testing.assert_allclose(found[1], root, atol=atol)
    np.testing.assert_allclose(np.abs(np.sum(found[0] * rotations, axis=-1)), 1.0, atol=atol)
    assert (np.sum(found[0][1:] * found[0][:-1], axis=-1) >= 0).all(), "a quaternion changes sides"


def state():
    """What reading must leave alone, poses without keys and the scenes' number too."""
    poses = {
        (ob.name, bone.name): [tuple(row) for row in bone.matrix_basis]
        for ob in bpy.context.scene.objects
        if ob.type == "ARMATURE"
        for bone in ob.pose.bones
    }
    return fingerprint() | {"poses": poses, "subframe": bpy.context.scene.frame_subframe}


def left_alone(before):
    now = state()
    assert {key for key in before if before[key] != now[key]} == set()


def danced(location=(0.0, 0.0, 0.0), first=1):
    armature = dancer.add_dancer(bpy.context, location)
    actions.write_dance(DANCE, armature, first)
    return armature


def check_a_dance_comes_back_and_nothing_changes():
    armature = danced()
    scene = bpy.context.scene
    scene.frame_set(17, subframe=0.25)
    armature.pose.bones["hand.L"].rotation_quaternion = (0.6, 0.8, 0.0, 0.0)  # posed, but not keyed yet
    before = state()
    the_same(read(armature, 1, FRAMES))
    left_alone(before)
    part = read(armature, 11, 40)
    the_same(part, ROTATIONS[10:40], ROOT[10:40])
    left_alone(before)


def check_the_objects_own_transform():
    armature = danced()
    armature.scale = (1.7, 1.7, 1.7)
    armature.rotation_euler = (0.3, -0.4, 1.1)
    armature.location = (4.0, -5.0, 6.0)
    bpy.context.view_layer.update()
    the_same(read(armature, 1, FRAMES), atol=5e-5)


def check_an_object_that_travels_and_turns():
    """The dancer is parented to a carrier that moves on along its own y and turns about its own z."""
    carrier = bpy.data.objects.new("carrier", None)
    bpy.context.scene.collection.objects.link(carrier)
    there = (1.0 - 4.0 * math.sin(0.5), 2.0 + 4.0 * math.cos(0.5), 3.0)
    for frame, location, turn in ((1, (1.0, 2.0, 3.0), 0.5), (FRAMES, there, 1.4)):
        carrier.location, carrier.rotation_euler = location, (0.0, 0.0, turn)
        carrier.keyframe_insert("location", frame=frame)
        carrier.keyframe_insert("rotation_euler", frame=frame)
    armature = danced()
    armature.parent = carrier
    rotations, root = read(armature, 1, FRAMES)
    the_same((rotations[:, 1:], root[:1]), ROTATIONS[:, 1:], ROOT[:1])
    turn = Quaternion((0.0, 0.0, 1.0), 0.9)
    hips = turn @ Vector(z_up(ROOT)[-1]) + Vector((0.0, 4.0, 0.0))
    np.testing.assert_allclose(root[-1], (hips.x, hips.z, -hips.y), atol=1e-4)
    about_y = np.array((math.cos(0.45), 0.0, math.sin(0.45), 0.0))
    assert abs(quat.mul(about_y, ROTATIONS[-1, 0]) @ rotations[-1, 0]) > 1 - 1e-6


def check_an_nla_strip():
    """The dance as a strip that starts elsewhere and plays at half its speed: every second frame is a frame of it."""
    armature = danced()
    data = armature.animation_data
    action, slot = data.action, data.action_slot
    data.action = None
    strip = data.nla_tracks.new().strips.new("dance", 101, action)
    strip.action_slot = slot
    strip.scale = 2.0
    bpy.context.view_layer.update()
    first, last = reading.animated_range(armature)
    assert (first, last) == (101, 101 + 2 * (FRAMES - 1))
    rotations, root = read(armature, first, last)
    the_same((rotations[::2], root[::2]))
    data.nla_tracks[0].mute = True
    raises(UserError, "no action and no NLA strip that plays", reading.animated_range, armature)
    raises(UserError, "does not move", read, armature, first, last)


def check_only_tracks_that_play_count():
    """For the range, for the frames that are looked at, and for what NLA strips animate alike."""
    staging, under = addon("scene.staging"), addon("scene.under")
    armature = danced()
    data = armature.animation_data
    action, slot = data.action, data.action_slot
    data.action = None
    moving = bpy.data.actions.new("moving")
    strips = []
    for start, shown in ((101, action), (1001, moving)):
        strip = data.nla_tracks.new().strips.new("strip", start, shown)
        strip.action_slot = slot if shown == action else moving.slots.new("OBJECT", armature.name)
        strip.frame_end = start + 50
        strips.append(strip)
    for index, value in enumerate((0.0, 1.0)):
        curves = moving.layers.new("Layer").strips.new(type="KEYFRAME") if index == 0 else moving.layers[0].strips[0]
        bag = curves.channelbag(moving.slots[0], ensure=True)
        curve = bag.fcurves.find("location", index=0) or bag.fcurves.new("location", index=0)
        curve.keyframe_points.insert(1 + 50 * index, value)
    one, two = data.nla_tracks

    def plays(first, last, bones, whole):
        assert reading.animated_range(armature) == (first, last)
        looked = staging.sampled(bpy.context.scene, armature, 9)
        assert (looked[0], looked[-1]) == (first, last)
        paths = under.nla_paths(armature)
        assert (any(path.startswith("pose") for path in paths), "location" in paths) == (bones, whole)

    plays(101, 1051, True, True)
    two.mute = True
    plays(101, 151, True, False)
    two.mute, strips[0].mute = False, True
    plays(1001, 1051, False, True)
    strips[0].mute = False
    one.is_solo = True
    plays(101, 151, True, False)
    two.is_solo = True
    plays(1001, 1051, False, True)


def check_constraints_and_drivers():
    """A hand held by a constraint to an animated empty, a head that a driver nods: read as Blender shows them."""
    armature = danced()
    scene = bpy.context.scene
    empty = bpy.data.objects.new("target", None)
    scene.collection.objects.link(empty)
    empty.keyframe_insert("rotation_euler", frame=1)
    empty.rotation_euler = (1.0, 2.0, 0.5)
    empty.keyframe_insert("rotation_euler", frame=FRAMES)
    hold = armature.pose.bones["hand.L"].constraints.new("COPY_ROTATION")
    hold.target = empty
    head = armature.pose.bones["head"]
    head.rotation_mode = "XYZ"
    head.driver_add("rotation_euler", 0).driver.expression = "sin(frame / 5)"
    scene.frame_set(30)
    before = state()
    rotations, root = read(armature, 1, FRAMES)
    left_alone(before)
    held = [joint for joint in range(22) if skeleton.JOINTS[joint] not in ("left_wrist", "head")]
    the_same((rotations[:, held], root), ROTATIONS[:, held])
    as_shown(armature, rotations)


def as_shown(armature, rotations, bones=BONES):
    """Every joint's turn from rest is what Blender shows when the scene itself goes through the frames."""
    rest = {name: armature.data.bones[name].matrix_local.to_quaternion() for name in bones}
    for frame in range(1, FRAMES + 1, 7):
        bpy.context.scene.frame_set(frame)
        turned = [np.array((1.0, 0.0, 0.0, 0.0))] * 22
        for joint, name in enumerate(bones):
            parent = skeleton.PARENTS[joint]
            above = turned[parent] if parent >= 0 else turned[joint]
            turned[joint] = quat.mul(above, rotations[frame - 1, joint])
            w, x, y, z = turned[joint]
            shown = armature.pose.bones[name].matrix.to_quaternion() @ rest[name].inverted()
            assert abs(shown.dot(Quaternion((w, x, -z, y)))) > 1 - 1e-5, (frame, name)


def check_drivers_that_look_at_the_scene():
    """One asks for the scene's frame as a property, one in its expression."""
    bpy.context.preferences.filepaths.use_scripts_auto_execute = True
    armature = danced()
    scene = bpy.context.scene
    head = armature.pose.bones["head"]
    head.rotation_mode = "XYZ"
    head.driver_add("rotation_euler", 0).driver.expression = "bpy.context.scene.frame_current / 30"
    as_shown(armature, read(armature, 1, FRAMES)[0])
    driver = head.driver_add("rotation_euler", 1).driver
    driver.type = "SUM"
    target = driver.variables.new().targets[0]
    target.id_type, target.id, target.data_path = "SCENE", scene, "frame_current"
    scene.frame_set(9, subframe=0.5)
    before = state()
    rotations, _ = read(armature, 1, FRAMES)
    left_alone(before)
    as_shown(armature, rotations)


def check_another_rig_by_its_bones_names():
    """A Mixamo rig as files bring it: in centimetres, y-up, rolled bones, its object turned and scaled; and without two
    bones of the spine. What is written on it stands upright in the world and comes back: all of it, and where its
    residual is lost, what the bones show."""
    names = [None if skeleton.JOINTS[joint] in ("spine2", "left_collar") else name for joint, name in enumerate(MIXAMO)]
    armature = rig(names, 180.0 * skeleton.standing(), rolled=0.3)
    armature.rotation_euler, armature.scale = (math.pi / 2, 0.0, 0.0), (0.01, 0.01, 0.01)
    action = actions.write_dance(DANCE, armature, 1)
    the_same(read(armature, 1, FRAMES), ROTATIONS, atol=1e-3)
    del action[addon("scene.residuals").RESIDUAL]
    rotations, root = read(armature, 1, FRAMES)
    np.testing.assert_allclose(root, ROOT, atol=1e-4)
    skipped = {skeleton.JOINTS.index(name) for name in ("spine2", "left_collar", "spine3", "left_shoulder")}
    kept = [joint for joint in range(22) if joint not in skipped]
    the_same((rotations[:, kept], root), ROTATIONS[:, kept], atol=1e-4)
    for above, below in (("spine2", "spine3"), ("left_collar", "left_shoulder")):
        a, b = skeleton.JOINTS.index(above), skeleton.JOINTS.index(below)
        both, found = (quat.mul(one[:, a], one[:, b]) for one in (ROTATIONS, rotations))
        np.testing.assert_allclose(np.abs(np.sum(found * both, axis=-1)), 1.0, atol=1e-4)
    a, b = (skeleton.JOINTS.index(name) for name in ("spine2", "spine3"))
    np.testing.assert_allclose(np.abs(np.sum(rotations[:, a] * rotations[:, b], axis=-1)), 1.0, atol=1e-4)
    straight = np.tile((1.0, 0.0, 0.0, 0.0), (FRAMES, 1))
    np.testing.assert_allclose(rotations[:, skeleton.JOINTS.index("left_collar")], straight, atol=1e-6)
    bpy.context.scene.frame_set(20)
    hips = armature.matrix_world @ armature.pose.bones["mixamorig:Hips"].head
    np.testing.assert_allclose(hips, 1.8 * z_up(ROOT)[19], atol=1e-4)


def check_a_rig_whose_origin_is_in_its_hips():
    """As SMPL's own rigs: what it dances it dances on the floor under its feet."""
    place = z_up(skeleton.standing()) - (0.0, 0.0, 0.95)
    armature = rig(skeleton.JOINTS, place)
    actions.write_dance(DANCE, armature, 1)
    the_same(read(armature, 1, FRAMES), atol=1e-4)
    bpy.context.scene.frame_set(20)
    np.testing.assert_allclose(armature.pose.bones["pelvis"].head, z_up(ROOT)[19] - (0.0, 0.0, 0.95), atol=1e-4)


def check_ranges():
    armature = danced(first=-40)
    assert reading.animated_range(armature) == (-40, -41 + FRAMES)
    the_same(read(armature, -40, -41 + FRAMES))
    action = armature.animation_data.action
    for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves:
        for point in curve.keyframe_points:
            point.co[0] += 0.25
    assert reading.animated_range(armature) == (-40, -40 + FRAMES)
    action.use_frame_range, action.frame_start, action.frame_end = True, 3.5, 30.5
    assert reading.animated_range(armature) == (3, 31)


def check_what_cannot_be_read():
    still = dancer.add_dancer(bpy.context)
    raises(UserError, "no action and no NLA strip", reading.animated_range, still)
    raises(UserError, "does not move from frame 1 to 30", read, still, 1, 30)
    actions.write_dance(DANCE, still, 1)
    still.data.pose_position = "REST"
    raises(UserError, "Rest Position", read, still, 1, FRAMES)
    still.data.pose_position = "POSE"
    bpy.ops.object.mode_set(mode="EDIT")
    raises(UserError, "Edit Mode", read, still, 1, FRAMES)
    bpy.ops.object.mode_set(mode="OBJECT")
    still.hide_viewport = True
    raises(UserError, "disabled in viewports", read, still, 1, FRAMES)
    still.hide_viewport = False
    still.scale = (0.0, 0.0, 0.0)
    raises(UserError, "invalid transform on frame 1", read, still, 1, FRAMES)
    still.scale = (1.0, 1.0, 1.0)
    action = still.animation_data.action
    curve = (
        action.layers[0].strips[0].channelbag(action.slots[0]).fcurves.find('pose.bones["pelvis"].location', index=0)
    )
    for number in (math.nan, math.inf):
        curve.keyframe_points[11].co[1] = number
        before = state()
        raises(UserError, "invalid transform on frame 12", read, still, 1, FRAMES)
        left_alone(before)
    empty = bpy.data.objects.new("no body", bpy.data.armatures.new("no body"))
    bpy.context.scene.collection.objects.link(empty)
    raises(UserError, "among its 0 bones no two legs and arms", read, empty, 1, FRAMES)


def check_what_goes_while_it_is_read():
    armature = danced()
    scenes = len(bpy.data.scenes)
    reading.SLICE, kept = 0.0, reading.SLICE
    try:
        steps = reading.motion(lambda: gone(), 1, FRAMES)
        asked = iter([armature, armature])

        def gone():
            if (found := next(asked, None)) is None:
                raise UserError("it was deleted")
            return bpy.context.scene, found

        raises(UserError, "it was deleted", lambda: list(steps))
        steps = reading.motion(lambda: (bpy.context.scene, armature), 1, FRAMES)
        next(steps)
        armature.data.bones["toe.L"].name = "paw"
        raises(UserError, "lost its bone toe.L", next, steps)
    finally:
        reading.SLICE = kept
    assert len(bpy.data.scenes) == scenes


def check_a_linked_rig_is_read():
    path = str(FOLDER / "rig library.blend")
    bpy.data.libraries.write(path, {danced()})
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects = list(there.objects)
    linked = next(ob for ob in here.objects if ob.type == "ARMATURE")
    bpy.context.scene.collection.objects.link(linked)
    the_same(read(linked, 1, FRAMES))


def check_a_rig_that_goes_after_its_last_frame():
    """What was read is enough: nothing is asked of an object that is no more."""
    armature = danced()
    steps = reading.motion(lambda: (bpy.context.scene, armature), 1, FRAMES)
    while next(steps) < 1.0:
        pass
    bpy.data.objects.remove(armature)
    try:
        next(steps)
    except StopIteration as end:
        the_same(end.value)
