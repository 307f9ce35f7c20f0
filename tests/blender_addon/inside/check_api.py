"""Scripts: dances, music, duets and beats without an operator and without the session of a window."""

import contextlib
import json
import tempfile
from pathlib import Path

import bpy
from scenes import FOLDER, addon, fingerprint, noise, raises, unchanged

api = {name: addon(f"api.{name}") for name in ("dance", "score", "duet", "beats", "worker")}
actions, dancer, strips = addon("scene.actions"), addon("scene.dancer"), addon("scene.strips")
session, versions = addon("session"), addon("scene.versions")
UserError, FootlightError = addon("errors").UserError, addon("shared").FootlightError


def stage(how="well"):
    """A scene of 60 frames from 11 on with a dancer who stands still."""
    (FOLDER / "how").write_text(how)
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start, scene.frame_end = 24, 11, 70
    return scene, dancer.add_dancer(bpy.context)


@contextlib.contextmanager
def working():
    """An engine and a folder, as a script has them. Nothing of a session is there at the end."""
    with api["worker"].engine() as engine, tempfile.TemporaryDirectory() as folder:
        yield engine, folder
    assert not engine.alive
    assert session.state.engine is None and not session.busy() and not session.state.folder


def asked() -> dict:
    return json.loads((FOLDER / "asked.json").read_text())


def check_a_dance_to_a_file():
    scene, armature = stage()
    seen = []
    with working() as (engine, folder):
        song = strips.whole_file(noise(3.0, "well"), 31, seconds=2.0)
        target, request = api["dance"].request(
            scene, armature, song, folder, seed=5, beat_snap=0.5, moves="AABB", markers=True
        )
        answer = api["worker"].answer(engine, request, lambda stage, fraction: seen.append((stage, fraction)))
        written = api["dance"].write(target, answer)
    wanted = {"op": "dance", "start": 0.0, "seconds": 2.0, "fps": 24.0, "seed": 5, "beat_snap": 0.5, "moves": "AABB"}
    assert {key: asked()[key] for key in wanted} == wanted and Path(asked()["song"]) == FOLDER / "well.wav"
    action = armature.animation_data.action
    assert written.action == action and tuple(action.frame_range) == (31, 90) and written.warning == ""
    assert action["footlight_song"] == "well" and action.name == "well - seed 5"
    again = api["dance"].again(action, song)[1]
    assert action["footlight_moves"] == again["moves"] == "AABB"
    assert written.message.startswith("well - seed 5: on the beat: Good (0.50)")
    assert [marker.frame for marker in scene.timeline_markers] == [43, 55]
    assert seen[0] == ("Starting the engine", 0.0)


def check_a_dance_for_a_scene_that_is_not_shown():
    scene, armature = stage()
    bpy.context.window.scene = bpy.data.scenes.new("another")
    strip = strips.add_song(scene, noise(3.0, "well"), 11)
    with working() as (engine, folder):
        song = strips.excerpt(scene, strip, folder)
        target, request = api["dance"].request(scene, armature, song, folder)
        api["dance"].write(target, api["worker"].answer(engine, request))
    assert tuple(armature.animation_data.action.frame_range) == (11, 70)
    assert bpy.context.scene.name == "another"


def check_music():
    scene, armature = stage()
    actions.write_dance(FOLDER / "dance.npz", armature, 11)
    bpy.context.preferences.filepaths.temporary_directory = str(FOLDER)
    with working() as (engine, folder):
        named = FOLDER / "named.wav"
        for music_file, frames, heard in ((named, (21, 70), (21, 71)), (None, None, (11, 71))):
            target, reading = api["score"].request(
                scene, armature, folder, frames=frames, music_file=music_file, seed=7, style="salsa"
            )
            written = api["score"].write(target, api["worker"].answer(engine, reading))
            assert (asked()["op"], asked()["seed"], asked()["style"]) == ("score", 7, "salsa")
            assert versions.handles(written.strip) == heard
            path = Path(bpy.path.abspath(written.strip.sound.filepath))
            assert path.is_file() and path.parent == FOLDER
            assert path == named if music_file else path.name.startswith("untitled_music_7")
            assert ("temporary folder" in written.warning) == (music_file is None)


