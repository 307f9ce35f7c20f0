"""The whole path with the real engine and a tiny model: nothing about how well it dances, all about where and when."""

import aud
import bpy
import numpy as np
from scenes import FOLDER, RATE, addon, curves, drums, fingerprint, finish, noise, unchanged, wait, write_wav

session, generate = addon("session"), addon("operators.generate")
dancer, strips, versions = addon("scene.dancer"), addon("scene.strips"), addon("scene.versions")
JobState, card_of = addon("engine.job").JobState, addon("api.card").of


def stage(fps=30, base=1.0, seconds=6.0, frame=1):
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    strip = strips.add_song(scene, drums(seconds), frame)
    return dancer.add_dancer(bpy.context), strip


def trim(strip, first, end):
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = first, end
    else:
        strip.frame_final_start, strip.frame_final_end = first, end


def keys(action) -> list[float]:
    curve = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves[0]
    return [point.co[0] for point in curve.keyframe_points]


def check_every_frame_rate_gets_one_key_a_frame():
    for fps, base in ((24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)):
        bpy.ops.wm.read_homefile(use_empty=True)
        armature, strip = stage(fps, base, frame=17)
        trim(strip, 30, 30 + 2 * fps)
        before = fingerprint()
        assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
        action = armature.animation_data.action
        before["actions"].add(action.name)
        unchanged(before)
        first, end = versions.handles(strip)
        found = keys(action)
        assert found[0] == first == 30
        assert found == [first + i for i in range(len(found))]
        assert abs(len(found) - (end - first)) <= 1, (fps, base, len(found), end - first)


def check_what_the_action_says_of_itself():
    armature, _ = stage()
    bpy.context.scene.footlight.seed = 11
    bpy.context.scene.footlight.style = "robot"
    bpy.ops.footlight.generate_dance()
    action = armature.animation_data.action
    assert action.name == "drums - Robot - seed 11" and action.use_fake_user
    assert action["footlight_seed"] == 11 and action["footlight_song"] == "drums"
    assert len(action["footlight_audio_sha256"]) == 64
    assert {"footlight_model", "footlight_engine", "footlight_tempo"} <= set(action.keys())
    assert -1.0 <= action["footlight_beat_score"] <= 1.0
    assert action["footlight_style"] == "robot"
    told = card_of(action)
    assert told.style == "Robot" and told.beat.split()[0] in ("Poor", "Fair", "Good", "Excellent")
    assert told.pulse.startswith("120 bpm") and told.length == "6.0 s" and "steps a second" in told.feet


def check_the_first_seconds_of_a_long_song_and_the_engine_killed_after_them():
    armature, _ = stage(seconds=75.0)
    bpy.context.view_layer.update()

    def begun():
        generate.start(bpy.context, watched=True)
        wait(lambda: armature.animation_data is not None and armature.animation_data.action is not None)
        return armature.animation_data.action

    before = fingerprint()
    first = begun()
    assert card_of(first).unfinished and tuple(first.frame_range) == (1, 900)
    session.state.engine._process.kill()
    assert finish() is JobState.FAILED and "ended unexpectedly" in session.state.error
    unchanged(before)
    early = {(c.data_path, c.array_index): [point.co[1] for point in c.keyframe_points] for c in curves(begun())}
    assert finish() is JobState.DONE
    whole = armature.animation_data.action
    assert tuple(whole.frame_range) == (1, 2250) and not card_of(whole).unfinished
    assert len(early) == len(curves(whole))
    shares = [
        np.mean(np.abs(early[c.data_path, c.array_index] - np.array([p.co[1] for p in c.keyframe_points][:900])) < 1e-3)
        for c in curves(whole)
    ]
    assert min(shares) > 0.5, "but around accents that are moved otherwise"


def check_the_seed_decides():
    armature, _ = stage(seconds=3.0)
    curves = []
    for seed in (1, 1, 2):
        bpy.context.scene.footlight.seed = seed
        bpy.ops.footlight.generate_dance()
        action = armature.animation_data.action
        channels = action.layers[0].strips[0].channelbag(action.slots[0])
        curves.append([[point.co[1] for point in curve.keyframe_points] for curve in channels.fcurves])
    assert curves[0] == curves[1] != curves[2]


