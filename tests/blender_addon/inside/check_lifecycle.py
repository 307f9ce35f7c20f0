"""What can go wrong between the click and the keyframes: always a clear word, nothing written, and ready again."""

import json
import os

import bpy
from scenes import FOLDER, addon, fingerprint, finish, noise, raises, unchanged, wait

session, generate, settings = addon("session"), addon("operators.generate"), addon("operators.settings")
dancer, strips = addon("scene.dancer"), addon("scene.strips")
JobState = addon("engine.job").JobState
UserError = addon("errors").UserError


def stage(how: str):
    """A scene in which everything is ready; ``how`` is what the engine will do."""
    context = bpy.context
    strip = strips.add_song(context.scene, noise(3.0, how), 1)
    return context, dancer.add_dancer(context), strip


def begun(context):
    """The job after the engine's first word about it."""
    generate.start(context)
    wait(lambda: session.state.job.state is not JobState.STARTING)


def ready_again(before):
    """Nothing written, nothing running, no files left, and the next dance works."""
    assert not session.busy() and session.state.folder == ""
    if before is not None:
        unchanged(before)
    bpy.ops.wm.read_homefile(use_empty=True)
    stage("well")
    assert bpy.ops.footlight.generate_dance.poll()
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert session.state.error == ""


def check_a_dance():
    context, armature, _ = stage("well")
    armature.name = "Ada"
    generate.start(context)
    folder = session.state.folder
    assert os.path.isdir(folder)
    armature.name = "Grace"  # renaming is no reason to fail
    assert finish() is JobState.DONE
    action = armature.animation_data.action
    assert action["footlight_beat_score"] == 0.5 and action["footlight_song"] == "well"
    assert "on the beat: Good (0.50)" in session.state.message
    assert not os.path.exists(folder)


def check_a_song_that_is_moved_meanwhile_takes_its_dance_along():
    context, armature, strip = stage("slow")
    begun(context)
    strip.name = "renamed"
    addon("scene.versions").move(strip, 40)
    assert finish() is JobState.DONE
    action = armature.animation_data.action
    assert (action.frame_range[0], action.frame_range[1] - 40) == (41, 60)
    beats = addon("scene.grids").tracked(addon("scene.grids").Home(context.scene, strip))
    assert beats.times == (0.5, 1.0), "where they are in the song"
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    fps = strips.frame_rate(context.scene)
    assert [marker.frame for marker in context.scene.timeline_markers] == [round(41 + 0.5 * fps), round(41 + fps)]


def check_an_engine_that_dies():
    stage("die")
    before = fingerprint()
    try:
        bpy.ops.footlight.generate_dance()
    except RuntimeError as error:
        assert "out of memory" in str(error)
    else:
        raise AssertionError("the operator must say that it failed")
    assert "code 9" in session.state.error and os.path.isfile(session.state.log)
    ready_again(before)


def check_an_engine_that_refuses():
    context, _, _ = stage("refuse")
    before = fingerprint()
    generate.start(context)
    engine = session.state.engine
    assert finish() is JobState.FAILED
    assert session.state.error == "the song is silent" and session.state.engine is engine and engine.alive
    ready_again(before)


def check_cancel():
    for how, survives in (("wait", True), ("hang", False)):
        bpy.ops.wm.read_homefile(use_empty=True)
        context, _, _ = stage(how)
        before = fingerprint()
        begun(context)
        engine = session.state.engine
        assert bpy.ops.footlight.cancel() == {"FINISHED"}
        assert finish() is JobState.CANCELLED
        assert engine.alive == survives, how
        ready_again(before)


def check_a_second_click():
    context, _, _ = stage("wait")
    begun(context)
    job = session.state.job
    assert not bpy.ops.footlight.generate_dance.poll()
    raises(UserError, "at work", generate.start, context)
    assert session.state.job is job and os.path.isdir(session.state.folder)
    session.cancel()
    finish()


