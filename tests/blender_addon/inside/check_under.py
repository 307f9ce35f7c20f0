"""What lies under a dance: poses left over, and the object's own animation."""

import bpy
import numpy as np
from dancing import as_it_should, away, dancer, with_root, write
from scenes import addon, curves

reading = addon("scene.reading")

POSES = {
    "moved": ("root", "location", (1.2, 0.5, 1.0)),
    "rotated": ("root", "rotation_quaternion", (0.8, 0.6, 0.0, 0.0)),
    "scaled": ("root", "scale", (1.3, 1.3, 1.3)),
    "a stretched spine": ("spine2", "scale", (1.0, 1.6, 1.0)),
    "a collar that was moved": ("collar.L", "location", (0.0, 0.2, 0.0)),
    "a large pelvis": ("pelvis", "scale", (2.0, 2.0, 2.0)),
    "a long arm": ("forearm.L", "scale", (1.0, 1.5, 1.0)),
    "a thigh out of its joint": ("thigh.R", "location", (0.1, 0.0, 0.0)),
}


def check_a_pose_that_was_left_over():
    for name, (bone, channel, value) in POSES.items():
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        with_root(armature)
        setattr(armature.pose.bones[bone], channel, value)
        action, said = write(armature)
        as_it_should(armature)
        assert away(armature, (0, 0, 0)) < 1e-3, name
        assert f"left on {bone} is overridden" in said, said
        assert {curve.data_path.split('"')[1] for curve in curves(action)} == {b.name for b in armature.pose.bones} - (
            {"root"} if bone != "root" else set()
        )


def check_locked_channels_are_said():
    armature = dancer.add_dancer(bpy.context)
    armature.pose.bones["hand.L"].lock_rotation[1] = True
    armature.pose.bones["hand.R"].lock_location[1] = True
    _, said = write(armature)
    as_it_should(armature)
    assert "Channels of hand.L are locked" in said and "hand.R" not in said, said
    armature.pose.bones["pelvis"].lock_location[2] = True
    _, said = write(armature)
    assert "Channels of hand.L, pelvis are locked" in said, said


def check_every_rotation_mode_of_what_was_left_over():
    for mode, channel, value in (
        ("XYZ", "rotation_euler", (0.3, 0.0, 1.0)),
        ("AXIS_ANGLE", "rotation_axis_angle", (1.0, 0.0, 0.0, 1.0)),
    ):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        root = with_root(armature)
        root.rotation_mode = mode
        setattr(root, channel, value)
        write(armature)
        as_it_should(armature)


def check_nothing_left_over_adds_nothing():
    armature = dancer.add_dancer(bpy.context)
    with_root(armature)
    armature.pose.bones["root"].rotation_quaternion = (-1.0, 0.0, 0.0, 0.0)
    action, said = write(armature)
    assert len(curves(action)) == 22 * 4 + 3 and not said


def check_what_the_nla_animates_below():
    """A walk on the root bone in the NLA would carry the dance away; it does not, and plays on without the dance."""
    armature = dancer.add_dancer(bpy.context)
    root = with_root(armature)
    for frame, y in ((1, 0.0), (60, 3.0)):
        root.location = (0.0, y, 0.0)
        root.keyframe_insert("location", frame=frame)
    data = armature.animation_data
    walk, slot = data.action, data.action_slot
    data.action = None
    strip = data.nla_tracks.new().strips.new("walk", 1, walk)
    strip.action_slot = slot
    bpy.context.scene.frame_set(1)
    _, said = write(armature)
    assert away(armature, (0, 0, 0)) < 1e-3 and "left on root" in said


def travels(ob):
    found = []
    for frame in (1, 20, 41, 60):
        bpy.context.scene.frame_set(frame)
        shown = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append(np.array(shown.matrix_world))
    return np.array(found)


def keyed(ob):
    """It goes 4 m by its own keys, one of which bounces."""
    for frame, y in ((1, 0.0), (41, 4.0)):
        ob.location.y = y
        ob.keyframe_insert("location", frame=frame)
    curve = ob.animation_data.action.layers[0].strips[0].channelbag(ob.animation_data.action_slot).fcurves[1]
    curve.keyframe_points[0].interpolation = "BOUNCE"
    curve.modifiers.new("CYCLES").mode_after = "REPEAT_OFFSET"


def goes_on(armature):
    """It travels as before after a dance, and after another one. Returns the last action and what was said."""
    before = travels(armature)
    assert np.ptp(before[:, :3, 3], axis=0).max() > 0.5
    bpy.context.scene.frame_set(20)
    first, _ = write(armature)
    np.testing.assert_allclose(travels(armature), before, atol=1e-5)
    action, said = write(armature)
    np.testing.assert_allclose(travels(armature), before, atol=1e-5)
    assert len(action.slots) == 1 and armature.animation_data.action_slot == action.slots[0]
    assert {curve.data_path for curve in curves(action)} == {curve.data_path for curve in curves(first)}
    return action, said


def check_an_object_that_travels_by_its_own_keys():
    armature = dancer.add_dancer(bpy.context)
    armature.pose.bones["hand.L"].keyframe_insert("location", frame=300)
    armature["glow"] = 1.0
    armature.keyframe_insert('["glow"]', frame=3)
    keyed(armature)
    mine = armature.animation_data.action
    many = len(curves(mine))
    action, said = goes_on(armature)
    assert 'own keys (["glow"], location) are in the new action too' in said
    assert not curves(action).find('pose.bones["hand.L"].location', index=0)
    assert len(curves(mine)) == many and mine.use_fake_user and action.name == "Dance.001"
    assert tuple(action.frame_range) == (1, 60) == reading.animated_range(armature)


def check_an_action_whose_other_slot_is_anothers():
    armature = dancer.add_dancer(bpy.context)
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    bpy.context.collection.objects.link(cube)
    keyed(cube)
    armature.animation_data_create().action = cube.animation_data.action
    armature.animation_data.action_slot = cube.animation_data.action.slots.new(id_type="OBJECT", name="dancer")
    keyed(armature)
    before = travels(cube)
    goes_on(armature)
    np.testing.assert_allclose(travels(cube), before)


def check_an_object_that_travels_by_anything_else():
    def nla(armature):
        keyed(armature)
        data = armature.animation_data
        action, slot = data.action, data.action_slot
        data.action = None
        data.nla_tracks.new().strips.new("walk", 1, action).action_slot = slot

    def parent(armature):
        carrier = bpy.data.objects.new("carrier", None)
        bpy.context.collection.objects.link(carrier)
        keyed(carrier)
        armature.parent = carrier

    def path(armature):
        bpy.ops.curve.primitive_bezier_curve_add()
        follow = armature.constraints.new("FOLLOW_PATH")
        follow.target, follow.use_fixed_location = bpy.context.active_object, True
        for frame, place in ((1, 0.0), (60, 1.0)):
            follow.offset_factor = place
            follow.keyframe_insert("offset_factor", frame=frame)

    def child(armature):
        parent(armature)
        carrier, armature.parent = armature.parent, None
        armature.constraints.new("CHILD_OF").target = carrier

    def driver(armature):
        armature.driver_add("location", 1).driver.expression = "frame / 15"

    for way in (nla, parent, path, child, driver):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        way(armature)
        print(way.__name__, flush=True)
        goes_on(armature)
        if way is not path:
            as_it_should(armature)