def check_music_does_not_play_over_a_song_and_its_dance_brings_the_song_back():
    """What was muted is said; what does not play at the same time stays as it is."""
    scene, armature = stage()
    song, later = strips.add_song(scene, noise(3.0, "well"), 11), strips.add_song(scene, noise(2.0, "later"), 900)

    def muted():
        return {strip.name for strip in strips.sound_strips(scene) if strip.mute}

    with working() as (engine, folder):
        target, request = api["duet"].request(scene, armature, folder, 5.0, music_file=FOLDER / "pair.wav", seed=3)
        written = api["duet"].write(target, api["worker"].answer(engine, request))
        assert muted() == {"well"} and "'well' is muted." in written.message
        target, reading = api["score"].request(scene, armature, folder, music_file=FOLDER / "named.wav")
        second = api["score"].write(target, api["worker"].answer(engine, reading))
        assert muted() == {"well", written.strip.name} and f"{written.strip.name!r} is muted." in second.message
        later.name, later.select = "own", False
        later["footlight_seed"] = 1
        heard = addon("scene.songs").choose(scene)
        assert heard == song, "music by Footlight is no song, and what it muted still is one"
        target, request = api["dance"].request(scene, armature, strips.excerpt(scene, heard, folder), folder)
        third = api["dance"].write(target, api["worker"].answer(engine, request))
    assert muted() == {written.strip.name, second.strip.name} and not later.mute
    assert "'well' is heard again." in third.message and third.warning == ""


def check_a_duet_and_its_beats():
    scene, armature = stage()
    named = FOLDER / "pair.wav"
    with working() as (engine, folder):
        target, request = api["duet"].request(scene, armature, folder, 5.0, music_file=named, seed=3)
        written = api["duet"].write(target, api["worker"].answer(engine, request))
        assert (asked()["seconds"], asked()["fps"], asked()["seed"]) == (5.0, 24.0, 3)
        assert armature.animation_data.action == written.action and written.action.name == "Dance and Music - seed 3"
        assert versions.handles(written.strip) == (11, 131) and named.is_file()
        target, request = api["beats"].request(scene, strips.whole_file(noise(3.0, "well"), 11))
        assert api["beats"].write(target, api["worker"].answer(engine, request)).message == "2 beats, 120 bpm"
    assert [marker.frame for marker in scene.timeline_markers] == [23, 35]


def check_what_goes_wrong():
    scene, armature = stage("refuse")
    before = fingerprint()
    song = strips.whole_file(noise(3.0, "refuse"), 11)
    other = bpy.data.scenes.new("another")
    other.render.fps = 50
    with working() as (engine, folder):
        raises(UserError, "another frame rate", lambda: api["dance"].request(
            scene, armature, song, folder, sequencer=other))  # fmt: skip
        raises(UserError, "not an armature", api["dance"].request, scene, armature.children[0], song, folder)
        raises(UserError, "music needs", lambda: api["score"].request(scene, armature, folder, frames=(1, 2)))
        raises(FootlightError, "expected 0 to 1", lambda: api["dance"].request(
            scene, armature, song, folder, beat_snap=2.0))  # fmt: skip
        raises(FootlightError, "1 to 16 letters", lambda: api["dance"].request(
            scene, armature, song, folder, moves="A-B"))  # fmt: skip
        raises(FootlightError, "in free form nothing is", lambda: api["dance"].request(
            scene, armature, song, folder, moves="AB", free_form=True))  # fmt: skip
        _, reading = api["score"].request(scene, armature, folder)
        raises(UserError, "does not move", api["worker"].answer, engine, reading)
        target, request = api["dance"].request(scene, armature, song, folder)
        raises(UserError, "the song is silent", api["worker"].answer, engine, request)
        song = strips.whole_file(noise(3.0, "well"), 11)
        target, request = api["dance"].request(scene, armature, song, folder)
        answer = api["worker"].answer(engine, request)
        scene.render.fps = 25
        raises(UserError, "frame rate was changed", api["dance"].write, target, answer)
        scene.render.fps = 24
    bpy.data.scenes.remove(other)
    unchanged(before)


def check_a_script_that_runs_beside_a_session():
    """A script does not touch the engine that the panel keeps warm."""
    scene, armature = stage()
    strips.add_song(scene, noise(3.0, "well"), 11)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    warm = session.state.engine
    song = strips.whole_file(noise(3.0, "well"), 11)
    with api["worker"].engine() as engine, tempfile.TemporaryDirectory() as folder:
        target, request = api["dance"].request(scene, armature, song, folder)
        api["dance"].write(target, api["worker"].answer(engine, request))
    assert session.state.engine is warm and warm.alive
    session.free()
