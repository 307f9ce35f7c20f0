"""What *Play* sets, says and leaves alone."""

import bpy
from scenes import addon, fingerprint, noise, raises, unchanged

playing, strips, songs, versions = (addon(f"scene.{name}") for name in ("playing", "strips", "songs", "versions"))
UserError = addon("errors").UserError


def animated(armature, first=11, last=90, song=""):
    """A dance by Footlight, as far as *Play* can see."""
    for frame, place in ((first, 0.0), (last, 1.0)):
        armature.location.x = place
        armature.keyframe_insert("location", frame=frame)
    action = armature.animation_data.action
    action["footlight_seed"] = 1
    if song:
        action["footlight_song"] = song
    return action


def arrange(song="song"):
    """A dancer with a dance, its song, and another strip that plays over it."""
    scene = bpy.context.scene
    bpy.ops.footlight.add_dancer()
    armature = scene.footlight.dancer
    animated(armature, song=song)
    return scene, armature, strips.add_song(scene, noise(3.0), 11), strips.add_song(scene, noise(4.0, "other", 2), 1)


def heard(scene):
    return {one.strip.name for one in addon("scene.timeline").sounds(scene) if one.heard}


def settings(scene):
    names = (
        "use_preview_range",
        "frame_preview_start",
        "frame_preview_end",
        "sync_mode",
        "use_audio_scrub",
        "use_audio",
    )
    return tuple(getattr(scene, name) for name in names)


def check_there_is_nothing_to_play_yet():
    scene = bpy.context.scene
    assert not bpy.ops.footlight.play.poll()
    bpy.ops.footlight.add_dancer()
    strips.add_song(scene, noise(3.0), 1)
    before = fingerprint()
    raises(UserError, "Make a dance or music first", playing.plan, scene, scene.footlight.dancer)
    raises(RuntimeError, "nothing to play yet", bpy.ops.footlight.play)
    unchanged(before)


def check_a_dance_plays_with_its_song_alone():
    scene, _, song, other = arrange()
    song.show_waveform = False
    kept = (scene.frame_start, scene.frame_end, scene.render.fps)
    assert bpy.ops.footlight.play() == {"FINISHED"}
    assert settings(scene) == (True, 11, 90, "AUDIO_SYNC", True, True)
    assert scene.frame_current == 11 and song.show_waveform
    assert heard(scene) == {"song"} and other.mute
    assert kept == (scene.frame_start, scene.frame_end, scene.render.fps)


def check_only_what_changed_is_said():
    scene, armature, *_ = arrange()
    first = playing.prepare(scene, playing.plan(scene, armature))
    assert [line.split()[0] for line in first] == ["preview", "playback", "sound", "'other'"]
    assert "11 to 90" in first[0] and first[-1] == "'other' is muted"
    assert playing.prepare(scene, playing.plan(scene, armature)) == []
    scene.use_audio = False
    assert playing.prepare(scene, playing.plan(scene, armature)) == ["sound on"]


def check_the_preview_range_moves_both_ways():
    scene, armature, *_ = arrange()
    for first, last in ((500, 600), (1, 10), (11, 90)):
        scene.use_preview_range = True
        scene.frame_preview_start, scene.frame_preview_end = first, last
        playing.prepare(scene, playing.plan(scene, armature))
        assert settings(scene)[:3] == (True, 11, 90), (first, last)


def check_music_that_was_made_for_the_dance_is_heard_instead_of_the_song():
    scene, armature, song, other = arrange()
    music = strips.add_song(scene, noise(5.0, "music", 3), 21)
    music["footlight_seed"] = 4
    changed = addon("scene.hearing").only(scene, music)
    assert set(changed.muted) == {"song", "other"}
    wanted = playing.plan(scene, armature)
    assert wanted.strip == music, "what is heard is what was made last"
    assert (wanted.first, wanted.last) == (11, versions.handles(music)[1] - 1), "dance and music"
    assert not song.select or song.mute
    addon("scene.hearing").again(scene, song)
    assert playing.plan(scene, armature).strip == song and other.mute


def check_music_alone_plays():
    scene = bpy.context.scene
    strips.add_song(scene, noise(3.0), 1)
    music = strips.add_song(scene, noise(4.0, "music", 3), 31)
    music["footlight_seed"] = 4
    assert bpy.ops.footlight.play() == {"FINISHED"}
    assert settings(scene)[:3] == (True, *versions.handles(music)[:1], versions.handles(music)[1] - 1)
    assert heard(scene) == {"music"}


def check_all_sound_mutes_nothing():
    scene, *_ = arrange()
    scene.footlight.source = "MIX"
    bpy.ops.footlight.play()
    assert heard(scene) == {"song", "other"} and scene.sync_mode == "AUDIO_SYNC"


def check_a_song_that_is_muted_or_in_another_scene_is_heard():
    scene, armature, song, other = arrange()
    song.mute = True
    scene.sequence_editor.strips.remove(other)
    assert "'song' is heard again" in playing.prepare(scene, playing.plan(scene, armature))[-1]
    scene.sequence_editor.strips.remove(song)
    elsewhere = bpy.data.scenes.new("Scene.001")
    there = strips.add_song(elsewhere, noise(3.0), 11)
    wanted = playing.plan(scene, armature)
    assert wanted.strip == there and wanted.source == elsewhere
    assert bpy.ops.footlight.play() == {"FINISHED"}
    here = scene.sequence_editor.strips["song"]
    assert versions.handles(here) == versions.handles(there) and heard(scene) == {"song"}
    assert scene.footlight.strip == "song" and scene.use_preview_range


def check_several_dances_play_together_where_none_is_meant():
    scene, armature, *_ = arrange()
    bpy.ops.footlight.add_dancer()
    animated(scene.footlight.dancer, 60, 200)
    wanted = playing.plan(scene, scene.footlight.dancer)
    assert (wanted.first, wanted.last) == (60, 200)
    wanted = playing.plan(scene, None)
    assert (wanted.first, wanted.last) == (11, 200) and armature.animation_data.action