def check_the_whole_mix_and_a_packed_song():
    armature, strip = stage()
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 11, 100
    scene.footlight.source = "MIX"
    bpy.ops.footlight.generate_dance()
    found = keys(armature.animation_data.action)
    assert (found[0], abs(len(found) - 90) <= 1) == (11, True)
    scene.footlight.source = "STRIP"
    strip.sound.pack()
    (FOLDER / "drums.wav").unlink()
    bpy.ops.footlight.generate_dance()
    assert armature.animation_data.action["footlight_song"] == "drums"


def check_songs_that_cannot_be_danced_to():
    scene = bpy.context.scene
    dancer.add_dancer(bpy.context)
    for path, word in (
        (write_wav(FOLDER / "silence.wav", np.zeros(44_100)), "silent"),
        (noise(0.5, "short"), "0.5"),
    ):
        strip = strips.add_song(scene, path, 1)
        scene.footlight.strip = strip.name
        before = fingerprint()
        generate.start(bpy.context)
        while not (state := session.poll()).ended:
            pass
        assert state is JobState.FAILED and word in session.state.error, session.state.error
        unchanged(before)
    strip = strips.add_song(scene, FOLDER / "silence.wav", 100)
    strip.sound.pack()
    (FOLDER / "silence.wav").unlink()
    scene.footlight.strip = strip.name
    generate.start(bpy.context)
    while not session.poll().ended:
        pass
    assert session.state.error.startswith("silence.wav: is silent"), "no word of the temporary file"


def check_songs_in_disguise():
    """Sound that Blender alone decodes, under the name of another kind, in a meta strip, beside a muted strip."""
    armature, muted = stage(seconds=4.0)
    scene = bpy.context.scene
    muted.mute = True
    path = FOLDER / "disguised.mp3"
    sound = aud.Sound.file(str(drums(6.0, name="undisguised")))
    sound.write(str(path), 44_100, 1, aud.FORMAT_S16, aud.CONTAINER_MATROSKA, aud.CODEC_AAC, 128_000, 4096)
    strip = strips.add_song(scene, path, 11)
    meta = scene.sequence_editor.strips.new_meta("meta", 3, 11)
    strip.move_to_meta(meta)
    trim(meta, 11, 131)
    trim(meta, 41, 131)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}, session.state.error
    action = armature.animation_data.action
    assert action["footlight_song"] == "disguised"
    assert session.state.warning == "" or "beats are a guess" in session.state.warning, "three seconds tell little"
    found = keys(action)
    assert found[0] == 41 and abs(len(found) - 90) <= 1
    scene.footlight.strip = muted.name
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert "muted" in session.state.warning


def check_a_song_that_was_cut_is_said():
    armature, _ = stage(seconds=4.0)
    path = drums(6.0, name="cut")
    path.write_bytes(path.read_bytes()[: RATE * 2 * 4])
    bpy.context.scene.footlight.strip = strips.add_song(bpy.context.scene, path, 200).name
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert "4.0 of the 6.0 s" in session.state.warning, session.state.warning
    assert armature.animation_data.action["footlight_song"] == "cut"


def check_cancel_and_again():
    armature, _ = stage(seconds=20.0)
    scene = bpy.context.scene
    scene.footlight.fine = True
    generate.start(bpy.context)
    while session.state.job.state is not JobState.RUNNING:
        session.poll()
    session.cancel()
    while not (state := session.poll()).ended:
        pass
    assert state is JobState.CANCELLED and armature.animation_data is None
    scene.footlight.fine = False
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}


def check_beats_are_where_the_drums_are():
    stage(fps=30, seconds=12.0, frame=5)
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    frames = [marker.frame for marker in bpy.context.scene.timeline_markers]
    assert len(frames) >= 20
    assert all(min((frame - 5) % 15, -(frame - 5) % 15) <= 2 for frame in frames), "120 bpm: a beat every 15 frames"
