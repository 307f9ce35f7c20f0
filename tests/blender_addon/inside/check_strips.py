"""Songs in the sequencer. The oracle for what is heard when is Blender's own mixdown."""

import bpy
import numpy as np
from scenes import FOLDER, addon, double_speed, fingerprint, noise, raises, read_wav, unchanged

strips, songs, mixing = addon("scene.strips"), addon("scene.songs"), addon("scene.mixing")
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


def heard_as(song, name: str = "song") -> tuple[np.ndarray, np.ndarray, int]:
    """What is in a song's file, and all of a noise, at one rate."""
    heard, rate = read_wav(song.path)
    whole, own = read_wav(str(FOLDER / f"{name}.wav"))
    return heard, resample(whole, own, rate), rate


def set_handles(strip, first, end):
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = first, end
    else:
        strip.frame_final_start, strip.frame_final_end = first, end


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
    mixed, rate = read_wav(str(mixing.mixdown(scene, FOLDER, first, end, only=strip.name)))
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
    other = strips.add_song(scene, noise(4.0, "two", seed=1), 1)
    assert {strip.channel, other.channel} == {1, 2}
    set_handles(other, -10, 60)
    alone = lag(*heard_as(strips.excerpt(scene, other, FOLDER), "two"))
    other.volume = 0.0
    raises(UserError, "silent on the frames -10 to 59", strips.excerpt, scene, other, FOLDER)
    assert abs(alone + 11 / scene.render.fps) < 0.002


def check_which_strip():
    scene = bpy.context.scene
    raises(UserError, "no song", songs.choose, scene)
    raises(UserError, "no sound", strips.whole_mix, scene, FOLDER)
    first = strips.add_song(scene, noise(3.0, "one"), 1)
    assert songs.choose(scene) == first
    second = strips.add_song(scene, noise(3.0, "two"), 200)
    assert second.channel == 1, "the lowest channel that is free there"
    raises(UserError, "2 songs", songs.choose, scene)
    assert songs.choose(scene, second.name) == second
    raises(UserError, "any more", songs.choose, scene, "gone")


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


def in_meta(scene, strip, name, first, end):
    """A meta strip around a strip, from ``first`` to before ``end``."""
    parent = strip.parent_meta() or scene.sequence_editor
    meta = parent.strips.new_meta(name, strip.channel + 1, first)
    strip.move_to_meta(meta)
    set_handles(meta, first, end)
    return meta


def move(strip, frames):
    addon("scene.versions").move(strip, frames)


def check_a_song_inside_meta_strips():
    """Alone, trimmed, moved and nested; what is heard when is Blender's mixdown of the whole."""
    scene = bpy.context.scene
    scene.render.fps = 30
    path = noise(12.0)
    strip = strips.add_song(scene, path, 31)
    set_handles(strip, 61, 361)
    inner = in_meta(scene, strip, "inner", 61, 361)
    assert strips.sound_strips(scene) == [strip] and songs.choose(scene) == strip

    def shows(first: int, end: int, start: float) -> None:
        before = fingerprint()
        song = strips.excerpt(scene, strip, FOLDER)
        unchanged(before)
        assert (song.path, song.frame_start, song.frames) == (str(path), first, end - first), song
        assert abs(song.start - start) < 1e-6 and abs(song.seconds - (end - first) / 30) < 1e-6
        mixed, whole, rate = heard_as(whole_mix(scene, first, end))
        assert abs(lag(mixed, whole, rate) - start) < 0.002
        assert strips.is_there(scene, song)

    shows(61, 361, 1.0)
    set_handles(inner, 91, 301)
    shows(91, 301, 2.0)
    move(inner, 60)
    shows(151, 361, 2.0)
    outer = in_meta(scene, inner, "outer", 121, 331)
    shows(151, 331, 2.0)
    set_handles(outer, 181, 321)
    shows(181, 321, 3.0)
    move(outer, -30)
    shows(151, 291, 3.0)
    set_handles(outer, 181, 500)
    set_handles(outer, 400, 500)
    assert strips.heard_strips(scene) == []
    raises(UserError, "cuts it all off", strips.excerpt, scene, strip, FOLDER)


def whole_mix(scene, first, end):
    kept = scene.frame_start, scene.frame_end
    scene.frame_start, scene.frame_end = first, end - 1
    try:
        return strips.whole_mix(scene, FOLDER)
    finally:
        scene.frame_start, scene.frame_end = kept


def check_one_strip_of_a_meta_is_heard_alone():
    """A strip that needs a mixdown, beside another one in the same meta strip."""
    scene = bpy.context.scene
    scene.render.fps = 30
    one = strips.add_song(scene, noise(6.0, "one"), 1)
    two = strips.add_song(scene, noise(6.0, "two", seed=1), 1)
    meta = in_meta(scene, one, "meta", 1, 181)
    two.move_to_meta(meta)
    two.channel = 3
    set_handles(meta, -29, 181)
    set_handles(two, -29, 181)
    raises(UserError, "2 songs", songs.choose, scene)
    heard, whole, rate = heard_as(strips.excerpt(scene, two, FOLDER), "two")
    assert abs(lag(heard, whole, rate) + 1.0) < 0.002
    wanted = resample(*read_wav(str(FOLDER / "two.wav")), rate)[: 3 * rate]
    part = heard[rate : rate + len(wanted)]
    other = resample(*read_wav(str(FOLDER / "one.wav")), rate)[: len(part)]
    alike, mixed = (float(np.corrcoef(part, sound[: len(part)])[0, 1]) for sound in (wanted, other))
    assert alike > 0.8 and abs(mixed) < 0.05, (alike, mixed)


