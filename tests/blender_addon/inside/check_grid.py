"""The beats of a song: tracked, put right, kept with it, and danced to."""

import json

import bpy
import numpy as np
from recorder import shown
from scenes import FOLDER, addon, noise, raises

names, grids, markers = addon("names"), addon("scene.grids"), addon("scene.markers")
strips, dancer, beats, card = addon("scene.strips"), addon("scene.dancer"), addon("api.beats"), addon("api.card")
beat_grid = addon("shared").beat_grid

SPACING = 0.5
COUNT = 17


def stage(frame=11, fps=30, seconds=8.5):
    """A song from ``frame`` on in which the engine hears beats, in fours from its second beat on."""
    bpy.context.scene.render.fps = fps
    times = [0.25 + SPACING * i for i in range(COUNT)]
    heard = {"beats": times, "downbeats": [i % 4 == 1 for i in range(COUNT)], "metre": 4, "confidence": 0.9}
    (FOLDER / "heard.json").write_text(json.dumps(heard))
    return strips.add_song(bpy.context.scene, noise(seconds, "well"), frame)


def home(strip=None):
    return grids.Home(bpy.context.scene, strip)


def marked(bars=False):
    return [m.frame for m in bpy.context.scene.timeline_markers if markers.OWN.fullmatch(m.name)[1] or not bars]


def asked_beats():
    """The beats that the engine was given, as frames."""
    asked = json.loads((FOLDER / "asked.json").read_text())
    given = json.loads((FOLDER / "asked_beats.json").read_text())
    return [round(11 + 30 * (time - asked["start"]), 2) for time in given["beats"]], given


def says(words):
    texts = [item.text for item in shown()]
    return words in " ".join(texts), texts


def check_show_beats_names_counts_and_keeps_the_tracked_grid():
    strip = stage()
    assert not says("Half")[0] or not bpy.ops.footlight.correct_beats.poll()
    raises(RuntimeError, "Press Show Beats first", bpy.ops.footlight.correct_beats)
    assert says("Not tracked yet")[0]
    assert bpy.ops.footlight.show_beats() == {"FINISHED"}
    wanted = [11 + 30 * (0.25 + SPACING * i) for i in range(COUNT)]
    assert np.abs(np.array(marked()) - wanted).max() <= 0.5 and len(marked()) == COUNT
    called = [m.name for m in bpy.context.scene.timeline_markers]
    assert called[:7] == ["♪ ·8", "♪ 1 ·1, eight 1", "♪ ·2", "♪ ·3", "♪ ·4", "♪ 2 ·5", "♪ ·6"]
    assert called[9] == "♪ 3 ·1, eight 2"
    assert grids.corrected(home(strip)) is None and grids.confidence(home(strip)) == 0.9
    assert np.allclose(grids.tracked(home(strip)).times, [0.25 + SPACING * i for i in range(COUNT)])
    assert says("Tracked: 120 bpm, 4 beats a bar, 90 % sure")[0], says("")[1]
    grids.keep_tracked(home(strip), grids.tracked(home(strip)), 0.2)  # a guess has no bars to tell
    assert says("Tracked: 120 bpm, 20 % sure")[0], says("")[1]


def check_half_double_and_later():
    strip = stage()
    bpy.ops.footlight.show_beats()
    assert bpy.ops.footlight.correct_beats(change="HALF") == {"FINISHED"}
    assert np.allclose(np.diff(grids.corrected(home(strip)).times), 2 * SPACING)
    assert says("Corrected: 60 bpm, 2 beats a bar")[0] and len(marked()) == 8
    bpy.ops.footlight.correct_beats(change="DOUBLE")
    assert len(marked()) == COUNT, "they go on to both ends of the song"
    bpy.ops.footlight.correct_beats(change="LATER")
    assert np.allclose(grids.known(home(strip)).times[:3], [0.0, 0.5, 1.0])
    assert grids.tracked(home(strip)).times[0] == 0.25
    for _ in range(2):
        bpy.ops.footlight.correct_beats(change="DOUBLE")
    before = grids.known(home(strip))
    raises(RuntimeError, "This cannot be done to these beats", lambda: bpy.ops.footlight.correct_beats(change="DOUBLE"))
    assert grids.known(home(strip)) == before


