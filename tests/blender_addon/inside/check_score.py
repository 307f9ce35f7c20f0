"""Music for an animated rig and duets, with an engine that does what it is told: what is asked, where the results go,
and mishaps, which end with a clear word, nothing written, and ready for the next."""

import json
import os
import resource
import shutil
import signal
from pathlib import Path

import bpy
import numpy as np
from scenes import FOLDER, addon, fingerprint, finish, noise, raises, unchanged

session, score, duet = addon("session"), addon("operators.score"), addon("operators.duet")
actions, dancer, reading = addon("scene.actions"), addon("scene.dancer"), addon("scene.reading")
strips, versions = addon("scene.strips"), addon("scene.versions")
styles, quat = addon("styles"), addon("shared").quaternion
JobState, UserError = addon("engine.job").JobState, addon("errors").UserError
DANCE = FOLDER / "dance.npz"
FRAMES = 60
READING = "Reading the animation"


def stage(how="well", saved="", fps=24.0, first=1):
    """A dancer who dances for 60 frames, in a scene of as many. saved: the .blend's name, unsaved when empty."""
    (FOLDER / "how").write_text(how)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
    scene.frame_start, scene.frame_end = first, first + FRAMES - 1
    armature = dancer.add_dancer(bpy.context)
    actions.write_dance(DANCE, armature, first)
    if saved:
        folder = FOLDER / saved
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{saved}.blend"))
        armature = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE")
    return armature


def asked() -> dict:
    return json.loads((FOLDER / "asked.json").read_text())


def music() -> list:
    return strips.sound_strips(bpy.context.scene)


def run_until(stage: str) -> None:
    """The job is in the middle of this stage."""
    while session.state.job.stage != stage or session.state.job.fraction == 0.0:
        session.poll()


def files(saved: str) -> list[str]:
    return sorted(path.name for path in (FOLDER / saved).iterdir())


def nothing_left(before):
    assert not session.busy() and session.state.folder == ""
    unchanged(before)


def check_music_for_a_dance():
    armature = stage(saved="score", fps=30 / 1.001)
    scene = bpy.context.scene
    scene.frame_set(20)
    scene.footlight.seed = 7
    before = fingerprint()
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}
    wanted = {"op": "score", "seed": 7, "steps": None, "guidance": None, "style": None}
    assert {key: asked()[key] for key in wanted} == wanted
    motion = np.load(FOLDER / "asked.npz")
    written = np.load(DANCE)
    np.testing.assert_allclose(motion["root"], written["root"], atol=2e-5)
    np.testing.assert_allclose(np.abs(np.sum(motion["rotations"] * written["rotations"], axis=-1)), 1.0, atol=2e-5)
    assert abs(float(motion["fps"]) - 30 / 1.001) < 1e-5
    (strip,) = music()
    assert versions.handles(strip) == (1, 61) and strip.sound.filepath == "//score_music_7.wav"
    assert strip["footlight_seed"] == 7 and strip["footlight_tempo"] == 120.0 and strip["footlight_beat_score"] == 0.5
    assert files("score") == ["score.blend", "score_music_7.wav"] and session.state.warning == ""
    assert armature.animation_data.action.name == "Dance"
    now = fingerprint()
    assert {key for key in now if now[key] != before.get(key)} == {"sounds", "strips"}
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}
    assert files("score") == ["score.blend", "score_music_7.wav", "score_music_7_2.wav"]
    assert sorted(strip.channel for strip in music()) == [1, 2], "both are heard from the same frame"


def check_an_unsaved_file_gets_its_music_with_a_warning():
    stage()
    bpy.context.preferences.filepaths.temporary_directory = str(FOLDER)
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}
    (strip,) = music()
    path = Path(bpy.path.abspath(strip.sound.filepath))
    assert path.is_file() and path.parent == FOLDER and path.name.startswith("untitled_music_0")
    assert "temporary folder" in session.state.warning


def check_the_actions_range_before_zero():
    stage(first=-40)
    scene = bpy.context.scene
    strips.add_song(scene, noise(3.0, "there"), -50)
    scene.footlight.score_range = "ACTION"
    scene.footlight.markers = True
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}
    strip = music()[1]
    assert versions.handles(strip) == (-40, 20) and strip.channel == 2
    assert [marker.frame for marker in scene.timeline_markers] == [-28, -16]


