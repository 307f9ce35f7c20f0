"""The song: how it is chosen, brought from another scene, muted and followed, and what is said where there is none."""

import os
from pathlib import Path

import bpy
from scenes import FOLDER, MODULE, addon, double_speed, drums, fingerprint, noise, raises, unchanged

songs, strips, hearing, bringing = (addon(f"scene.{name}") for name in ("songs", "strips", "hearing", "bringing"))
versions, recent = addon("scene.versions"), addon("recent")
Kind = songs.Kind
UserError = addon("errors").UserError


def state(scene=None, **more):
    scene = scene or bpy.context.scene
    settings = scene.footlight
    return songs.state(scene, settings.strip, everything=settings.source == "MIX", **more)


def own(scene, name="own", frame=1):
    strip = strips.add_song(scene, noise(3.0, name, seed=7), frame)
    strip["footlight_seed"] = 3
    return strip


def deselect(scene):
    for strip in scene.sequence_editor.strips_all:
        strip.select = False
    scene.sequence_editor.active_strip = None


def fails(words, operator, **options):
    """The operator says ``words`` in one line and changes nothing."""
    before = fingerprint()
    raises(RuntimeError, words, lambda: operator(**options))
    unchanged(before)


def check_a_file_becomes_the_song():
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start, scene.frame_end = 30, 11, 90
    scene.frame_set(77)
    kept = (scene.frame_start, scene.frame_end, scene.frame_current, scene.render.fps, scene.sync_mode)
    path = noise(5.0)
    assert bpy.ops.footlight.choose_song(filepath=str(path)) == {"FINISHED"}
    strip = scene.sequence_editor.strips["song"]
    assert scene.footlight.strip == scene.footlight.song == "song" and scene.footlight.source == "STRIP"
    assert versions.handles(strip) == (11, 161) and strip.channel == 1 and strip.show_waveform and not strip.mute
    assert kept == (scene.frame_start, scene.frame_end, scene.frame_current, scene.render.fps, scene.sync_mode)
    assert state().kind is Kind.CHOSEN and state().strip == strip
    assert recent.songs()[0] == path and recent.folder() == path.parent
    if hasattr(bpy.context.window.workspace, "sequencer_scene"):
        assert bpy.context.window.workspace.sequencer_scene == scene


def check_the_path_of_a_song_is_relative_where_blenders_are():
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "saved.blend"))
    filepaths = bpy.context.preferences.filepaths
    for relative, wanted in ((True, "//near.wav"), (False, str(FOLDER / "far.wav"))):
        filepaths.use_relative_paths = relative
        bpy.ops.footlight.choose_song(filepath=str(noise(2.0, "near" if relative else "far")))
        assert state().strip.sound.filepath == wanted
        assert strips.excerpt(bpy.context.scene, state().strip, FOLDER).path == str(FOLDER / wanted.removeprefix("//"))


def check_a_second_song_takes_the_place_of_the_first():
    scene = bpy.context.scene
    later = strips.add_song(scene, noise(3.0, "later", seed=2), 2000)
    for name in ("one", "two", "one"):
        bpy.ops.footlight.choose_song(filepath=str(noise(4.0, name, seed=len(name))))
        by_name = {strip.name: strip for strip in scene.sequence_editor.strips}
        assert scene.footlight.strip == name and state().strip == by_name[name]
        heard = {one.strip.name for one in songs.songs(scene) if one.heard}
        assert heard == {name, "later"}, "what plays at another time stays"
    assert len(scene.sequence_editor.strips) == 3, "a song that is there already is not added again"
    assert not later.mute and by_name["one"].channel != by_name["two"].channel


def check_files_that_are_no_songs():
    choose = bpy.ops.footlight.choose_song
    text = FOLDER / "text.wav"
    text.write_text("no sound")
    empty = FOLDER / "empty.mp3"
    empty.write_bytes(b"")
    bpy.context.scene.sequence_editor_create()
    fails("There is no file", choose, filepath=str(FOLDER / "nothing.wav"))
    fails("is a folder", choose, filepath=str(FOLDER))
    fails("cannot read", choose, filepath=str(text))
    fails("cannot read", choose, filepath=str(empty))
    fails("No file was given", choose, filepath="")
    assert state().kind is Kind.NONE


def check_recent_songs_whose_files_are_gone_are_not_offered():
    for i in range(recent.MOST + 3):
        recent.remember(noise(1.0, f"recent {i}"))
    assert len(recent.songs()) == recent.MOST and recent.songs()[0].stem == f"recent {recent.MOST + 2}"
    recent.songs()[0].unlink()
    assert recent.songs()[0].stem == f"recent {recent.MOST + 1}" and recent.folder() == FOLDER
    stored = Path(bpy.utils.extension_path_user(MODULE)) / "recent_songs.json"
    stored.write_text("damaged")
    assert recent.songs() == [] and recent.folder() in (None, Path.home() / "Music")
    recent.remember(noise(1.0, "again"))
    assert [path.stem for path in recent.songs()] == ["again"]


