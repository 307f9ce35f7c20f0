"""Songs to scenes and films by the real engine, in the bpy module and in the real Blender, which says what came out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from PIL import Image

from core import cli
from core.show import file as show_file
from core.show.channels import PARTS
from tests.blender_addon.obedient import save_dance
from tests.core.audio.songs import encode, mp3, song, without_header

BATCH = Path(__file__).parents[3] / "train" / "render_batch.py"
RATE = 22_050
SMALL = ("--render", "--resolution", "96x54", "--frames")

HIDDEN = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent"}  # to libEGL: no driver is there

pytestmark = pytest.mark.blender


@pytest.fixture
def batch(run, model_folder):
    """Run render_batch with the model of random weights."""

    def batch(*arguments: object, **more: str) -> subprocess.CompletedProcess:
        return run(BATCH, *arguments, "--model", model_folder, "--python", sys.executable, "--device", "cpu", **more)

    return batch


@pytest.fixture
def songs(tmp_path) -> Path:
    """A folder with a song of three seconds and a file that is none."""
    folder = tmp_path / "songs"
    folder.mkdir()
    time = np.arange(3 * RATE) / RATE
    soundfile.write(folder / "good.wav", 0.5 * np.sin(2 * np.pi * 220 * time) * np.exp(-8 * (time % 0.5)), RATE)
    (folder / "bad.mp3").write_text("no music")
    return folder


def test_songs_become_scenes_and_films(batch, look, songs):
    arguments = (songs / "bad.mp3", songs / "good.wav", "--out", songs, *SMALL, "11:14", "--fps", 24)
    answer = batch(*arguments)
    assert answer.returncode == 1, answer.stdout[-4000:] + answer.stderr[-4000:]
    table = answer.stdout.split("result\n")[1]
    assert "bad.mp3   failed" in table and "not audio" in table and "good.wav  done" in table
    blend, movie = songs / "good.blend", songs / "good.mp4"
    assert sorted(path.name for path in songs.iterdir()) == ["bad.mp3", "good.blend", "good.mp4", "good.wav"]

    before = blend.stat().st_mtime_ns, movie.stat().st_mtime_ns
    again = batch(*arguments[1:], "--skip-existing")
    assert again.returncode == 0 and "good.wav  skipped" in again.stdout
    assert (blend.stat().st_mtime_ns, movie.stat().st_mtime_ns) == before
    movie.unlink()
    assert batch(*arguments[1:], "--skip-existing").returncode == 0
    assert blend.stat().st_mtime_ns == before[0] and movie.is_file()

    moved = songs.rename(songs.with_name("moved"))
    scene = look("look.py", moved / "good.blend", moved / "good.mp4")
    assert scene["fps"] == 24 and scene["frames"] == [1, 72] and scene["range"] == [1, 72]
    assert scene["song"] == "//good.wav" and scene["song is heard"]
    assert scene["size"] == [96, 54] and scene["film frames"] == 4 and scene["film is heard"]


BEATS = """
import bpy, sys
bpy.ops.wm.open_mainfile(filepath={blend!r})
print("FOUND", bpy.data.actions[0]["footlight_beats"].replace("\\n", ""))
"""


def test_the_beats_of_a_song_may_be_given(batch, run, songs, tmp_path):
    beats, script = tmp_path / "BEATS.json", tmp_path / "print.py"
    script.write_text(BEATS.format(blend=str(songs / "good.blend")))
    arguments = (songs / "good.wav", "--out", songs, "--steps", 2, "--beats", beats)
    beats.write_text('{"beats": [2, 1]}')
    answer = batch(*arguments)
    assert answer.returncode == 1 and "BEATS.json: the beats at 2 s and 1 s" in answer.stdout
    beats.write_text('{"beats": [0.1, 0.9, 1.7, 2.5], "metre": 3}')
    assert batch(*arguments).returncode == 0
    kept = run(script).stdout.split("FOUND ")[1].splitlines()[0]
    assert json.loads(kept)["beats"] == [0.1, 0.9, 1.7, 2.5] and json.loads(kept)["downbeats"] == [0.1, 2.5]


MATROSKA = """
import bpy  # brings aud along
import aud
sound = aud.Sound.file({source!r})
for path in {paths!r}:
    sound.write(path, 44_100, 1, aud.FORMAT_S16, aud.CONTAINER_MATROSKA, aud.CODEC_AAC, 128_000, 4096)
