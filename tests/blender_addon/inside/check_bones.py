"""The list of bones: what is found, what the user picks, and what becomes of it."""

import json
import math

import bpy
import numpy as np
from dancing import EXPECTED, FRAMES, JOINTS, OURS, about, as_it_should, dancer, places, with_root, write
from mathutils import Matrix
from scenes import FOLDER, addon, curves, raises, z_up

rigs, mapping = addon("scene.rigs"), addon("shared").mapping
UserError = addon("errors").UserError


def check_what_the_user_picks_is_danced():
    armature = dancer.add_dancer(bpy.context)
    assert rigs.bones(armature) == OURS and rigs.recognised(armature).score == 1.0
    armature.footlight_bones.head = "-"
    assert "head" not in rigs.bones(armature)
    action, _ = write(armature)
    assert not [curve for curve in curves(action) if '"head"' in curve.data_path]
    assert bpy.ops.footlight.clear_bones() == {"FINISHED"}
    assert rigs.bones(armature) == OURS
    write(armature)
    as_it_should(armature)


def check_a_wrong_choice_is_told():
    armature = dancer.add_dancer(bpy.context)
    armature.footlight_bones.left_knee = "-"
    raises(UserError, "(the list of its bones has no left shin)", rigs.check, armature)
    armature.footlight_bones.left_knee = "no such bone"
    rigs.check(armature)


def check_a_list_goes_to_another_character():
    armature = dancer.add_dancer(bpy.context)
    path = FOLDER / "list.json"
    assert bpy.ops.footlight.export_bones(filepath=str(path)) == {"FINISHED"}
    assert json.loads(path.read_text())["bones"] == {joint: OURS[joint] for joint in mapping.WORDS}
    other = dancer.add_dancer(bpy.context)
    bpy.context.scene.footlight.dancer = other
    assert bpy.ops.footlight.import_bones(filepath=str(path)) == {"FINISHED"}
    assert rigs.chosen(other) == {joint: OURS[joint] for joint in mapping.WORDS} and not rigs.chosen(armature)
    path.write_text("nothing")
    raises(RuntimeError, "list.json: this is no list of bones", bpy.ops.footlight.import_bones, filepath=str(path))


def check_it_is_kept_with_the_file():
    armature = dancer.add_dancer(bpy.context)
    armature.footlight_bones.neck = "-"
    name = armature.name
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "kept.blend"))
    assert rigs.chosen(bpy.data.objects[name]) == {"neck": "-"}


def keyed(action, path):
    found = [curve for curve in curves(action) if curve.data_path == path]
    return np.array([[key.co[1] for key in curve.keyframe_points] for curve in found])


def check_what_carries_the_dance():
    """The hips are where they are in the world, whatever carries them."""
    ways = {}
    for travel in ("HIPS", "ROOT", "OBJECT"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = dancer.add_dancer(bpy.context, (1.0, 2.0, 0.0))
        armature.rotation_euler, armature.scale = (0.0, 0.0, 0.7), (1.2, 1.2, 1.2)
        with_root(armature)
        armature.footlight_bones.travel = travel
        for generation in range(2):
            action, said = write(armature)
            assert not said, said
            bpy.context.scene.frame_set(20 + 10 * generation)
        turn = about(math.degrees(0.7))
        as_it_should(armature, turn=turn)
        bpy.context.scene.frame_set(30)
        ways[travel] = places(armature)["pelvis"]
        moved = {
            "HIPS": keyed(action, 'pose.bones["pelvis"].location'),
            "ROOT": keyed(action, 'pose.bones["root"].location'),
            "OBJECT": keyed(action, "location"),
        }
        for other, values in moved.items():
            travels = len(values) and np.ptp(values, axis=-1).max() > 0.3
            assert bool(travels) == (other == travel), (travel, other)
    for travel, place in ways.items():
        np.testing.assert_allclose(place, ways["HIPS"], atol=1e-4, err_msg=travel)


def check_what_cannot_carry_the_dance_is_told():
    armature = dancer.add_dancer(bpy.context)
    armature.footlight_bones.travel = "ROOT"
    assert "has no bone above its hips" in write(armature)[1]
    armature.footlight_bones.travel = "OBJECT"
    armature.animation_data.action = None
    armature.keyframe_insert("location", frame=1)
    assert "moves by itself" in write(armature)[1]


def check_a_pose_that_stands_for_the_rest_pose():
    """A dancer who was built bowed dances bowed, until a pose tells how it stands. Clearing takes that back."""
    armature = dancer.add_dancer(bpy.context)
    bow = Matrix.Rotation(math.radians(35.0), 4, "X")
    spine = armature.pose.bones[OURS["spine1"]]
    head = Matrix.Translation(spine.head)
    spine.matrix = head @ bow @ head.inverted() @ spine.matrix
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.armature_apply()
    bpy.ops.object.mode_set(mode="OBJECT")
    write(armature)
    bowed = leaning(armature)
    assert bowed > 15.0, bowed
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis = Matrix()
    bpy.context.view_layer.update()
    spine.matrix = head @ bow.inverted() @ head.inverted() @ spine.matrix
    bpy.context.view_layer.update()
    bpy.context.scene.footlight.dancer = armature
    assert bpy.ops.footlight.take_stance() == {"FINISHED"} and armature.footlight_bones.stance
    write(armature)
    assert (straight := leaning(armature)) < 3.0, straight
    as_it_should(armature)
    assert bpy.ops.footlight.clear_bones() == {"FINISHED"} and not armature.footlight_bones.stance


def leaning(armature):
    """The largest angle between the line from hips to neck and the dance's, degrees."""
    worst = 0.0
    for i in FRAMES:
        bpy.context.scene.frame_set(1 + i)
        now, wanted = places(armature), z_up(EXPECTED[i])
        a, b = now["neck"] - now["pelvis"], wanted[JOINTS.index("neck")] - wanted[0]
        worst = max(worst, math.degrees(math.acos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1.0, 1.0))))
    return worst
