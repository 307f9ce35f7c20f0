"""Dances that would not be seen: they are, or a line says why not."""

import bpy
import numpy as np
from dancing import DANCE, actions, as_it_should, dancer, off, write
from mathutils import Vector
from scenes import addon, raises

rigs = addon("scene.rigs")
UserError = addon("errors").UserError


def empty(name="target", place=(1.0, 1.0, 1.0)):
    ob = bpy.data.objects.new(name, None)
    ob.location = place
    bpy.context.collection.objects.link(ob)
    return ob


def written_after(way):
    """A new dancer to which ``way`` was done before it got a dance, and what was said of the dance."""
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = dancer.add_dancer(bpy.context)
    way(armature)
    return armature, write(armature)[1]


def constrain(armature, kind, target, bones=None, subtarget=True):
    for bone in bones or armature.data.bones.keys():
        constraint = armature.pose.bones[bone].constraints.new(kind)
        if kind == "ARMATURE":
            constraint = constraint.targets.new()
        constraint.target = target
        if target.type == "ARMATURE" and subtarget:
            constraint.subtarget = bone


def legs_on_feet(armature, sides="LR", bones=("shin", "foot")):
    """Inverse kinematics to empties where the feet stand."""
    for side in sides:
        target = empty(f"{bones[1]} target {side}", armature.data.bones[f"{bones[1]}.{side}"].head_local)
        ik = armature.pose.bones[f"{bones[0]}.{side}"].constraints.new("IK")
        ik.target, ik.chain_count = target, 2


def check_what_keeps_a_whole_armature_still():
    def solo(armature):
        track = armature.animation_data_create().nla_tracks.new()
        track.name = "idle"
        track.strips.new("idle", 1, bpy.data.actions.new("idle"))
        track.is_solo = True

    def mixed(**how):
        def mix(armature):
            shin = armature.pose.bones["shin.L"]
            shin.rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
            shin.keyframe_insert("rotation_quaternion", frame=1)
            data = armature.animation_data
            action, slot = data.action, data.action_slot
            data.action = None
            data.nla_tracks.new().strips.new("kick", 1, action).action_slot = slot
            for name, value in how.items():
                setattr(data, name, value)

        return mix

    def rest(armature):
        armature.data.pose_position = "REST"

    def edit(armature):
        bpy.ops.object.mode_set(mode="EDIT")

    def stretched(_):
        bpy.context.scene.render.frame_map_new = 50

    def driven(armature):
        armature.pose.bones["thigh.L"].driver_add("rotation_quaternion", 1)

    for way, words in (
        (solo, "NLA track 'idle' plays solo"),
        (mixed(action_influence=0.0), "blending Replace, influence 0)"),
        (mixed(action_blend_type="ADD"), "blending Add, influence 1)"),
        (rest, "in Rest Position. Choose Pose Position"),
        (edit, "in Edit Mode"),
        (stretched, "its scene stretches 100 frames to 50"),
        (driven, "a driver holds its bone thigh.L"),
    ):
        _, said = written_after(way)
        assert said.startswith("'Dancer' does not move as the dance does: ") and words in said, said


def check_legs_and_arms_held_by_inverse_kinematics():
    for held in ((("shin", "foot"),), (("forearm", "hand"),), (("shin", "foot"), ("forearm", "hand"))):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        for bones in held:
            legs_on_feet(armature, "LR", bones)
        before = armature.pose.bones[f"{held[0][0]}.L"].constraints[0].influence
        action, said = write(armature)
        as_it_should(armature)
        assert f"Constraints on {held[0][0]}.L, {held[0][0]}.R" in said and "new action switches them off" in said
        assert before == 1.0 and not armature.pose.bones[f"{held[0][0]}.L"].constraints[0].mute
        paths = {curve.data_path for curve in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves}
        assert f'pose.bones["{held[0][0]}.R"].constraints["IK"].influence' in paths
        again, _ = write(armature)
        as_it_should(armature)
        kept = {curve.data_path for curve in again.layers[0].strips[0].channelbag(again.slots[0]).fcurves}
        assert kept == paths, "another dance keeps them off"