"""


def test_songs_as_people_have_them(batch, run, look, tmp_path):
    """Blender decodes what the engine cannot; lengths that Blender guesses are put right; what was cut is said."""
    out, script, names = tmp_path / "out", tmp_path / "make.py", ("aac.mka", "named.mp3", "named too.wav")
    whole = encode(song(4.0), form="WAV")
    (tmp_path / "whole.wav").write_bytes(whole)
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) * 3 // 4])
    (tmp_path / "bare.mp3").write_bytes(without_header(mp3(song(8.0))))
    script.write_text(MATROSKA.format(source=str(tmp_path / "whole.wav"), paths=[str(tmp_path / n) for n in names]))
    made = run(script)
    files = [tmp_path / name for name in (*names, "bare.mp3", "cut.wav")]
    assert all(path.is_file() for path in files), made.stdout + made.stderr
    page = tmp_path / "page.mp3"
    page.write_text("<!DOCTYPE html><html>not found</html>")
    ffmpeg, called = tmp_path / "bin" / "ffmpeg", tmp_path / "called"
    ffmpeg.parent.mkdir()
    ffmpeg.write_text(f"#!/bin/sh\ntouch '{called}'\nexit 1\n")
    ffmpeg.chmod(0o755)
    path = f"{ffmpeg.parent}{os.pathsep}{os.environ['PATH']}"
    answer = batch(*files, page, "--out", out, "--steps", 2, PATH=path)
    assert not called.exists(), "Blender decodes"
    table = answer.stdout.split("result\n")[1]
    rows = {path.name: row for path in [*files, page] for row in table.splitlines() if row.startswith(f"{path.name} ")}
    assert answer.returncode == 1 and "web page" in rows.pop("page.mp3"), answer.stdout[-4000:]
    assert len(rows) == 5 and all(" done " in row for row in rows.values()), table
    assert "ends after 3.0 of the 4.0 s" in rows.pop("cut.wav") and "ends after" not in "".join(rows.values())
    for name, seconds in (("aac", 4.0), ("named", 4.0), ("named too", 4.0), ("bare", 8.0)):
        found = look("music.py", out / f"{name}.blend")
        (path, first, end), (begin, last) = found["strips"][0], found["frames"]
        assert path.endswith(next(file.name for file in files if file.stem == name))
        assert abs((end - first) / 30 - seconds) < 0.2 and abs((last - begin + 1) / 30 - seconds) < 0.2, (name, found)


OWN_SCENE = """
import sys
import bpy
sys.path.insert(0, {root!r})
from blender_addon.scene.dancer import add_dancer
bpy.ops.wm.read_homefile(use_empty=True)
add_dancer(bpy.context).name = "Mary"
add_dancer(bpy.context).name = "John"
bpy.ops.object.camera_add(location=(0, -6, 1), rotation=(1.5, 0, 0))
scene = bpy.context.scene
scene.render.fps, scene.frame_start = 25, 101
scene.render.resolution_x, scene.render.resolution_y = 64, 64
bpy.ops.wm.save_as_mainfile(filepath={blind!r})
scene.camera = bpy.context.object
bpy.ops.wm.save_as_mainfile(filepath={seeing!r})
"""


def test_a_scene_of_ones_own(batch, run, look, songs, tmp_path):
    own, blind = tmp_path / "own" / "seeing.blend", tmp_path / "own" / "blind.blend"
    own.parent.mkdir()
    script = tmp_path / "own.py"
    script.write_text(OWN_SCENE.format(root=str(BATCH.parents[1]), blind=str(blind), seeing=str(own)))
    made = run(script)
    assert own.is_file(), made.stdout[-4000:] + made.stderr[-4000:]
    out = tmp_path / "out"
    arguments = (songs / "good.wav", "--out", out, "--render", "--frames", "1:102", "--blend")
    unclear = batch(*arguments, own)
    assert unclear.returncode == 1 and "which armature is meant" in unclear.stdout and "Mary" in unclear.stdout
    dark = batch(*arguments, blind, "--armature", "John")
    assert dark.returncode == 1 and "has no camera" in dark.stdout and not list(out.iterdir())
    answer = batch(*arguments, own, "--armature", "John")
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    scene = look("look.py", out / "good.blend", out / "good.mp4")
    assert scene["fps"] == 25 and scene["frames"] == [101, 175] and scene["range"] == [101, 175]
    assert scene["objects"] == ["Camera", "Dancer body", "Dancer body.001", "John", "Mary"]
    assert scene["song"] == "//../songs/good.wav" and scene["song is heard"]
    assert scene["size"] == [64, 64] and scene["film frames"] == 2
    lit = (songs / "good.wav", "--out", tmp_path / "lit", "--render", "--frames", "101:101", "--engine", "cycles")
    refused = batch(*lit, "--blend", blind, "--theatre")
    assert refused.returncode == 2 and "not --blend" in refused.stderr
    answer = batch(*lit, "--blend", blind, "--armature", "John", "--look", "dawn")
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    scene = look("look.py", tmp_path / "lit" / "good.blend", tmp_path / "lit" / "good.mp4")
    assert {"Mary", "Stage floor", "Stage backdrop", "Stage follow spot", "Stage camera"} <= set(scene["objects"])
    assert scene["fps"] == 25 and scene["frames"] == [101, 175] and scene["size"] == [64, 64]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="OpenGL can be hidden on Linux only")
def test_without_opengl_cycles_films(batch, songs):
    arguments = (songs / "good.wav", "--out", songs / "out", *SMALL, "1:1")
    answer = batch(*arguments, **HIDDEN)
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    assert "rendering with Cycles" in answer.stdout and (songs / "out" / "good.mp4").is_file()
    answer = batch(*arguments, "--engine", "workbench", **HIDDEN)
    assert answer.returncode == 2 and "--engine cycles" in answer.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="OpenGL can be hidden on Linux only")
def test_without_opengl_a_film_is_drawn(batch, look, songs):
    arguments = (songs / "good.wav", "--out", songs, "--render", "--resolution", "160x90", "--frames", "10:69")
    arguments = (*arguments, "--engine", "drawn", "--within", 300)
    answer = batch(*arguments, **HIDDEN)
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    there, filming = (
        answer.stdout.index("good.blend is there"),
        answer.stdout.index("filming 60 frames of 160x90, about "),
    )
    assert there < filming < answer.stdout.index("done     good.wav")
    film = look("film.py", songs / "good.mp4")
    assert film["fps"] == 30 and film["frames"] == 60 and film["size"] == [160, 90]
    # the song's tones begin every half second; the film begins 0.3 s into the song
    assert film["onsets"] == pytest.approx([0.2, 0.7, 1.2, 1.7], abs=1 / 30)


def test_a_drawn_dancer_stands_where_blender_projects_it(look):
    seen = look("drawn.py")
    assert seen["drawn"] == pytest.approx(seen["projected"], abs=1.5)
    assert seen["darker"] > 0.002, "there is no shadow"
    assert seen["range"][0] >= 0 and seen["range"][1] <= 1


def test_drawn_light_has_the_colour_of_its_role_where_that_shines(look):
    """Red from the front, green from the top, yellow on the dancer alone, blue on the cloth alone."""
    seen = look("lit.py")

    def lit(role, place):
        return [channel > 0.15 for channel in seen[role][place]]

    assert lit("front", "chest") == [True, False, False] and lit("top", "floor") == [False, True, False]
    assert lit("follow", "chest") == [True, True, False] and not any(lit("follow", "corner"))
    assert lit("backdrop", "cloth") == [False, False, True] and not any(lit("backdrop", "floor"))
    assert not any(lit("follow", "cloth")) and not any(lit("top", "cloth"))
    assert seen["shadow"]["with"] < 0.05 < 0.12 < seen["shadow"]["without"], "of the hips, from the left front lamp"


def test_a_look_lights_a_dance_and_its_film(batch, look, songs):
    arguments = (songs / "good.wav", "--out", songs, *SMALL, "5:12", "--engine", "drawn", "--look", "neon")
    answer = batch(*arguments)
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    show = show_file.read(songs / "good.show.json")
    assert show.look == "neon" and show.seconds == pytest.approx(3.0, abs=0.1)
    assert look("film.py", songs / "good.mp4")["frames"] == 8
    again = batch(*arguments[:-2], "--show", songs / "good.show.json")
    assert again.returncode == 0, again.stdout[-4000:] + again.stderr[-4000:]


def test_the_theatre_makes_dance_and_light_together(run, look, songs, theatre_folder):
    def batch(*more: object) -> None:
        engine = ("--model", theatre_folder, "--python", sys.executable, "--device", "cpu")
        answer = run(BATCH, songs / "good.wav", "--out", songs, "--theatre", "--steps", 2, *more, *engine)
        assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]

    batch("--look", "noir", "--accent", "arrive", *SMALL, "5:8", "--engine", "drawn")
    show = show_file.read(songs / "good.show.json")
    assert show.look == "noir" and show.seconds == pytest.approx(3.0, abs=0.1)
    assert look("film.py", songs / "good.mp4")["frames"] == 4
    kept = (songs / "good.show.json").read_bytes()
    batch("--show", songs / "good.show.json")
    assert (songs / "good.show.json").read_bytes() == kept
    danced = songs / "danced.npz"
    assert cli.main(["dance", str(songs / "good.wav"), "--out", str(danced), "--model", str(theatre_folder)]) == 0
    batch("--dance", danced, "--look", "disco")
    assert show_file.read(songs / "good.show.json").look == "disco"


def test_what_was_made_from_something_else_is_made_again(batch, songs):
    """Another song of the same name, another seed: said, and made. The same song from elsewhere is the same."""
    save_dance(songs)
    with np.load(songs / "dance.npz") as dance:
        np.savez(songs / "dance.npz", **{**dance, "fps": 30.0})
    elsewhere = songs / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(songs / "good.wav", elsewhere)

    def said(song: Path, *more: object) -> str:
        answer = batch(song, "--out", songs, "--dance", songs / "dance.npz", "--skip-existing", *more)
        assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
        return answer.stdout

    assert "good.wav  done" in said(songs / "good.wav")
    assert "good.wav  skipped" in said(elsewhere / "good.wav")
    soundfile.write(elsewhere / "good.wav", np.zeros(3 * RATE), RATE)
    again = said(elsewhere / "good.wav", "--seed", 3)
    assert again.count("good.wav is made again: it was made with another song, --seed 0\n") == 1
    assert "good.wav  done" in again and "is made again" not in said(elsewhere / "good.wav", "--seed", 3)


def test_a_look_that_is_damaged_is_said_before_anything_is_made(batch, songs):
    Image.new("RGB", (64, 48), (200, 30, 30)).save(songs / "look.png")
    (songs / "look.png").write_bytes((songs / "look.png").read_bytes()[:60])
    answer = batch(songs / "good.wav", songs / "bad.mp3", "--out", songs, "--look", songs / "look.png")
    assert answer.returncode == 2 and "good" not in answer.stdout
    (line,) = [line for line in answer.stderr.splitlines() if line.startswith("render_batch")]
    assert line.startswith(f"render_batch: --look: {songs / 'look.png'}: ")
    assert sorted(path.name for path in songs.iterdir()) == ["bad.mp3", "good.wav", "look.png"]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({}, ""),
        ({"options": {"seed": 4, "style": "pop"}}, "it was made with --seed 4"),
        ({"options": {"seed": 0}}, "it was made with no --style"),
        ({"options": {"seed": 0, "style": "pop", "theatre": True}}, "it was made with --theatre"),
        ({"options": {"seed": 0, "style": "pop", "beat_snap": 0.5}}, "it was made with --beat-snap 0.5"),
        ({"files": {"song": "2", "scene": "3"}}, "it was made with another scene, another song"),
        ({"model": "old"}, "it was made with another model"),
        ({"files": 3}, "nothing says what it was made from"),
        (None, "nothing says what it was made from"),
    ],
)
def test_what_a_result_was_made_from_is_told_in_words(before, words):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import origin

    now = {"files": {"song": "1"}, "options": {"seed": 0, "style": "pop"}, "model": "new"}
    assert origin.otherwise("" if before is None else json.dumps(now | before), json.dumps(now)) == words


def test_every_option_counts_or_is_known_not_to():
    """An option that is added has to be put on one side or the other."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import options, origin

    counted_otherwise = {"inputs", "score", "blend", "show", "beats", "dance", "seed", "count", "model", "engine"}
    no_matter = {"help", "out", "skip_existing", "python", "device", "render", "frames", "within"}
    known = {action.dest for action in options.options("")._actions}
    assert known == {*origin.OPTIONS} | counted_otherwise | no_matter


