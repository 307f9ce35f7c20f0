"""The first seconds of a dance on the dancer while the rest is made: they leave nothing behind, and the dance is what
it would be without them."""

import bpy
import dump
import numpy as np
from recorder import shown
from scenes import FOLDER, addon, curves, fingerprint, finish, noise, unchanged, wait

session, generate, playing = addon("session"), addon("operators.generate"), addon("scene.playing")
dancer, strips, takes, card = addon("scene.dancer"), addon("scene.strips"), addon("scene.takes"), addon("api.card")
theatre, light = addon("operators.theatre"), addon("api.light")
JobState = addon("engine.job").JobState


def stage(how="early", with_dancer=True):
    """A song, and an engine that hands on the first half of a dance before the rest."""
    (FOLDER / "go").unlink(missing_ok=True)
    strips.add_song(bpy.context.scene, noise(3.0, how), 1)
    armature = dancer.add_dancer(bpy.context) if with_dancer else None
    bpy.context.view_layer.update()
    return armature


def begun():
    """Until the first half is on the dancer."""
    generate.start(bpy.context, watched=True)
    wait(lambda: early() is not None)


def early():
    return next((action for action in bpy.data.actions if "footlight_unfinished" in action), None)


def go_on():
    (FOLDER / "go").touch()
    return finish()


def values(action):
    """Everything that an action animates."""
    return {
        (curve.data_path, curve.array_index): [tuple(point.co) for point in curve.keyframe_points]
        for curve in curves(action)
    }


def kept(action):
    """The properties of an action, as copies that outlive the file."""
    return {name: value.to_list() if hasattr(value, "to_list") else value for name, value in action.items()}


def pose(armature):
    bpy.context.view_layer.update()
    return np.array([bone.matrix_basis for bone in armature.pose.bones])


def check_the_first_half_is_danced_and_then_the_whole_as_it_would_be_without():
    armature = stage()
    generate.start(bpy.context)
    assert finish() is JobState.DONE
    plain = armature.animation_data.action
    name, expected, about = plain.name, values(plain), kept(plain)
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = stage()
    begun()
    first = armature.animation_data.action
    assert first == early() and tuple(first.frame_range) == (1, 30) and armature.animation_data.action_slot
    shown = card.of(first)
    assert shown.unfinished, shown
    assert shown.length == "1.2 s" and "pop" in shown.style.lower() and not shown.beat, shown
    for path, points in values(first).items():
        assert points in (expected[path][:30], expected[path]), path
    assert go_on() is JobState.DONE
    assert early() is None and len(bpy.data.actions) == 1
    whole = armature.animation_data.action
    assert whole.name == name and values(whole) == expected
    now = kept(whole)
    for key in ("footlight_made", "footlight_dancer_id"):
        del now[key], about[key]
    assert now == about and takes.of(armature) == [whole] and not card.of(whole).unfinished


def check_a_cancel_a_refusal_and_a_death_leave_nothing():
    for how in ("early wait", "early refuse", "early die"):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature = stage(how)
        own = bpy.data.actions.new("own")
        armature.animation_data_create().action = own
        bone = armature.pose.bones[5]
        bone.rotation_mode, bone.rotation_euler = "XYZ", (0.1, 0.2, 0.3)
        before, posed = fingerprint(), pose(armature)
        begun()
        bpy.context.scene.frame_set(20)
        assert abs(pose(armature) - posed).max() > 0.1
        armature.location.x = 5.0  # by the user, meanwhile
        bpy.context.scene.frame_set(before["range"][2])
        (FOLDER / "go").touch()
        if how == "early wait":
            session.cancel()
        assert finish() is (JobState.CANCELLED if how == "early wait" else JobState.FAILED)
        assert armature.animation_data.action == own and not own.use_fake_user
        assert abs(pose(armature) - posed).max() < 1e-6 and armature.location.x == 5.0
        armature.location.x = 0.0
        bpy.context.view_layer.update()
        unchanged(before)


def check_a_dancer_that_was_added_stays_for_the_whole_and_goes_with_a_cancel():
    stage(with_dancer=False)
    begun()
    added = bpy.context.scene.footlight.dancer
    assert added is not None and added.animation_data.action == early()
    added.name = "Ada"
    assert go_on() is JobState.DONE
    assert bpy.context.scene.footlight.dancer == added and dancer.dancers(bpy.context.scene) == [added]
    assert "'Ada' was added to dance it" in session.state.message and early() is None
    bpy.ops.wm.read_homefile(use_empty=True)
    stage("early wait", with_dancer=False)
    before = fingerprint()
    begun()
    session.cancel()
    (FOLDER / "go").touch()
    assert finish() is JobState.CANCELLED
    unchanged(before)


