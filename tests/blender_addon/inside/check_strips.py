"""Songs in the sequencer. The oracle for what is heard when is Blender's own mixdown."""

import bpy
import numpy as np
from scenes import FOLDER, addon, fingerprint, noise, raises, read_wav, unchanged

strips = addon("scene.strips")
UserError = addon("errors").UserError


def lag(heard: np.ndarray, song: np.ndarray, rate: int) -> float:
    """The time in ``song`` at which ``heard`` starts, seconds."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(song))))
    correlation = np.fft.irfft(np.fft.rfft(song, size) * np.conj(np.fft.rfft(heard, size)))
    place = int(np.argmax(correlation))
    return (place - size if place > size // 2 else place) / rate


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    count = int(len(samples) * to / rate)
    return np.interp(np.arange(count) / to, np.arange(len(samples)) / rate, samples)


def set_handles(strip, first, end):
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = first, end
    else:
        strip.frame_final_start, strip.frame_final_end = first, end


def double_speed(scene, strip):
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    strip.select = True
    scene.sequence_editor.active_strip = strip
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.retiming_segment_speed_set(speed=200)


def against_mixdown(fps: int, base: float, arrange, plain: bool) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    path = noise(6.0)
    strip = strips.add_song(scene, path, 10)
    arrange(scene, strip)
    before = fingerprint()
    song = strips.excerpt(scene, strip, FOLDER)
    unchanged(before)
    first, end = addon("scene.versions").handles(strip)
    assert (song.frame_start, song.frames) == (first, end - first)
    assert abs(song.seconds - (end - first) * scene.render.fps_base / scene.render.fps) < 1e-6
    assert (song.path == str(path)) == plain, song
    mixed, rate = read_wav(str(strips._mixdown(scene, FOLDER, first, end, only=strip.name)))
    whole, song_rate = read_wav(str(path))
    whole = resample(whole, song_rate, rate)
    if plain:
        assert abs(lag(mixed, whole, rate) - song.start) < 0.002, (lag(mixed, whole, rate), song)
    return lag(mixed, whole, rate)


def check_what_is_heard_at_every_rate():
    for fps, base in ((24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0)):
        against_mixdown(fps, base, lambda _scene, strip: set_handles(strip, 40, 120), True)
    against_mixdown(30, 1.0, lambda _scene, _strip: None, True)


def check_a_strip_whose_scene_changed_its_rate():
    def arrange(scene, strip):
        set_handles(strip, 40, 150)
        scene.render.fps, scene.render.fps_base = 24, 1.0

    against_mixdown(30, 1.001, arrange, True)


def check_silence_before_the_content_is_kept():
    start = against_mixdown(30, 1.0, lambda _scene, strip: set_handles(strip, -20, 100), False)
    assert abs(start + 1.0) < 0.002, "the strip shows 30 frames of silence first"
    start = against_mixdown(30, 1.0, lambda _scene, strip: set_handles(strip, 5, 100), False)
    assert abs(start + 5 / 30) < 0.002


def check_retimed_strips_are_heard_at_their_speed():
    bpy.ops.wm.read_homefile(use_empty=False)  # its window has the areas that the sequencer's operators ask for
    scene = bpy.context.scene
    scene.render.fps = 30
    path = noise(12.0)
    strip = strips.add_song(scene, path, 1)
    double_speed(scene, strip)
    first, end = addon("scene.versions").handles(strip)
    song = strips.excerpt(scene, strip, FOLDER)
    assert song.start == 0.0 and abs(song.seconds - (end - first) / 30) < 1e-6
    heard, rate = read_wav(song.path)
    whole, song_rate = read_wav(str(path))

    def loudness(samples, rate, seconds):
        return [np.abs(part).mean() for part in np.array_split(samples[: int(seconds * rate)], 120)]

    double = np.corrcoef(loudness(whole, song_rate, 12.0), loudness(heard, rate, 6.0))[0, 1]
    single = np.corrcoef(loudness(whole, song_rate, 6.0), loudness(heard, rate, 6.0))[0, 1]
    assert double > 0.6 > 0.3 > single, f"the same bursts in half the time: correlation {double:.2f}, else {single:.2f}"


def check_only_the_chosen_strip_is_heard():
    scene = bpy.context.scene
    strip = strips.add_song(scene, noise(4.0, "one"), 1)
    other = strips.add_song(scene, noise(4.0, "two"), 1)
    assert {strip.channel, other.channel} == {1, 2}
    other.volume = 0.0
    set_handles(other, -10, 60)
    heard, _ = read_wav(strips.excerpt(scene, other, FOLDER).path)
    assert np.abs(heard).max() == 0.0


def check_which_strip():
    scene = bpy.context.scene
    raises(UserError, "no sound strip", strips.choose, scene)
    raises(UserError, "no sound", strips.whole_mix, scene, FOLDER)
    first = strips.add_song(scene, noise(3.0, "one"), 1)
    assert strips.choose(scene) == first
    second = strips.add_song(scene, noise(3.0, "two"), 200)
    assert second.channel == 1, "the lowest channel that is free there"
    raises(UserError, "2 sound strips", strips.choose, scene)
    assert strips.choose(scene, second.name) == second
    raises(UserError, "any more", strips.choose, scene, "gone")


def check_the_whole_mix():
    scene = bpy.context.scene
    scene.render.fps = 30
    scene.frame_start, scene.frame_end = 31, 120
    strips.add_song(scene, noise(6.0), 1)
    before = fingerprint()
    song = strips.whole_mix(scene, FOLDER)
    unchanged(before)
    assert (song.frame_start, song.frames, song.seconds) == (31, 90, 3.0)
    heard, rate = read_wav(song.path)
    whole, song_rate = read_wav(str(FOLDER / "song.wav"))
    assert abs(lag(heard, resample(whole, song_rate, rate), rate) - 1.0) < 0.002


def check_files_that_are_not_there():
    scene = bpy.context.scene
    raises(UserError, "no file", strips.add_song, scene, FOLDER / "nothing.wav")
    text = FOLDER / "text.wav"
    text.write_text("not sound")
    raises(UserError, "cannot read", strips.add_song, scene, text)
    path = noise(3.0, "passing")
    strip = strips.add_song(scene, path, 1)
    path.unlink()
    raises(UserError, "is missing", strips.excerpt, scene, strip, FOLDER)
    strip.sound.filepath = "//passing.wav"
    raises(UserError, "Save the .blend", strips.excerpt, scene, strip, FOLDER)


def check_a_relative_path_in_a_saved_file():
    scene = bpy.context.scene
    strip = strips.add_song(scene, noise(3.0, "beside"), 1)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "saved.blend"))
    strip.sound.filepath = "//beside.wav"
    assert strips.excerpt(scene, strip, FOLDER).path == str(FOLDER / "beside.wav")


def check_a_packed_sound():
    scene = bpy.context.scene
    path = noise(3.0, "packed_song")
    strip = strips.add_song(scene, path, 1)
    strip.sound.pack()
    data = path.read_bytes()
    path.unlink()
    song = strips.excerpt(scene, strip, FOLDER)
    with open(song.path, "rb") as file:
        assert file.read() == data
    assert song.name == "packed_song"