def test_pictures_of_another_engine_are_other_pictures(tmp_path, monkeypatch):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command, origin

    (tmp_path / "a.wav").write_bytes(b"a song")
    monkeypatch.setattr(command.opengl, "lacking", lambda: "")

    def told(engine, *asked):
        words = [str(tmp_path / "a.wav"), "--out", str(tmp_path), "--look", "noir", "--engine", engine, *asked]
        args = command.parse(words, "")
        return origin.told(args.items[0], args)

    pictures, film = ("--dataset", "3"), ("--render",)
    assert origin.otherwise(told("cycles", *pictures), told("eevee", *pictures)) == "it was made with --engine cycles"
    assert origin.otherwise(told("cycles", *film), told("eevee", *film)) == "", "the scene is the same"


def test_moves_reach_the_engine_and_count_for_what_was_made_before(tmp_path):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command, making, origin

    (tmp_path / "a.wav").write_bytes(b"a song")

    def asked(*words):
        args = command.parse([str(tmp_path / "a.wav"), "--out", str(tmp_path), *words], "")
        desk = making.Desk(args, args.items[0], None, tmp_path, print, "")
        return desk.options.get("moves"), origin.told(args.items[0], args)

    (usual, before), (pairs, now) = asked(), asked("--moves", "AABB")
    assert usual is None and pairs == "AABB"
    assert origin.otherwise(before, now) == "it was made with no --moves"
    assert origin.otherwise(now, before) == "it was made with --moves AABB"