def check_inverse_kinematics_that_a_property_switches():
    """Its influence is driven, so the property is keyed, at whichever end it has no influence."""
    for of_bone in (True, False):
        for expression in ("v", "1 - v"):
            bpy.ops.wm.read_homefile(use_empty=True)
            armature = dancer.add_dancer(bpy.context)
            legs_on_feet(armature)
            owner = armature.pose.bones["pelvis"] if of_bone else armature
            owner["legs"] = 1.0 if expression == "v" else 0.0
            for side in "LR":
                driver = armature.pose.bones[f"shin.{side}"].constraints[0].driver_add("influence").driver
                driver.expression = expression
                variable = driver.variables.new()
                variable.name, variable.targets[0].id = "v", armature
                variable.targets[0].data_path = 'pose.bones["pelvis"]["legs"]' if of_bone else '["legs"]'
            for _ in range(2):
                action, _ = write(armature)
                as_it_should(armature)
                curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
                keyed = next(curve for curve in curves if curve.data_path.endswith('["legs"]'))
                assert keyed.keyframe_points[0].co[1] == (0.0 if expression == "v" else 1.0)


def check_one_limb_that_is_held_is_meant_to_be():
    for bones, words in ((("shin", "foot"), "shin.L"), (("forearm", "hand"), "forearm.L")):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        legs_on_feet(armature, "L", bones)
        _, said = write(armature)
        assert f"its bone {words} has the constraint 'IK' to '{bones[1]} target L'" in said, said
        assert armature.pose.bones[words].constraints[0].influence == 1.0
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = dancer.add_dancer(bpy.context)
    constrain(armature, "DAMPED_TRACK", empty(), ["head"])
    assert write(armature)[1] == ""


def check_limits_are_never_switched_off():
    armature = dancer.add_dancer(bpy.context)
    for bone in ("thigh.L", "thigh.R"):
        limit = armature.pose.bones[bone].constraints.new("LIMIT_ROTATION")
        limit.use_limit_x, limit.owner_space = True, "LOCAL"
    _, said = write(armature)
    assert "has the constraint 'Limit Rotation'" in said
    assert armature.pose.bones["thigh.L"].constraints[0].influence == 1.0


def check_bones_that_follow_objects_or_an_armature_that_moves():
    def rotations(armature):
        constrain(armature, "COPY_ROTATION", empty())

    def another(armature):
        other = dancer.add_dancer(bpy.context)
        actions.write_dance(DANCE, other, 1)
        constrain(armature, "CHILD_OF", other)

    def arms(armature):
        constrain(
            armature, "COPY_ROTATION", dancer.add_dancer(bpy.context), ["upper_arm.L", "upper_arm.R", "forearm.L"]
        )

    def controls(armature):
        """An armature that is no body leads the hips, and the limbs by inverse kinematics."""
        other = bpy.data.objects.new("controls", bpy.data.armatures.new("controls"))
        bpy.context.collection.objects.link(other)
        bpy.context.view_layer.objects.active = other
        bpy.ops.object.mode_set(mode="EDIT")
        for name in ("pelvis", "foot.L", "foot.R", "hand.L", "hand.R"):
            bone = other.data.edit_bones.new(name)
            bone.head = armature.data.bones[name].head_local
            bone.tail = bone.head + Vector((0.0, 0.0, 0.1))
        bpy.ops.object.mode_set(mode="OBJECT")
        constrain(armature, "COPY_TRANSFORMS", other, ["pelvis"])
        for name, end in (("shin", "foot"), ("forearm", "hand")):
            for side in "LR":
                ik = armature.pose.bones[f"{name}.{side}"].constraints.new("IK")
                ik.target, ik.subtarget, ik.chain_count = other, f"{end}.{side}", 2

    def later(armature):
        """Inverse kinematics whose influence an NLA strip animates."""
        legs_on_feet(armature)
        for side in "LR":
            ik = armature.pose.bones[f"shin.{side}"].constraints[0]
            for frame, influence in ((1, 0.0), (30, 1.0)):
                ik.influence = influence
                ik.keyframe_insert("influence", frame=frame)
        data = armature.animation_data
        action, slot = data.action, data.action_slot
        data.action = None
        data.nla_tracks.new().strips.new("grip", 1, action).action_slot = slot
        bpy.context.scene.frame_set(1)

    def hips(armature):
        other = dancer.add_dancer(bpy.context, (3.0, 0.0, 0.0))
        for kind in ("COPY_LOCATION", "COPY_ROTATION"):
            constrain(armature, kind, other, ["pelvis"])

    for way in (rotations, another, arms, controls, later, hips):
        armature, said = written_after(way)
        as_it_should(armature)
        assert "new action switches them off" in said, way.__name__