def check_a_song_that_cannot_be_looked_at_is_not_offered():
    """The name is too long for any disk; it stands for a folder that is locked. The panel asks whenever it is drawn."""
    recent.remember(noise(1.0, "there"))
    recent.remember(FOLDER / f"{'a name that no disk has ' * 20}.mp3")
    assert recent.any_there() and recent.songs()[0].stem == "there" and recent.folder() == FOLDER


def check_every_state_of_a_scene():
    scene = bpy.context.scene
    settings = scene.footlight
    assert state().kind is Kind.NONE
    music = own(scene)
    assert state().kind is Kind.OWN and state().strip is None
    raises(UserError, "was made by Footlight", songs.choose, scene)
    settings.strip = "own"
    assert state().kind is Kind.CHOSEN and state().strip == music, "who names it means it"
    settings.strip = ""
    one = strips.add_song(scene, noise(3.0, "one"), 1)
    assert state().kind is Kind.ONE and state().strip == one and settings.song == "one"
    one.mute = True
    assert state().kind is Kind.MUTED
    raises(UserError, "Unmute one, or choose one under Song", songs.choose, scene)
    one.mute = False
    two = strips.add_song(scene, noise(3.0, "two"), 1)
    deselect(scene)
    assert state().kind is Kind.SEVERAL and state().count == 2
    raises(UserError, "There are 2 songs", songs.choose, scene)
    two.select = True
    assert state().kind is Kind.ACTIVE and songs.choose(scene) == two and settings.song == "two"
    one.select = True
    assert state().kind is Kind.SEVERAL, "both are selected"
    scene.sequence_editor.active_strip = one
    assert songs.choose(scene) == one
    settings.song = "two"
    assert settings.strip == "two" and state().kind is Kind.CHOSEN and state().strip == two
    two.name = "renamed"
    assert state().strip == two and settings.song == "renamed", "it is followed"
    scene.sequence_editor.strips.remove(two)
    assert state().kind is Kind.GONE and state().count == 1
    raises(UserError, "'two' any more", songs.choose, scene, settings.strip)
    settings.source = "MIX"
    assert state().kind is Kind.ALL


def check_the_mark_of_a_chosen_song_moves_with_the_choice():
    scene = bpy.context.scene
    one, two = (strips.add_song(scene, noise(3.0, name), 1) for name in ("one", "two"))
    scene.footlight.strip = "one"
    scene.footlight.strip = "two"
    assert songs.CHOSEN in two and songs.CHOSEN not in one
    two.name = "three"
    assert state().strip == two
    one.name = "two"
    assert state().strip == one, "a strip of the chosen name is meant before one that had it"
    scene.footlight.strip = ""
    assert songs.CHOSEN not in two


def check_what_footlight_muted_is_still_a_song():
    scene = bpy.context.scene
    one = strips.add_song(scene, noise(3.0, "one"), 1)
    music = own(scene)
    changed = hearing.only(scene, music)
    assert changed.muted == ("one",) and one.mute and changed.said == "'one' is muted."
    assert state().kind is Kind.ONE and songs.choose(scene) == one
    assert strips.excerpt(scene, one, FOLDER).warning == "", "it is unmuted with its dance"
    again = hearing.again(scene, one)
    assert again.unmuted == ("one",) and again.muted == ("own",) and not one.mute and music.mute
    assert hearing.again(scene, one) == hearing.Changed(), "nothing to do"
    one.mute = True
    assert hearing.again(scene, one) == hearing.Changed(), "the user muted this one"
    assert "muted" in strips.excerpt(scene, one, FOLDER).warning


def check_what_is_muted_with_its_surroundings_is_heard():
    scene = bpy.context.scene
    one, two = (strips.add_song(scene, noise(3.0, name), 1) for name in ("one", "two"))
    meta = scene.sequence_editor.strips.new_meta("meta", 5, 1)
    one.move_to_meta(meta)
    versions.set_handles(meta, 1, 60)
    meta.mute = meta.channels[one.channel].mute = scene.sequence_editor.channels[meta.channel].mute = True
    hearing.only(scene, one)
    heard = {placed.strip.name for placed in songs.songs(scene) if placed.heard}
    assert heard == {"one"} and two.mute