def check_what_is_taken_off_by_an_undo_does_not_come_again_and_the_whole_does():
    """Blender calls the handler before it takes a step; the window's test takes real steps."""
    for with_dancer in (True, False):
        bpy.ops.wm.read_homefile(use_empty=True)
        stage(with_dancer=with_dancer)
        begun()
        session._before_step()
        assert early() is None and len(dancer.dancers(bpy.context.scene)) == with_dancer
        assert go_on() is JobState.DONE
        (armature,) = dancer.dancers(bpy.context.scene)
        assert tuple(armature.animation_data.action.frame_range) == (1, 60)


def check_the_user_may_delete_what_is_there_so_far():
    armature = stage()
    begun()
    bpy.data.actions.remove(early())
    assert go_on() is JobState.DONE and tuple(armature.animation_data.action.frame_range) == (1, 60)
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = stage()
    begun()
    dancer.remove(armature)
    assert go_on() is JobState.FAILED
    assert "was deleted" in session.state.error and not len(bpy.data.actions)


def check_an_action_that_the_user_took_into_the_nla_stays():
    armature = stage("early wait")
    begun()
    track = armature.animation_data.nla_tracks.new()
    track.strips.new("first", 1, early())
    session.cancel()
    (FOLDER / "go").touch()
    assert finish() is JobState.CANCELLED
    assert early() is not None and armature.animation_data.action is None


def check_playing_goes_on_over_the_whole():
    armature = stage()
    scene = bpy.context.scene
    begun()
    playing.prepare(scene, playing.plan(scene, armature))
    assert (scene.frame_preview_start, scene.frame_preview_end) == (1, 30)
    assert go_on() is JobState.DONE
    assert scene.use_preview_range and (scene.frame_preview_start, scene.frame_preview_end) == (1, 60)


def check_another_file_and_several_takes():
    stage("early wait")
    begun()
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not session.busy() and session.state.early is None and not len(bpy.data.actions)
    stage("early")
    bpy.context.scene.footlight.takes = 2
    generate.start(bpy.context, watched=True)
    assert finish() is JobState.DONE and early() is None and len(bpy.data.actions) == 2


def lit_too():
    """Until the first half is on the dancer, of a dance with its light."""
    theatre.start(bpy.context, watched=True)
    wait(lambda: early() is not None)


def check_the_first_half_of_a_dance_has_its_light_too():
    armature, scene = stage(), bpy.context.scene
    own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
    scene.collection.objects.link(own)
    scene.camera = own
    lit_too()
    first, lamps = light.of(scene), len(bpy.data.lights)
    assert armature.animation_data.action == early() and first is not None and lamps == 21
    assert scene.camera.name == "Stage camera" and light.is_for(first, armature)
    assert armature.children[0].material_slots[0].material.name.startswith("Stage costume")
    assert first["footlight_frames"] == 30
    assert "Until then the stage is lit as before" not in [item.text for item in shown()]
    assert go_on() is JobState.DONE, session.state.error
    whole, last = armature.animation_data.action, light.of(scene)
    assert early() is None and tuple(whole.frame_range) == (1, 60) and light.is_for(last, armature)
    assert last["footlight_frames"] == 60 and len(bpy.data.lights) == lamps
    assert takes.of(armature) == [whole] and card.of(whole).strikes
    bpy.ops.footlight.remove_light()
    assert scene.camera == own and not len(bpy.data.lights)


def check_with_a_cancel_the_light_of_the_first_half_goes_too():
    for with_dancer in (True, False):
        bpy.ops.wm.read_homefile(use_empty=True)
        stage("early wait", with_dancer)
        before = dump.everything()
        lit_too()
        assert light.of(bpy.context.scene) is not None
        session.cancel()
        (FOLDER / "go").touch()
        assert finish() is JobState.CANCELLED
        bpy.context.view_layer.update()  # what Blender calculates of poses
        assert not (changed := dump.differences(before, dump.everything())), changed[:20]


def check_a_stage_that_stands_stays_until_the_dance_is_there():
    armature, scene = stage(), bpy.context.scene
    theatre.start(bpy.context)
    assert go_on() is JobState.DONE
    there, first = light.of(scene), armature.animation_data.action
    (FOLDER / "go").unlink()
    lit_too()
    assert armature.animation_data.action == early() and light.of(scene) == there
    assert "Until then the stage is lit as before" in [item.text for item in shown()]
    session.cancel()
    (FOLDER / "go").touch()
    finish()
    assert light.of(scene) == there and armature.animation_data.action == first
    (FOLDER / "go").unlink()
    lit_too()
    assert go_on() is JobState.DONE and light.is_for(light.of(scene), armature)
    assert len(bpy.data.lights) == 21 and len(takes.of(armature)) == 2