def check_a_duet():
    armature = stage(saved="duet", fps=25.0, first=101)
    old = armature.animation_data.action
    scene = bpy.context.scene
    scene.frame_set(120)
    scene.footlight.duet_seconds, scene.footlight.seed, scene.footlight.beat_snap = 5.0, 3, 0.5
    before = fingerprint()
    assert bpy.ops.footlight.generate_duet() == {"FINISHED"}
    wanted = {"op": "duet", "seconds": 5.0, "fps": 25.0, "seed": 3, "beat_snap": 0.5, "style": None}
    assert {key: asked()[key] for key in wanted} == wanted
    action = armature.animation_data.action
    assert action != old and old.use_fake_user and tuple(action.frame_range) == (101, 160)
    (strip,) = music()
    assert versions.handles(strip) == (101, 226) and strip.sound.filepath == "//duet_music_3.wav"
    assert action.name == "Dance and Music - seed 3" and action["footlight_beat_score"] == 0.5
    now = fingerprint()
    assert {key for key in now if now[key] != before.get(key)} <= {"sounds", "strips", "actions", "objects"}


def check_styles():
    stage()
    settings = bpy.context.scene.footlight
    known = addon("model").facts(addon("environment").model_folder()).styles
    assert {"salsa", "pop"} <= set(known)
    assert settings.style == settings.style_second == "OWN"
    for first, second, mix, text in (
        ("OWN", "pop", 0.5, None),
        ("salsa", "OWN", 0.5, "salsa"),
        ("salsa", "salsa", 0.5, "salsa"),
        ("salsa", "pop", 0.3, "salsa:0.7,pop:0.3"),
        ("salsa", "pop", 0.0, "salsa"),
        ("salsa", "pop", 1.0, "pop"),
    ):
        settings.style, settings.style_second, settings.style_mix = first, second, mix
        assert bpy.ops.footlight.score_motion() == {"FINISHED"}
        assert asked()["style"] == text, (first, second, mix, asked()["style"])
    bpy.ops.footlight.generate_duet()
    assert asked()["style"] == "pop"
    strips.add_song(bpy.context.scene, noise(3.0, "well"), 1)
    settings.strip = music()[-1].name
    bpy.ops.footlight.generate_dance()
    assert asked()["op"] == "dance" and asked()["style"] == "pop"


def check_styles_of_another_model():
    """The same style by another number, one that is gone, and a folder that holds no model."""
    stage()
    settings = bpy.context.scene.footlight
    settings.style, settings.style_second = "salsa", "pop"
    other = FOLDER / "other model"
    other.mkdir(exist_ok=True)
    (other / "config.json").write_text(json.dumps({"config": {"styles": ["waltz", "läuft", "salsa"]}}))
    preferences = bpy.context.preferences.addons[addon("names").PACKAGE].preferences
    preferences.model_folder = str(other)
    try:
        assert (settings.style, settings.style_second) == ("salsa", "OWN")
        assert bpy.ops.footlight.score_motion() == {"FINISHED"} and asked()["style"] == "salsa"
        settings.style = "läuft"
        assert settings.style == "läuft"
        (other / "config.json").write_text("no model")
        os.utime(other / "config.json", (1, 1))
        assert settings.style == "OWN"
        assert bpy.ops.footlight.score_motion() == {"FINISHED"} and asked()["style"] is None
    finally:
        preferences.model_folder = ""
    assert settings.style == "OWN", "a style that is in no model any more"


def check_what_is_missing_before():
    context, scene = bpy.context, bpy.context.scene
    raises(UserError, "no dancer", score.start, context)
    armature = stage()
    before = fingerprint()
    scene.footlight.score_range = "SCENE"
    scene.frame_end = scene.frame_start
    raises(UserError, "0.042 s", score.start, context)
    scene.frame_end = scene.frame_start + 22
    raises(UserError, "music needs 1 s", score.start, context)
    scene.frame_end = FRAMES
    armature.animation_data.action = None
    scene.footlight.score_range = "ACTION"
    raises(UserError, "no action and no NLA strip", score.start, context)
    scene.footlight.score_range = "SCENE"
    score.start(context)
    assert finish() is JobState.FAILED and "does not move" in session.state.error and session.state.log == ""
    nothing_left(before | {"objects": fingerprint()["objects"]})
    bpy.ops.object.mode_set(mode="EDIT")
    raises(UserError, "Edit Mode", score.start, context)


