"""Files as people have them: misnamed, of kinds that Blender alone decodes, and longer than Blender believes.

The test prepares ``bare.mp3`` (10 s, a variable bit rate without a header), ``joined.mp3`` (it twice, 20 s),
``pipe.flac`` (4 s, no length in its header), ``joined.ogg`` (2 x 4 s) and, where ffmpeg is installed, ``song.m4a`` made
from ``source.wav`` (4 s).
"""

import shutil
import unittest
from pathlib import Path

import aud
import bpy
import numpy as np
from check_strips import heard_as, lag, set_handles
from scenes import FOLDER, addon, fingerprint, noise, raises, read_wav, unchanged, write_wav

strips, mixing, versions = addon("scene.strips"), addon("scene.mixing"), addon("scene.versions")
UserError = addon("errors").UserError


def only_blender_decodes(name: str):
    """A file with the noise ``song`` of 4 s as AAC, which the engine does not decode."""
    path = FOLDER / name
    sound = aud.Sound.file(str(noise(4.0)))
    sound.write(str(path), 44_100, 1, aud.FORMAT_S16, aud.CONTAINER_MATROSKA, aud.CODEC_AAC, 128_000, 4096)
    return path


def check_misnamed_files_whose_strips_play():
    scene = bpy.context.scene
    scene.render.fps = 30
    for name in ("named.mp3", "named.wav", "named.flac", "named.mka", "Lied \u00fc \u65e5\u672c.ogg", "-dash.mp3"):
        strip = strips.add_song(scene, only_blender_decodes(name), 31)
        set_handles(strip, 61, 151)
        before = fingerprint()
        song = strips.excerpt(scene, strip, FOLDER)
        unchanged(before)
        assert (song.start, song.frame_start, song.frames) == (0.0, 61, 90) and song.path.endswith("strip.wav")
        assert abs(lag(*heard_as(song)) - 1.0) < 0.05, name
        scene.sequence_editor.strips.remove(strip)


def check_sound_of_the_engine_is_left_as_it_is_whatever_its_name():
    scene = bpy.context.scene
    for name in ("named.m4a", "named", "named.mp3"):
        path = FOLDER / name
        shutil.copyfile(noise(3.0), path)
        strip = strips.add_song(scene, path, 1)
        assert strips.excerpt(scene, strip, FOLDER).path == str(path)
        assert strips.whole_file(path, folder=FOLDER).path == str(path)


def check_whole_files_that_blender_alone_decodes():
    path = only_blender_decodes("song.mp3")
    song = strips.whole_file(path, 5, folder=FOLDER)
    assert (song.name, song.frame_start, song.start) == ("song", 5, 0.0) and song.path != str(path)
    data = Path(song.path).read_bytes()
    begin = data.find(b"data") + 8
    heard, rate = np.frombuffer(data[begin : begin + (len(data) - begin) // 4 * 4], "<f4"), 44_100
    whole, own = read_wav(str(noise(4.0)))
    whole = np.interp(np.arange(4 * rate) / rate, np.arange(len(whole)) / own, whole)
    assert abs(lag(heard, whole, rate)) < 0.05 and abs(len(heard) / rate - 4) < 0.1
    assert strips.whole_file(path).path == str(path), "without a folder it is left to the engine"
    path.write_bytes(path.read_bytes()[:60])
    raises(UserError, "Neither the engine nor Blender can read", strips.whole_file, path, 1, None, FOLDER)


def check_the_real_m4a():
    path = FOLDER / "song.m4a"
    if not path.exists():
        raise unittest.SkipTest("ffmpeg, which makes it, is not installed")
    scene = bpy.context.scene
    for name in ("song.m4a", "really_m4a.mp3", "really_m4a.wav"):
        if name != path.name:
            shutil.copyfile(path, FOLDER / name)
        strip = strips.add_song(scene, FOLDER / name, 1)
        assert abs(lag(*heard_as(strips.excerpt(scene, strip, FOLDER), "source"))) < 0.06, name


def check_lengths_that_blender_only_guesses():
    """A new strip is as long as its sound, and Blender plays all of it."""
    scene = bpy.context.scene
    scene.render.fps = 30
    for name, seconds in (("bare.mp3", 10.0), ("joined.mp3", 20.0), ("pipe.flac", 4.0), ("joined.ogg", 8.0)):
        strip = strips.add_song(scene, FOLDER / name, 1)
        first, end = versions.handles(strip)
        assert abs((end - first) / 30 - seconds) < 0.2, (name, first, end)
        song = strips.excerpt(scene, strip, FOLDER)
        assert song.path == str(FOLDER / name) and song.warning == "" and song.start == 0.0
        mixed, rate = read_wav(str(mixing.mixdown(scene, FOLDER, first, end)))
        loud = np.nonzero(np.abs(mixed) > 0.02)[0]
        assert abs(loud[-1] / rate - seconds) < 0.4, (name, loud[-1] / rate)
        scene.sequence_editor.strips.remove(strip)


def check_a_strip_that_is_shorter_than_its_song():
    """As Blender makes it when a user drops the file there: what is said leads to the whole song."""
    scene = bpy.context.scene
    scene.render.fps = 30
    editor = scene.sequence_editor_create()
    strip = editor.strips.new_sound("bare", str(FOLDER / "bare.mp3"), 1, 11)
    first, end = versions.handles(strip)
    assert (end - first) / 30 < 9.5, (
        "Blender guesses by the first frames: where it does not any more, nothing is needed"
    )
    song = strips.excerpt(scene, strip, FOLDER)
    assert song.frames == end - first and song.path == str(FOLDER / "bare.mp3")
    assert "bare.mp3 lasts 10.0 s" in song.warning and "right end to frame" in song.warning
    wanted = int(song.warning.partition("to frame ")[2].split()[0])
    set_handles(strip, first, wanted)
    song = strips.excerpt(scene, strip, FOLDER)
    assert song.warning == "" and abs(song.seconds - 10.0) < 0.1 and song.path == str(FOLDER / "bare.mp3")
    set_handles(strip, first, first + 90)  # cut by the user, who need not be told
    assert strips.excerpt(scene, strip, FOLDER).warning == ""
    set_handles(strip, first, wanted + 60)  # and silence after the end is kept
    assert strips.excerpt(scene, strip, FOLDER).path.endswith("strip.wav")


def check_a_strip_of_a_single_frame():
    """Blender believes that a FLAC file from a pipe is empty."""
    scene = bpy.context.scene
    strip = scene.sequence_editor_create().strips.new_sound("pipe", str(FOLDER / "pipe.flac"), 1, 1)
    raises(UserError, "Drag the strip's right end to frame 97", strips.excerpt, scene, strip, FOLDER)
    set_handles(strip, 1, 97)
    song = strips.excerpt(scene, strip, FOLDER)
    assert (song.path, song.frames, song.warning) == (str(FOLDER / "pipe.flac"), 96, "")


def check_what_is_too_short_or_silent_is_said_without_temporary_names():
    scene = bpy.context.scene
    scene.render.fps = 30
    strip = strips.add_song(scene, only_blender_decodes("a.mka"), 1)
    set_handles(strip, 1, 11)
    raises(UserError, "The strip 'a' lasts 0.33 s", strips.excerpt, scene, strip, FOLDER)
    quiet = strips.add_song(scene, write_wav(FOLDER / "quiet.wav", np.zeros(66_150)), 1)
    set_handles(quiet, -10, 60)
    raises(UserError, "The strip 'quiet' is silent", strips.excerpt, scene, quiet, FOLDER)