def check_the_one_and_the_metre():
    strip = stage()
    bpy.ops.footlight.show_beats()
    scene = bpy.context.scene
    scene.frame_set(11 + round(30 * 2.3))  # nearest to the beat at 2.25 s, the fifth
    bpy.ops.footlight.correct_beats(change="ONE")
    assert [i for i, one in enumerate(grids.known(home(strip)).downbeats) if one] == [0, 4, 8, 12, 16]
    for metre in (3, 2, 6):
        bpy.ops.footlight.correct_beats(change="METRE", metre=metre)
        assert grids.known(home(strip)).starts == tuple(range(0, COUNT, metre))
    assert says("120 bpm, 6 beats a bar")[0]


def check_my_own_markers_are_the_beats():
    strip = stage()
    scene = bpy.context.scene
    raises(RuntimeError, "two or more beats", bpy.ops.footlight.use_markers)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.timeline_markers.new("cut", frame=30).camera = camera
    for frame in (131, 101, 116, 86):
        scene.timeline_markers.new("F", frame=frame)
    assert bpy.ops.footlight.use_markers() == {"FINISHED"}
    grid = grids.corrected(home(strip))
    assert np.allclose(np.diff(grid.times), 0.5) and np.allclose(grid.times[0], 0.0), "they go on to both ends"
    assert abs(grid.times[-1] - 8.0) < 1e-6 and grid.metre == 4 and grid.downbeats[grid.nearest(2.5)]
    for marker in scene.timeline_markers:
        if marker.frame in (101, 131) and marker.name == "F":
            marker.name = "One"
    bpy.ops.footlight.use_markers()
    grid = grids.corrected(home(strip))
    assert grid.metre == 2 and grid.downbeats[grid.nearest(3.0)] and not grid.downbeats[grid.nearest(2.5)]
    assert len([m for m in scene.timeline_markers if m.name in ("F", "One", "cut")]) == 5, "the user's stay"
    scene.timeline_markers.new("F", frame=102)
    raises(RuntimeError, "each 0.1 s or more", bpy.ops.footlight.use_markers)
    assert grids.corrected(home(strip)) == grid


def check_the_dance_follows_the_corrected_beats_and_says_so():
    strip = stage()
    armature = dancer.add_dancer(bpy.context)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert json.loads((FOLDER / "asked.json").read_text())["beats"] is None
    assert grids.tracked(home(strip)) is not None, "a dance tells the beats too"
    bpy.ops.footlight.correct_beats(change="HALF")
    bpy.ops.footlight.correct_beats(change="METRE", metre=3)
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    frames, given = asked_beats()
    assert np.abs(np.array(frames) - np.array(marked())).max() <= 0.5 and given["metre"] == 3
    action = armature.animation_data.action
    assert json.loads(action["footlight_beats"]) == given
    assert "beats as corrected" in card.of(action).pulse
    assert len(grids.tracked(home(strip)).times) == COUNT, "what the engine says then was not tracked"

    trim = (lambda: setattr(strip, "left_handle", 71)) if hasattr(strip, "left_handle") else (
        lambda: setattr(strip, "frame_final_start", 71)
    )  # fmt: skip
    trim()
    addon("scene.versions").move(strip, -60)  # what is heard begins on frame 11 again, two seconds later in the song
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    later, given = asked_beats()
    kept = [frame - 60 for frame in frames if frame >= 71]
    assert np.allclose(later, kept, atol=0.02), (later, kept)
    assert bpy.ops.footlight.clear_beats() == {"FINISHED"}
    assert bpy.ops.footlight.generate_dance() == {"FINISHED"}
    assert json.loads((FOLDER / "asked.json").read_text())["beats"] is None
    assert "footlight_beats" not in armature.animation_data.action