def test_a_data_set_of_lit_stages(batch, songs):
    arguments = (songs / "good.wav", "--out", songs, "--look", "noir,neon", "--dataset", 3, "--engine", "cycles")
    answer = batch(*arguments)
    assert answer.returncode == 0 and "3 pictures" in answer.stdout, answer.stdout[-4000:] + answer.stderr[-4000:]
    lines = [json.loads(line) for line in (songs / "good" / "frames.jsonl").read_text().splitlines()]
    assert len(lines) == 3 and {line["look"] for line in lines} <= {"noir", "neon"}
    for line in lines:
        assert set(line["channels"]) == {name for name, _, _ in PARTS} and 0 <= line["seconds"] < 3
        with Image.open(songs / "good" / line["file"]) as picture:
            assert picture.size == (128, 72)
    assert "skipped" in batch(*arguments, "--skip-existing").stdout
    assert (
        "it was made with --look noir,neon"
        in batch(*arguments[:3], "--look", "noir", *arguments[5:], "--skip-existing").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("a.wav --out out --show none.json", "no such file"),
        ("a.wav --out out --look opera", "--look: unknown look 'opera': choose one of"),
        ("a.wav --out out --look gone.png", "no such file"),
        ("a.wav --out out --look noir,opera --dataset 5 --engine cycles", "unknown look 'opera'"),
        ("a.wav --out out --look neon --show a.json", "one of them"),
        ("a.wav --out out --look neon --render --engine workbench", "lamps"),
        ("--duet 30 --out out --look neon", "--duet"),
        ("a.wav --out out --dataset 5", "--look"),
        ("a.wav --out out --accent strike", "--theatre"),
        ("a.wav --out out --theatre --accent stumble", "strike or arrive"),
        ("a.wav --out out --theatre --look noir,neon --dataset 5", "leave --theatre out"),
        ("--duet 30 --out out --theatre", "--duet"),
        ("a.wav", "--out"),
        ("--out out", "SONG"),
        ("a.wav b/a.wav c/b_a.wav b_a.mp3 --out out", "b_a.blend"),
        ("a.wav --out out --render --frames 9:3", "FIRST:LAST"),
        ("a.wav --out out --render --resolution 1280", "1280x720"),
        ("a.wav --out out --fps 0", "1 to 240 frames per second"),
        ("a.wav --out out --frames 1:3", "--render"),
        ("a.wav --out out --blend none.blend", "no such file"),
        ("a.wav --out out --armature Ann", "--blend"),
        ("a.wav --out out --render --engine luxury", "luxury"),
        ("a.wav --out out --within 9", "--render"),
        ("a.wav --out out --dance none.npz", "no such file"),
        ("a.wav b.wav --out out --dance d", "one SONG"),
        ("a.wav --out out --beats none.json", "no such file"),
        ("a.wav b.wav --out out --beats b.json", "one SONG"),
        ("a.blend --score --out out --beats b.json", "to which a dance is made"),
        ("a.blend --score --duet 30 --out out", "one of them"),
        ("a.wav --duet 30 --out out", "a.wav has no use"),
        ("--duet 3 --out out", "5 to 240 seconds"),
        ("--duet 30 --count 0 --out out", "1 or more"),
        ("a.wav --count 3 --out out", "--duet SECONDS"),
        ("--score --out out", ".blend"),
        ("a.blend --score --out out --seconds 9", "the scene's frames"),
        ("a.blend --score --out out --fps 24", "its frame rate"),
        ("a.blend --score --out out --beat-snap 1", "makes music"),
        ("--duet 30 --out out --free-form", "nothing returns anyway"),
        ("a.wav --out out --moves AA-B", "moves is AA-B; expected 1 to 16 letters"),
        ("a.wav --out out --moves AABB --free-form", "give one of them"),
        ("a.blend --score --out out --moves AABB", "made to a SONG"),
        ("--duet 30 --out out --moves AABB", "made to a SONG"),
        ("a.blend --score --out out --keys 2", "makes music"),
        ("a.wav --out out --keys few", "DEGREES:MILLIMETRES"),
        ("a.wav --out out --keys 0", "give 1 or more"),
        ("a.wav --out out --keys 1:0", "give more than 0"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments, words, tmp_path, capsys):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command

    with pytest.raises(SystemExit) as end:
        command.parse(arguments.split(), "")
    error = capsys.readouterr().err
    assert end.value.code == 2 and words in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("files", "stems"),
    [
        ("a.wav b.mp3", "a b"),
        ("x/a.wav y/A.mp3 y/b.wav", "x_a y_A b"),
        ("a.wav a.mp3 a.flac", "a_wav a_mp3 a_flac"),
        ("s/one/01.wav s/two/01.wav s/two/01.mp3", "one_01 two_01_wav two_01_mp3"),
    ],
)
def test_songs_of_one_name_get_results_of_several(files, stems):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import inputs

    assert inputs.stems([Path(name) for name in files.split()]) == stems.split()