def check_a_folder_that_cannot_be_written():
    stage(saved="gone")
    shutil.rmtree(FOLDER / "gone")
    before = fingerprint()
    for start in (score.start, duet.start):
        raises(UserError, "cannot be written", start, bpy.context)
    unchanged(before)


def check_a_disk_that_is_full_when_the_music_comes():
    for start in (score.start, duet.start):
        bpy.ops.wm.read_homefile(use_empty=True)
        stage("slow", saved="full")
        before = fingerprint()
        start(bpy.context)
        run_until("at work")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # no file of this process may be larger
        try:
            state = finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert state is JobState.FAILED and "cannot be written" in session.state.error
        assert files("full") == ["full.blend"]
        nothing_left(before)


def check_an_engine_that_fails():
    for how, words in (("die", "out of memory"), ("refuse", "silent")):
        for operator in (bpy.ops.footlight.score_motion, bpy.ops.footlight.generate_duet):
            bpy.ops.wm.read_homefile(use_empty=True)
            stage(how, saved="failing")
            before = fingerprint()
            raises(RuntimeError, words, operator)
            assert files("failing") == ["failing.blend"]
            nothing_left(before)


def check_a_result_that_is_no_dance():
    """The music of a duet that cannot be danced is taken back."""
    stage(saved="broken")
    before = fingerprint()
    kept = DANCE.read_bytes()
    DANCE.write_bytes(kept[:-100])
    try:
        raises(RuntimeError, "cannot be read", bpy.ops.footlight.generate_duet)
    finally:
        DANCE.write_bytes(kept)
    before.setdefault("strips", [])
    nothing_left(before)
    assert files("broken") == ["broken.blend"]


def check_cancel():
    reading.SLICE, kept = 0.0, reading.SLICE
    try:
        stage("wait")
        before = fingerprint()
        for until in (READING, "at work"):
            score.start(bpy.context)
            run_until(until)
            assert not bpy.ops.footlight.score_motion.poll() and not bpy.ops.footlight.generate_duet.poll()
            assert bpy.ops.footlight.cancel() == {"FINISHED"}
            assert finish() is JobState.CANCELLED and session.state.message == "Cancelled."
            nothing_left(before)
    finally:
        reading.SLICE = kept
    (FOLDER / "how").write_text("well")
    assert bpy.ops.footlight.score_motion() == {"FINISHED"}


def check_what_is_deleted_meanwhile():
    """While the animation is read, and while the music is made."""

    def armature(context, armature):
        bpy.data.objects.remove(armature)

    def scene(context, armature):
        context.window.scene = bpy.data.scenes.new("other")
        bpy.data.scenes.remove(bpy.data.scenes["Scene"])

    def rate(context, armature):
        context.scene.render.fps = 50

    words = {armature: "'Dancer' was deleted", scene: "scene was deleted", rate: "frame rate was changed"}
    reading.SLICE, kept = 0.0, reading.SLICE
    try:
        for change, word in words.items():
            for start, until in (
                (score.start, READING),
                (score.start, "at work"),
                (duet.start, "at work"),
            ):
                bpy.ops.wm.read_homefile(use_empty=True)
                here = stage("slow")
                start(bpy.context)
                run_until(until)
                change(bpy.context, here)
                before = fingerprint()
                assert finish() is JobState.FAILED, (change.__name__, until)
                assert word in session.state.error, session.state.error
                nothing_left(before)
    finally:
        reading.SLICE = kept


def check_another_file_is_opened_meanwhile():
    stage("wait", saved="opened")
    score.start(bpy.context)
    session.poll()
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "opened" / "opened.blend"))
    assert not session.busy() and "another file was opened" in session.state.message
