"""The list of bones: what is found, what the user picks, and what becomes of it."""

import json

import bpy
from dancing import OURS, as_it_should, dancer, write
from scenes import FOLDER, addon, raises

rigs, mapping = addon("scene.rigs"), addon("shared").mapping
UserError = addon("errors").UserError


def check_what_the_user_picks_is_danced():
    armature = dancer.add_dancer(bpy.context)
    assert rigs.bones(armature) == OURS and rigs.recognised(armature).score == 1.0
    armature.footlight_bones.head = "-"
    assert "head" not in rigs.bones(armature)
    action, _ = write(armature)
    assert not [c for c in action.layers[0].strips[0].channelbag(action.slots[0]).fcurves if '"head"' in c.data_path]
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
