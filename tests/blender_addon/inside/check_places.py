"""Rest poses that were turned, moved or scaled: a dance faces and stands as the rest pose does, on its floor."""

import bpy
import numpy as np
from dancing import EXPECTED, FRAMES, JOINTS, about, apply, as_it_should, away, dancer, places, write
from scenes import FOLDER, addon, raises, read, rig, turned, z_up

skeleton = addon("shared").skeleton
UserError = addon("errors").UserError
ROTATIONS, ROOT = (np.load(FOLDER / "dance.npz")[name].astype(float) for name in ("rotations", "root"))
NAMES = dict(zip(JOINTS, JOINTS, strict=True))


def in_their_places(armature, joints, atol, size=1.0):
    """The joints are where the dance has them. Bones are named as our joints are."""
    for i in FRAMES:
        bpy.context.scene.frame_set(1 + i)
        now, wanted = places(armature, NAMES), size * z_up(EXPECTED[i])
        for joint in joints:
            np.testing.assert_allclose(now[joint], wanted[JOINTS.index(joint)], atol=atol)


def check_a_rotation_that_was_applied():
    for degrees in (3, 10, 19, 35, 44, 46, 90, 135, 180, -35):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context)
        armature.rotation_euler.z = np.radians(degrees)
        apply(armature, rotation=True)
        _, said = write(armature)
        as_it_should(armature, turn=about(degrees))
        assert away(armature, (0, 0, 0), about(degrees)) < 1e-3 and not said, degrees
        np.testing.assert_allclose(read(armature, 1, len(ROOT))[1], ROOT, atol=1e-3)


def check_a_body_that_leans():
    for axis in "XY":
        for degrees in (35, -50):
            bpy.ops.wm.read_homefile(use_empty=True)
            armature = dancer.add_dancer(bpy.context)
            armature.rotation_euler["XYZ".index(axis)] = np.radians(degrees)
            apply(armature, rotation=True)
            write(armature)
            lean = about(degrees, axis)
            angles = []
            for i in range(0, len(EXPECTED), 13):
                bpy.context.scene.frame_set(1 + i)
                now, wanted = places(armature), z_up(EXPECTED[i]) @ np.array(lean).T
                for a, b in (("left_shoulder", "left_elbow"), ("right_hip", "right_knee")):
                    here, there = now[b] - now[a], wanted[JOINTS.index(b)] - wanted[JOINTS.index(a)]
                    cosine = here @ there / np.linalg.norm(here) / np.linalg.norm(there)
                    angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
            assert max(angles) < 1.0, (axis, degrees, max(angles))


def check_a_location_that_was_applied():
    armature = dancer.add_dancer(bpy.context)
    armature.location = (2.0, 3.0, 0.5)
    apply(armature, location=True)
    write(armature)
    as_it_should(armature)
    assert away(armature, (2.0, 3.0, 0.5)) < 1e-3
    np.testing.assert_allclose(read(armature, 1, len(ROOT))[1], ROOT, atol=1e-3)


def check_two_characters_do_not_land_in_each_other():
    """One was moved by its object, one by its mesh, one by both and turned."""
    middle = []
    for place, applied in (((2.0, 0.0, 0.0), False), ((-2.0, 0.0, 0.0), True), ((0.0, 3.0, 0.0), True)):
        armature = dancer.add_dancer(bpy.context, place)
        if applied:
            apply(armature, location=True, rotation=True)
        armature.rotation_euler.z = 0.0 if not applied else 0.5
        bpy.context.view_layer.update()
        write(armature)
        bpy.context.scene.frame_set(1)
        middle.append((armature, place))
    bpy.context.scene.frame_set(1)
    for armature, place in middle:
        turned = np.array(armature.matrix_world.to_3x3())
        hips = places(armature)["pelvis"] - turned @ (z_up(ROOT)[0] * (1, 1, 0)) - (0, 0, ROOT[0, 1])
        expected = turned @ np.array(place) if armature.location.length == 0 else place
        np.testing.assert_allclose(hips, expected, atol=1e-3)


def check_hips_whose_location_is_along_the_axes_of_the_armature():
    armature = rig(JOINTS, z_up(skeleton.standing()), rolled=0.3)
    for bone in armature.data.bones:
        bone.use_local_location = False
    write(armature)
    in_their_places(armature, JOINTS, atol=1e-4)


def check_data_in_other_units_than_the_scene():
    for size in (0.01, 100.0):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context, (4.0, 5.0, 0.0))
        armature.scale = (size,) * 3
        apply(armature, scale=True)
        armature.scale = (1 / size,) * 3
        bpy.context.view_layer.update()
        _, said = write(armature)
        as_it_should(armature)
        assert away(armature, (4.0, 5.0, 0.0)) < 1e-3 and not said


def check_hips_and_shoulders_that_disagree_face_along_the_axis():
    """As models do that are not exactly symmetric."""
    place = z_up(skeleton.standing())
    place[JOINTS.index("left_hip")] += (0.0, 0.03, 0.0)
    armature = rig(JOINTS, place)
    write(armature)
    as_it_should(armature, NAMES)