def test_songs_of_one_name_may_lie_on_several_drives(monkeypatch):
    """On Windows they have no folder in common, and Python says so by a ValueError."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import inputs

    def apart(_paths):
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(inputs.os.path, "commonpath", apart)
    assert inputs.stems([Path("/c/music/a.wav"), Path("/d/a.mp3")]) == ["c_music_a", "d_a"]


def test_folders_and_patterns_mean_the_songs_in_them(tmp_path):
    """Windows' shells leave patterns to programs."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import inputs

    (tmp_path / "below").mkdir()
    (tmp_path / "out").mkdir()
    for name in ("b.MP3", "a?.wav", "notes.txt", ".hidden.wav", "below/c.flac", "out/made.wav"):
        (tmp_path / name).touch()

    def found(*given):
        return [str(path.relative_to(tmp_path)) for path in inputs.found(given, {".mp3", ".wav", ".flac"}, out)]

    out = tmp_path / "out"
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    assert "gone.wav" in found(tmp_path), "the table says that it is missing"
    (tmp_path / "gone.wav").unlink()
    assert found(tmp_path) == ["a?.wav", "b.MP3", "below/c.flac"]
    assert found(tmp_path / "*.MP3", tmp_path / "b.MP3", tmp_path / "a?.wav") == ["b.MP3", "a?.wav"]
    assert found(tmp_path / "*.ogg") == ["*.ogg"] and found(out) == ["out/made.wav"]