def check_muted_strips_do_not_count():
    scene = bpy.context.scene
    scene.frame_end = 90
    one = strips.add_song(scene, noise(3.0, "one"), 1)
    two = strips.add_song(scene, noise(3.0, "two", seed=1), 1)
    raises(UserError, "2 songs", songs.choose, scene)
    editor = scene.sequence_editor
    one.mute = True
    assert songs.choose(scene) == two and strips.heard_strips(scene) == [two]
    assert songs.choose(scene, "one") == one, "who names it means it"
    assert "muted" in strips.excerpt(scene, one, FOLDER).warning
    assert strips.excerpt(scene, two, FOLDER).warning == ""
    two.mute = True
    raises(UserError, "All 2 sound strips of 'Scene' are muted. Unmute one", songs.choose, scene)
    raises(UserError, "All 2 sound strips of 'Scene' are muted. Unmute one", strips.whole_mix, scene, FOLDER)
    one.mute = False
    editor.channels[one.channel].mute = True
    raises(UserError, "are muted", songs.choose, scene)
    raises(UserError, "are muted", strips.whole_mix, scene, FOLDER)
    editor.channels[one.channel].mute = False
    editor.strips.remove(two)
    meta = in_meta(scene, one, "meta", 1, 90)
    assert songs.choose(scene) == one
    meta.mute = True
    raises(UserError, "The only sound strip of 'Scene', 'one', is muted", songs.choose, scene)
    meta.mute = False
    meta.channels[one.channel].mute = True
    raises(UserError, "is muted", songs.choose, scene)
    set_handles(one, -10, 80)  # silence first, so that it must be mixed
    set_handles(meta, -10, 90)
    song = strips.excerpt(scene, one, FOLDER)
    assert "muted" in song.warning and np.abs(read_wav(song.path)[0]).max() > 0.1


def check_a_mix_in_which_nothing_is_heard():
    scene = bpy.context.scene
    strip = strips.add_song(scene, noise(3.0), 500)
    raises(UserError, "Nothing is heard in 'Scene' on the frames 1 to 250", strips.whole_mix, scene, FOLDER)
    strip.volume = 0.0
    scene.frame_start, scene.frame_end = 500, 560
    raises(UserError, "Nothing is heard in 'Scene' on the frames 500 to 560", strips.whole_mix, scene, FOLDER)
    scene.frame_end = 510
    raises(UserError, "lasts 0.46 s; at least 1 s", strips.whole_mix, scene, FOLDER)


def check_the_sound_of_another_scene():
    scene = bpy.context.scene
    scene.render.fps = 30
    scene.frame_start, scene.frame_end = 31, 120
    other, third = bpy.data.scenes.new("Other"), bpy.data.scenes.new("Third")
    other.render.fps = third.render.fps = 30
    editor = scene.sequence_editor_create()
    strip = editor.strips.new_scene("shown", other, 1, 1)
    set_handles(strip, 1, 200)
    raises(UserError, "no sound", strips.whole_mix, scene, FOLDER)
    raises(UserError, "no song", songs.choose, scene)
    song = strips.add_song(other, noise(6.0), 1)
    raises(UserError, "in the scene strip 'shown'. Choose All Sound", songs.choose, scene)
    for shown, word in (("SEQUENCER", ""), ("CAMERA", "Set the strip's Input to Sequencer")):
        strip.scene_input = shown
        before = fingerprint()
        mixed = strips.whole_mix(scene, FOLDER)
        unchanged(before)
        assert strip.scene_input == shown and (word in mixed.warning) and bool(mixed.warning) == bool(word)
        heard, whole, rate = heard_as(mixed)
        assert abs(lag(heard, whole, rate) - 1.0) < 0.002, shown
    song.mute = True
    raises(UserError, "no sound", strips.whole_mix, scene, FOLDER)
    song.mute, strip.mute = False, True
    raises(UserError, "no sound", strips.whole_mix, scene, FOLDER)
    strip.mute = False
    other.sequence_editor.strips.remove(song)
    within = other.sequence_editor.strips.new_scene("deeper", third, 1, 1)
    set_handles(within, 1, 200)
    within.scene_input = strip.scene_input = "SEQUENCER"
    in_meta(scene, strip, "meta", 1, 200)
    strips.add_song(third, noise(6.0), 1)
    heard, whole, rate = heard_as(strips.whole_mix(scene, FOLDER))
    assert abs(lag(heard, whole, rate) - 1.0) < 0.04, "each scene strip may begin a frame late in Blender"