def check_a_song_of_another_scene_is_brought():
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start = 30, 11
    other = bpy.data.scenes.new("Scene.001")
    other.render.fps = 60
    strip = strips.add_song(other, noise(10.0), 61)  # 1 s after the first frame
    versions.set_handles(strip, 121, 421)  # its seconds 1 to 6
    strip.volume, strip.pan = 0.5, -0.5
    assert state().kind is Kind.ELSEWHERE and state().where == other
    raises(UserError, "'Scene.001'. Press Use It Here", songs.choose, scene)
    assert bpy.ops.footlight.bring_song.poll()
    assert bpy.ops.footlight.bring_song() == {"FINISHED"}
    made = state().strip
    assert scene.footlight.strip == made.name and state().kind is Kind.CHOSEN
    assert versions.handles(made) == (71, 221) and (made.volume, made.pan) == (0.5, -0.5)
    assert made.sound == strip.sound and made.show_waveform
    song = strips.excerpt(scene, made, FOLDER)
    assert abs(song.start - 1.0) < 0.04 and abs(song.seconds - 5.0) < 0.04 and song.frame_start == 71
    assert len(other.sequence_editor.strips) == 1, "the other scene stays as it is"


def check_a_song_of_a_scene_that_shows_this_one_is_brought_to_where_it_is_heard():
    scene = bpy.context.scene
    edit = bpy.data.scenes.new("Edit")
    scene.render.fps = edit.render.fps = 25
    shot = edit.sequence_editor_create().strips.new_scene("shot", scene, 1, 101)
    strips.add_song(edit, noise(10.0), 151)
    assert versions.content_start(shot) == 101
    bpy.ops.footlight.bring_song()
    assert versions.handles(state().strip)[0] == scene.frame_start + 50


def check_packed_songs_are_brought_and_faster_ones_are_not():
    scene, other = bpy.context.scene, bpy.data.scenes.new("Other")
    scene.render.fps = other.render.fps = 30
    path = noise(4.0, "packed")
    strip = strips.add_song(other, path, 1)
    strip.sound.pack()
    path.unlink()
    bpy.ops.footlight.bring_song()
    made = state().strip
    assert versions.handles(made) == (1, 121) and made.sound == strip.sound
    assert sorted(sound.name for sound in bpy.data.sounds) == [strip.sound.name]
    scene.sequence_editor.strips.remove(made)
    scene.footlight.strip = ""
    double_speed(other, strip)
    fails("has another speed", bpy.ops.footlight.bring_song)


def check_an_empty_scene_beside_the_dancer_is_told():
    """New in Blender 5's sequencer makes a scene and shows it in the window."""
    scene = bpy.context.scene
    assert songs.left_behind(scene) is None and not bpy.ops.footlight.show_scene.poll()
    bpy.ops.footlight.add_dancer()
    empty = bpy.data.scenes.new("Scene.001")
    assert songs.left_behind(scene) is None
    bpy.context.window.scene = empty
    strips.add_song(empty, noise(4.0), 31)
    assert songs.left_behind(empty) == scene and bpy.ops.footlight.show_scene.poll()
    assert bpy.ops.footlight.show_scene() == {"FINISHED"}
    assert bpy.context.window.scene == scene
    assert state(scene).kind is Kind.CHOSEN and versions.handles(state(scene).strip)[0] == 31, "the song came along"


def check_dropped_files():
    handler = bpy.types.FOOTLIGHT_FH_song
    endings = set(handler.bl_file_extensions.split(";"))
    assert {".wav", ".mp3", ".flac", ".ogg", ".m4a", ".caf", ".au"} <= endings
    assert not endings & {".blend", ".png", ".fbx", ".bvh", ".usd", ".mp4", ".py", ""}
    assert handler.bl_import_operator == "footlight.choose_song"
    screen = bpy.context.window.screen
    for kind, takes in (("VIEW_3D", True), ("SEQUENCE_EDITOR", False), ("DOPESHEET_EDITOR", False)):
        area = screen.areas[0]
        area.type = kind
        with bpy.context.temp_override(area=area):
            assert handler.poll_drop(bpy.context) is takes, kind


def check_music_mutes_what_plays_over_it_and_the_song_comes_back():
    """What the panel's operators do when a result is written."""
    scene = bpy.context.scene
    song = strips.add_song(scene, drums(4.0), 1)
    far = strips.add_song(scene, noise(2.0, "far"), 1000)
    music = own(scene)
    assert hearing.only(scene, music).muted == ("drums",)
    assert song.mute and not far.mute and hearing.silenced(song) and not hearing.silenced(far)
    bpy.ops.footlight.choose_song(filepath=str(FOLDER / "drums.wav"))
    assert not song.mute and music.mute and not far.mute
    assert os.path.samefile(bpy.path.abspath(song.sound.filepath), FOLDER / "drums.wav")