def check_what_is_deleted_meanwhile():
    def armature(context, armature, strip):
        bpy.data.objects.remove(armature)

    def strip(context, armature, strip):
        sound = strip.sound
        context.scene.sequence_editor.strips.remove(strip)
        bpy.data.sounds.remove(sound)

    def scene(context, armature, strip):
        context.window.scene = bpy.data.scenes.new("other")
        bpy.data.scenes.remove(bpy.data.scenes["Scene"])

    def rate(context, armature, strip):
        context.scene.render.fps = 50

    def bones(context, armature, strip):
        bpy.ops.object.mode_set(mode="EDIT")
        armature.data.edit_bones.remove(armature.data.edit_bones["thigh.L"])
        bpy.ops.object.mode_set(mode="OBJECT")

    words = {armature: "'Dancer' was deleted", strip: "The strip 'well' was deleted", scene: "scene was deleted",
             rate: "frame rate was changed", bones: "no left thigh"}  # fmt: skip
    for change, word in words.items():
        bpy.ops.wm.read_homefile(use_empty=True)
        things = stage("well")
        generate.start(things[0])
        change(*things)
        before = fingerprint() if change is not scene else None
        assert finish() is JobState.FAILED, change.__name__
        assert word in session.state.error, session.state.error
        ready_again(before)


def check_another_file_is_opened_meanwhile():
    context, _, _ = stage("wait")
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "first.blend"))
    begun(context)
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "first.blend"))
    assert not session.busy() and "another file was opened" in session.state.message
    ready_again(fingerprint())


def check_what_is_missing_before():
    context = bpy.context
    armature = dancer.add_dancer(context)
    raises(UserError, "no song", generate.start, context)
    strips.add_song(context.scene, noise(3.0, "well"), 1)
    assert settings.find_dancer(context) == armature
    context.view_layer.objects.active = armature.children[0]
    assert settings.find_dancer(context) == armature, "the mannequin's mesh stands for its armature"
    other = dancer.add_dancer(context)
    context.view_layer.objects.active = None
    raises(UserError, "2 dancers", generate.start, context)
    context.scene.footlight.dancer = other
    assert settings.find_dancer(context) == other
    for collection in list(other.users_collection):
        collection.objects.unlink(other)
    raises(UserError, "no longer in this scene", generate.start, context)
    assert not session.busy()


def check_add_dancer_from_any_mode():
    context = bpy.context
    context.scene.cursor.location = (1.0, 2.0, 0.0)
    bpy.ops.footlight.add_dancer()
    assert tuple(context.active_object.location) == (1.0, 2.0, 0.0)
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.footlight.add_dancer() == {"FINISHED"}
    assert context.scene.footlight.dancer == context.active_object
    assert tuple(context.active_object.location) != (1.0, 2.0, 0.0), "there stands one already"


def check_beats():
    context, _, _ = stage("well")
    context.scene.timeline_markers.new("mine", frame=3)
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    fps = strips.frame_rate(context.scene)
    assert [m.frame for m in context.scene.timeline_markers] == [3, round(1 + 0.5 * fps), round(1 + fps)]
    assert bpy.ops.footlight.remove_beats() == {"FINISHED"}
    assert [m.name for m in context.scene.timeline_markers] == ["mine"]
    context.scene.footlight.markers = True
    bpy.ops.footlight.generate_dance()
    assert len(context.scene.timeline_markers) == 3


def check_the_engine_ends():
    stage("well")
    bpy.ops.footlight.generate_dance()
    engine = session.state.engine
    assert engine.alive
    assert bpy.ops.footlight.free_memory() == {"FINISHED"}
    assert not engine.alive and not bpy.ops.footlight.free_memory.poll()
    bpy.ops.footlight.generate_dance()
    warm = session.state.engine
    bpy.ops.footlight.generate_dance()
    assert session.state.engine is warm, "the same engine serves the next dance"
    addon("registration").unregister()
    assert not warm.alive and not hasattr(bpy.types.Scene, "footlight")
    addon("registration").register()
    assert not session.busy()


def check_installing_asks_for_online_access():
    try:
        bpy.ops.footlight.install_engine()
    except RuntimeError as error:
        assert "Allow Online Access" in str(error)
    else:
        raise AssertionError("Blender is offline here")
    assert not session.busy()