def check_corrections_are_saved_undone_and_cleared():
    strip = stage()
    bpy.ops.footlight.show_beats()
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.footlight.correct_beats(change="LATER")
    bpy.ops.ed.undo_push(message="later")
    wanted, frames = grids.corrected(home(strip)), marked()
    bpy.ops.ed.undo()
    strip = strips.sound_strips(bpy.context.scene)[0]
    assert grids.corrected(home(strip)) is None and marked() != frames
    bpy.ops.ed.redo()
    path = str(FOLDER / "corrected.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    strip = strips.sound_strips(bpy.context.scene)[0]
    assert grids.corrected(home(strip)) == wanted and says("Corrected: 120 bpm")[0] and marked() == frames
    tracked = grids.tracked(home(strip))
    assert bpy.ops.footlight.clear_beats() == {"FINISHED"}
    assert grids.known(home(strip)) == tracked and says("Tracked: 120 bpm")[0]
    assert len(marked()) == COUNT and not bpy.ops.footlight.clear_beats.poll()


def check_all_sound_has_beats_of_its_own():
    stage()
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 11, 265
    scene.footlight.source = "MIX"
    (FOLDER / "heard.json").rename(FOLDER / "kept.json")
    grids.keep_tracked(home(), beat_grid.Grid.of([1.0, 1.5, 2.0, 2.5, 3.0], [True, False, False, False, True]))
    bpy.ops.footlight.correct_beats(change="HALF")
    assert np.allclose(grids.corrected(home()).times[:3], [1.0, 2.0, 3.0]) and "footlight_beats" in scene
    song = strips.whole_mix(scene, FOLDER)
    _, request = addon("api.dance").request(scene, None, song, FOLDER)
    given = json.loads((FOLDER / "BEATS.json").read_text())
    assert abs(given["beats"][0] - (1.0 - 11 / 30)) < 1e-3 and request.beats == str(FOLDER / "BEATS.json")


def check_beats_go_to_a_file_and_come_back():
    strip = stage()
    raises(RuntimeError, "Press Show Beats first", lambda: bpy.ops.footlight.export_beats(filepath="x"))
    bpy.ops.footlight.show_beats()
    path = str(FOLDER / "out.json")
    assert bpy.ops.footlight.export_beats(filepath=path) == {"FINISHED"}
    values = json.loads((FOLDER / "out.json").read_text())
    assert values["format"] == "footlight-beats 1" and len(values["beats"]) == COUNT and values["metre"] == 4
    values["beats"] = values["beats"][:8]
    del values["downbeats"]
    values["metre"] = 3
    (FOLDER / "out.json").write_text(json.dumps(values))
    assert bpy.ops.footlight.import_beats(filepath=path) == {"FINISHED"}
    grid = grids.corrected(home(strip))
    assert grid.metre == 3 and len(grid.times) == COUNT and grid.starts[0] == 0
    assert values["sound_begins"] == 0.0, "a strip begins with its sound"
    values["sound_begins"] = 0.1
    (FOLDER / "out.json").write_text(json.dumps(values))
    assert bpy.ops.footlight.import_beats(filepath=path) == {"FINISHED"}, "of a film, counted from its picture"
    later = np.array(values["beats"]) - 0.1
    assert np.abs(later[:, None] - np.array(grids.corrected(home(strip)).times)).min(axis=1).max() < 1e-6
    del values["sound_begins"]
    (FOLDER / "out.json").write_text(json.dumps(values))
    assert bpy.ops.footlight.import_beats(filepath=path) == {"FINISHED"} and grids.corrected(home(strip)) == grid
    (FOLDER / "out.json").write_text('{"beats": [1, 1]}')
    raises(RuntimeError, "out.json: the beats at 1 s and 1 s", lambda: bpy.ops.footlight.import_beats(filepath=path))
    raises(RuntimeError, "cannot be read", lambda: bpy.ops.footlight.import_beats(filepath=path + "x"))
    assert grids.corrected(home(strip)) == grid


def check_a_script_corrects_beats_too():
    strip = stage()
    folder = FOLDER / "job"
    folder.mkdir(exist_ok=True)
    song = strips.excerpt(bpy.context.scene, strip, folder)
    grids.keep_tracked(home(strip), beat_grid.Grid.of([0.25, 0.75, 1.25, 1.75]))
    beats.correct(home(strip), beat_grid.doubled)
    assert np.allclose(grids.known(home(strip)).times[:3], [0.0, 0.25, 0.5])
    own = beat_grid.Grid.of([1.0, 2.0, 3.0])
    target, _ = addon("api.dance").request(bpy.context.scene, None, song, folder, grid=own)
    assert json.loads((folder / "BEATS.json").read_text())["beats"] == [1.0, 2.0, 3.0]
    assert target.asked["beats"] == (folder / "BEATS.json").read_text()