def test_a_scene_that_the_disk_does_not_hold_is_not_kept(tmp_path):
    """Blender says that it saved a file whose end is missing."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    from blender_addon.batch import making
    from blender_addon.errors import UserError

    sound = SimpleNamespace(filepath=str(tmp_path / "song.wav"))
    making.save(tmp_path / "whole.blend", sound)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "whole.blend").stat().st_size - 1_000, unlimited[1]))
    try:
        with pytest.raises((UserError, RuntimeError), match=r"Free some space|too large"):
            making.save(tmp_path / "cut.blend", sound)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.blend"]


def test_a_film_older_than_its_scene_is_not_there(tmp_path):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import __main__ as program
    from blender_addon.batch import command

    (item,) = (args := command.parse(["a.wav", "--out", str(tmp_path), "--render", "--engine", "cycles"], "")).items
    assert not program.filmed(item, args)
    for name, age in (("a.blend", 50), ("a.mp4", 60)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert program.filmed(item, args)
    os.utime(tmp_path / "a.blend", (70, 70))
    assert not program.filmed(item, args), "a scene that was made anew without its film"


def test_what_no_one_foresaw_costs_one_song_and_no_more(tmp_path, monkeypatch, capfd):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import __main__ as program

    def make(item, *_rest):
        if item.label == "b.wav":
            raise KeyError("nobody")
        return "danced"

    monkeypatch.setattr(program, "make", make)
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / name).touch()
    assert program.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    said = capfd.readouterr().out
    states = [line.split()[:2] for line in said.split("result\n")[1].splitlines()]
    assert states == [["a.wav", "done"], ["b.wav", "failed"], ["c.wav", "done"]]
    assert "KeyError('nobody')" in said and "Traceback" in said


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text here")
def test_a_song_whose_name_is_no_text_is_said_and_the_rest_goes_on(tmp_path, monkeypatch, capfd):
    """As of files from a system whose names were Latin-1."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import __main__ as program

    monkeypatch.setattr(program, "make", lambda *_: "danced")
    for name in ("a.wav", os.fsdecode(b"caf\xe9.wav"), "dance.wav"):
        (tmp_path / name).touch()
    assert program.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    table = capfd.readouterr().out.split("result\n")[1]
    assert [line.split()[1] for line in table.splitlines()] == ["done", "failed", "done"]
    assert r"caf\udce9.wav: Blender opens no file whose name is no UTF-8; rename it" in table