def check_a_bvh_of_our_own_as_blender_imports_it():
    """Its origin is in its hips: at rest its feet are below the floor, and its animation lifts them onto it."""
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    for options, size in (({"global_scale": 0.01}, 1.0), ({}, 100.0), ({"global_scale": 0.01, "frame_start": 70}, 1.0)):
        bpy.ops.wm.read_homefile(use_empty=True)
        bpy.ops.import_anim.bvh(filepath=str(FOLDER / "own.bvh"), **options)
        armature = bpy.context.active_object
        if "frame_start" not in options:
            np.testing.assert_allclose(read(armature, 1, len(ROOT))[1], ROOT, atol=2e-3)
        for _ in range(2):
            _, said = write(armature)
            as_it_should(armature, NAMES)
            assert not said
            in_their_places(armature, ("left_ankle",), 2e-3 * size, size)


def angles(rotations):
    """The largest angle between how each joint is turned and how it is in the dance, by its name, in degrees."""
    cosines = np.abs(np.sum(turned(rotations) * turned(ROTATIONS), axis=-1)).clip(0, 1)
    return dict(zip(JOINTS, np.degrees(2 * np.arccos(cosines)).max(axis=0), strict=True))


def check_captures_whose_rest_pose_is_folded():
    """What is read is the dance that the file holds, and one that is written stands and dances as a body does."""
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    for way in ("x", "y", "random"):
        bpy.ops.wm.read_homefile(use_empty=True)
        bpy.ops.import_anim.bvh(filepath=str(FOLDER / f"folded {way}.bvh"), global_scale=0.01)
        armature = bpy.context.active_object
        for _ in range(2):
            rotations, root = read(armature, 1, len(ROOT))
            off = angles(rotations)
            assert max(off[joint] for joint in ("pelvis", "spine3", "left_hip", "right_knee", "left_shoulder")) < 5.0, (
                off
            )
            np.testing.assert_allclose(root, ROOT, atol=0.04)
            _, said = write(armature)
            assert not said
            as_it_should(armature, NAMES)
            in_their_places(armature, ("left_ankle", "right_wrist", "head"), 0.06)


def imported(name):
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(FOLDER / f"{name}.bvh"), global_scale=0.01)
    return bpy.context.active_object


def check_the_animation_of_a_folded_rig_is_looked_at_once_for_a_dance():
    standing = addon("scene.standing")
    armature, looks, sampled = imported("folded random"), [], standing.staging.sampled
    standing.staging.sampled = lambda *given: looks.append(given[2]) or sampled(*given)
    try:
        write(armature)
    finally:
        standing.staging.sampled = sampled
    assert looks.count(standing.SAMPLES) == 1


def check_bones_between_those_of_the_body_are_posed_too():
    """As between the hips of CMU's skeleton: at rest they lie anywhere, and so would what hangs on them."""
    armature = imported("folded between")
    assert len(armature.data.bones) > len(JOINTS)
    for _ in range(2):
        _, said = write(armature)
        as_it_should(armature, NAMES)
        assert not said
        in_their_places(armature, ("left_hip", "right_ankle", "left_shoulder", "right_wrist", "head"), 0.06)


def check_a_dance_on_a_folded_rest_pose_is_read_as_it_was_written():
    """However often it was written: the T-pose stays with the action."""
    armature = imported("folded random")
    for _ in range(3):
        action, _ = write(armature)
        assert "footlight_t_pose" in action
        rotations, root = read(armature, 1, len(ROOT))
        assert max(angles(rotations).values()) < 0.5
        np.testing.assert_allclose(root, ROOT, atol=2e-3)


def check_sides_that_cannot_be_told():
    """Bones whose names say nothing, in a folded rest pose: the dance is right, or nothing is written."""
    names = {JOINTS[joint]: f"j{index}" for index, joint in enumerate(skeleton.BODY.depth_first())}
    refused = 0
    for seed in range(8):
        armature = imported(f"folded nameless {seed}")
        before = armature.animation_data.action
        try:
            write(armature)
        except UserError as error:
            assert "Left and right of" in str(error) and armature.animation_data.action == before
            refused += 1
            continue
        as_it_should(armature, names)
    assert 0 < refused < 8, refused


def check_a_folded_rest_pose_without_animation():
    """It is refused, unless the rig is posed as a body that stands: then that pose counts."""
    armature = imported("folded x")
    bpy.context.scene.frame_set(1)
    posed = {bone.name: bone.matrix_basis.copy() for bone in armature.pose.bones}
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    words = "The rest pose of 'folded x' is folded, and no animation tells how it stands. Pose it as a T"
    raises(UserError, words, write, armature)
    assert armature.animation_data is None
    for bone in armature.pose.bones:
        bone.matrix_basis = posed[bone.name]
    bpy.context.view_layer.update()
    _, said = write(armature)
    assert "no body that stands" not in said
    as_it_should(armature, NAMES)


def check_a_rig_with_its_origin_in_its_hips_and_no_animation():
    """It stands on the floor under the feet of its rest pose, also where its object was lifted onto the world's."""
    for lift in (0.0, 0.95):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = rig(JOINTS, z_up(skeleton.standing()) - (0.0, 0.0, 0.95))
        armature.location.z = lift
        bpy.context.view_layer.update()
        write(armature)
        bpy.context.scene.frame_set(20)
        pelvis = places(armature, {"pelvis": "pelvis"})["pelvis"]
        np.testing.assert_allclose(pelvis, z_up(ROOT)[19] + (0.0, 0.0, lift - 0.95), atol=1e-3)