def check_light_that_is_not_made():
    """Cancelled while the dance is read and while the engine works, refused, or for what is gone meanwhile."""
    light, reading = addon("operators.light"), addon("scene.reading")
    reading.SLICE, kept = 0.0, reading.SLICE

    def lit(how, until):
        bpy.ops.wm.read_homefile(use_empty=True)
        context, armature, strip = stage(how)
        addon("scene.actions").write_dance(FOLDER / "dance.npz", armature, 1)
        before = fingerprint()
        light.start(context)
        wait(lambda: session.state.job.stage == until and session.state.job.fraction > 0)
        return armature, strip, before

    try:
        for until in ("Reading the animation", "at work"):
            *_, before = lit("wait", until)
            assert bpy.ops.footlight.cancel() == {"FINISHED"} and finish() is JobState.CANCELLED
            unchanged(before)
        for how, words in (("die", "out of memory"), ("refuse", "the song is silent")):
            *_, before = lit(how, "Reading the animation")
            assert finish() is JobState.FAILED and words in session.state.error
            unchanged(before)
        armature, *_ = lit("slow", "at work")
        bpy.data.objects.remove(armature)
        assert finish() is JobState.FAILED and "'Dancer' was deleted while its light" in session.state.error
        _, strip, _ = lit("slow", "at work")
        strips.remove_song(bpy.context.scene, strip)
        assert finish() is JobState.FAILED and "strip 'slow' was deleted while its light" in session.state.error
    finally:
        reading.SLICE = kept
    assert not bpy.data.lights
    ready_again(None)


def check_a_dance_with_light_that_is_not_made():
    """Cancelled, refused, or for what is gone meanwhile: neither of the two is there, and the stage before stays."""
    theatre, light = addon("operators.theatre"), addon("api.light")

    def begun(how):
        bpy.ops.wm.read_homefile(use_empty=True)
        context, armature, strip = stage(how)
        bpy.ops.footlight.add_stage()
        before = fingerprint()
        theatre.start(context)
        assert session.state.about == "footlight.generate_theatre"
        if how in ("wait", "slow"):
            wait(lambda: session.state.job.stage == "at work" and session.state.job.fraction > 0)
            assert session.progress()[0].startswith("at work") and "%" in session.progress()[0]
        return armature, strip, before

    *_, before = begun("wait")
    assert bpy.ops.footlight.cancel() == {"FINISHED"} and finish() is JobState.CANCELLED
    unchanged(before)
    for how, words in (("die", "out of memory"), ("refuse", "the song is silent"), ("dark", "SHOW.json")):
        *_, before = begun(how)  # of which the last one leaves no light where it says
        assert finish() is JobState.FAILED and words in session.state.error, session.state.error
        unchanged(before)
    armature, *_ = begun("slow")
    bpy.data.objects.remove(armature)
    assert finish() is JobState.FAILED and "'Dancer' was deleted while its dance" in session.state.error
    _, strip, _ = begun("slow")
    strips.remove_song(bpy.context.scene, strip)
    assert finish() is JobState.FAILED and "strip 'slow' was deleted while its dance" in session.state.error
    assert light.of(bpy.context.scene) is None
    ready_again(None)


def check_what_is_asked_for_a_dance_with_light():
    """The part of the song that is heard, the scene's rate, corrected beats, and what the panel says."""
    context, _, strip = stage("dark")
    scene, settings = context.scene, context.scene.footlight
    scene.render.fps = 24
    addon("scene.versions").set_end(strip, 1 + 2 * 24)
    settings.seed, settings.style, settings.beat_snap, settings.follow = 5, "salsa", 0.5, 1.0
    settings.light.together.look, settings.light.accent, settings.free_form = "neon", "arrive", True
    grid = addon("shared").beat_grid.Grid.of([0.5, 1.0, 1.5], [True, False, False])
    addon("scene.grids").correct(addon("scene.grids").Home(scene, strip), grid)
    (FOLDER / "asked_beats.json").unlink(missing_ok=True)
    raises(RuntimeError, "SHOW.json", bpy.ops.footlight.generate_theatre)
    asked = json.loads((FOLDER / "asked.json").read_text())
    wanted = {"op": "theatre", "start": 0.0, "seconds": 2.0, "fps": 24.0, "seed": 5, "style": "salsa", "look": "neon",
              "accent": "arrive", "beat_snap": 0.5, "guidance": 1.0, "motion": None, "light": None,
              "free_form": True, "moves": None}  # fmt: skip
    assert {name: asked[name] for name in wanted} == wanted
    settings.free_form, settings.moves = False, "ABCD"
    raises(RuntimeError, "SHOW.json", bpy.ops.footlight.generate_theatre)
    asked = json.loads((FOLDER / "asked.json").read_text())
    assert (asked["free_form"], asked["moves"]) == (False, "ABCD")
    beats = json.loads((FOLDER / "asked_beats.json").read_text())["beats"]
    assert beats == [0.0, 0.5, 1.0, 1.5], "over all that is heard"