def check_a_body_that_follows_another_body_names_it():
    for kind in ("COPY_ROTATION", "COPY_TRANSFORMS", "ARMATURE"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        other = dancer.add_dancer(bpy.context)
        other.name = "Leader"
        constrain(armature, kind, other)
        words = "thigh.L follows thigh.L of 'Leader' by a constraint, so keys on it would not show. Choose 'Leader'"
        raises(UserError, words, write, armature)
        assert armature.animation_data is None and not bpy.data.actions
        if kind != "ARMATURE":  # which adds what the bones above do
            write(other)
            as_it_should(armature)


def check_what_is_hidden():
    def in_a_collection(armature):
        collection = bpy.data.collections.new("cast")
        bpy.context.scene.collection.children.link(collection)
        for ob in (armature, *armature.children):
            for old in list(ob.users_collection):
                old.objects.unlink(ob)
            collection.objects.link(ob)
        return bpy.context.view_layer.layer_collection.children["cast"]

    def excluded(armature):
        """From the view layer that is shown, not from the other one."""
        in_a_collection(armature).exclude = True
        bpy.context.scene.view_layers.new("another").layer_collection.children["cast"].exclude = False

    def eye(armature):
        in_a_collection(armature).hide_viewport = True

    def disabled(armature):
        armature.hide_viewport = armature.children[0].hide_viewport = True

    def bones_alone(armature):
        armature.hide_set(True)

    for way, words in (
        (excluded, "its collection is excluded from the view layer 'ViewLayer'"),
        (eye, "it or its collection is hidden"),
        (disabled, "it is disabled in viewports"),
        (bones_alone, ""),
    ):
        _, said = written_after(way)
        assert said.startswith("'Dancer' cannot be seen: " + words) if words else not said, (way.__name__, said)


def check_scales_that_bend_a_dance():
    for scale, words in (
        ((-1, 1, 1), "negative scale: the dance is mirrored"),
        ((1, 2, 1), "scaled unevenly: the dance is distorted"),
        ((3, 3, 3), ""),
    ):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        armature.scale = scale
        bpy.context.view_layer.update()
        _, said = write(armature)
        assert words in said if words else not said, said


def check_bones_that_inherit_no_rotation():
    armature = dancer.add_dancer(bpy.context)
    for bone in ("head", "upper_arm.L", "thigh.R", "spine2"):
        armature.data.bones[bone].use_inherit_rotation = False
    assert write(armature)[1] == ""
    as_it_should(armature)


def check_looking_changes_nothing():
    """The scene's frame, its scenes and the poses of other objects are as before."""
    armature = dancer.add_dancer(bpy.context)
    other = dancer.add_dancer(bpy.context, (2.0, 0.0, 0.0))
    other.pose.bones["hand.L"].rotation_quaternion = (0.6, 0.8, 0.0, 0.0)
    bpy.context.scene.frame_set(17, subframe=0.25)
    write(armature)
    scene = bpy.context.scene
    assert (scene.frame_current, scene.frame_subframe, len(bpy.data.scenes)) == (17, 0.25, 1)
    assert np.isclose(other.pose.bones["hand.L"].rotation_quaternion[1], 0.8)
    assert off(armature) < 0.3