def test_a_result_may_have_the_longest_name_that_there_is(tmp_path):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import making

    for stem in ("l" * 249, "\N{DANCER}" * 62):
        making.save(tmp_path / f"{stem}.blend", SimpleNamespace(filepath=str(tmp_path / "song.wav")))
    assert {len(path.stem.encode()) for path in tmp_path.iterdir()} == {249, 248}


def test_a_look_is_named_or_a_file(tmp_path, capsys):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command

    (tmp_path / "mine.png").touch()
    usual = ["a.wav", "--out", str(tmp_path), "--look"]
    for good in (["Neon"], [str(tmp_path / "mine.png")], ["noir,neon", "--dataset", "5", "--engine", "cycles"]):
        command.parse([*usual, *good], "")
    command.parse([*usual, "of my model", "--theatre", "--model", "mine"], "")
    for wrong, told in (
        (["opera"], "neon"),
        (["opera", "--theatre"], "neon"),
        (["gone.png", "--theatre", "--model", "mine/gone"], "`core looks`"),
    ):
        with pytest.raises(SystemExit):
            command.parse([*usual, *wrong], "")
        assert told in capsys.readouterr().err


def test_what_killed_runs_left_is_taken_away(tmp_path):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import __main__ as program

    for name in (".a.blend.7.part.blend", ".a.mp4.7.part", ".a.mp4.8.part", "a.blend"):
        (tmp_path / name).touch()
        if "8" not in name:
            os.utime(tmp_path / name, (0, 0))
    program.clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.mp4.8.part", "a.blend"]


@pytest.mark.parametrize(
    ("keys", "every", "tolerance", "smooth"),
    [(None, 1, None, False), ("1", 1, None, False), ("3", 3, None, True), ("0.5:4", 1, (0.5, 4.0), True)],
)
def test_which_frames_are_keyed(keys, every, tolerance, smooth, tmp_path):
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command

    (tmp_path / "a.wav").touch()
    words = [str(tmp_path / "a.wav"), "--out", str(tmp_path / "out"), *(("--keys", keys) if keys else ())]
    found = command.parse(words, "").keys
    told = found.tolerance and (found.tolerance.degrees, found.tolerance.millimetres)
    assert (found.every, told, found.smooth) == (every, tolerance, smooth)


def test_a_folder_is_danced_to_whole_or_what_is_left_out_is_said(tmp_path, capsys):
    """Sounds that Blender's own list of endings lacks, and films beside songs."""
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import command

    for name in ("a.wav", "b.caf", "c.au", "d.w64", "e.AIFC", "notes.txt", "clip.webm", "film.mp4"):
        (tmp_path / name).touch()
    args = command.parse([str(tmp_path), "--out", str(tmp_path / "out")], "")
    assert [path.name for path in args.inputs] == ["a.wav", "b.caf", "c.au", "d.w64", "e.AIFC"]
    said = capsys.readouterr().out
    assert f"left out, as films are taken by their names: {tmp_path / 'clip.webm'} and 1 more" in said
    args = command.parse([str(tmp_path / "clip.webm"), "--out", str(tmp_path / "out")], "")
    assert [path.name for path in args.inputs] == ["clip.webm"] and "left out" not in capsys.readouterr().out
