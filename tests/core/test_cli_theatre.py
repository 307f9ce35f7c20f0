"""``footlight theatre``: a dance and its light together, one for the other, and what cannot be made."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from core import cli
from core.edits.parts import joints_of
from core.formats import bvh, dance
from core.show import file
from core.show.channels import CHANNELS, channels_of
from core.show.flashes import most_flashes
from core.show.show import Show, as_valid
from tests.core.test_cli import command

QUICK = ("--steps", 2)


def ran(*words) -> int:
    return cli.main([str(word) for word in words])


@pytest.fixture(scope="module")
def made(song_file, theatre_folder, tmp_path_factory):
    """A dance and its light by the command, and what the command said."""
    folder = tmp_path_factory.mktemp("made")
    outs = ("--out", "dance.bvh", "--out-light", "SHOW.json")
    words = ("theatre", song_file, *outs, "--model", theatre_folder, "--look", "noir", "--seconds", 4, "--fps", 25)
    done = command(*words, "--seed", 3, *QUICK, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_a_song_becomes_a_dance_and_its_light(made):
    folder, said = made
    assert sorted(path.name for path in folder.iterdir()) == ["SHOW.json", "dance.bvh"]
    motion, show = bvh.read_motion(folder / "dance.bvh"), file.read(folder / "SHOW.json")
    assert (motion.frames, motion.fps) == (100, 25.0)
    assert show.look == "noir" and show.seconds == pytest.approx(4.0, abs=0.05) and most_flashes(show) <= 3
    first = 0.5 * round(show.beats[0] / 0.5)  # nothing comes before the first click, so it may not be heard as a beat
    assert first in (0.0, 0.5) and show.beats == pytest.approx(np.arange(first, 4.0, 0.5), abs=0.05)
    document = json.loads((folder / "SHOW.json").read_text())
    assert (document["seed"], document["model"]) == ("3", "tiny")
    assert len(said.splitlines()) == 1
    assert said.startswith("dance.bvh, SHOW.json: 100 frames at 25 fps, 120 bpm")
    assert "strike, look noir, seed 3" in said and "energy on beats" in said and "beat f" not in said


def test_the_same_words_make_the_same_files_and_others_do_not(made, song_file, theatre_folder, tmp_path, capsys):
    folder, _ = made
    same = ["theatre", song_file, "--model", theatre_folder, "--seconds", 4, "--fps", 25, "--seed", 3, *QUICK]
    noir = ("--look", "noir")
    changes = {"same": noir, "look": ("--look", "disco"), "accent": (*noir, "--accent", "arrive")}
    for name, change in changes.items():
        outs = ("--out", tmp_path / f"{name}.bvh", "--out-light", tmp_path / f"{name}.json")
        assert ran(*same, *change, *outs) == 0
    first = [(folder / name).read_bytes() for name in ("dance.bvh", "SHOW.json")]
    files = {name: [(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("bvh", "json")] for name in changes}
    assert files["same"] == first
    for name in ("look", "accent"):
        assert files[name][0] != first[0] and files[name][1] != first[1]
    assert "arrive" in capsys.readouterr().out


def test_a_dance_gets_its_light(made, song_file, theatre_folder, tmp_path, capsys):
    folder, _ = made
    out = tmp_path / "SHOW.json"
    words = ["theatre", song_file, "--model", theatre_folder, "--motion", folder / "dance.bvh", "--seconds", 4]
    assert ran(*words, "--out-light", out, "--look", "disco", "--json", *QUICK) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    fractions = [event["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    done = events[-1]
    assert done["out"] is None and done["out_light"] == str(out) and done["look"] == "disco" and done["frames"] == 100
    assert file.read(out).look == "disco" and {"light_energy", "energy_on_beats"} <= set(done["metrics"])
    assert ("beat" in done["metrics"]) == (done["metrics"]["energy_on_beats"] <= 1), "who strikes does not arrive"
    assert [path.name for path in tmp_path.iterdir()] == ["SHOW.json"]
    for accent in ((), ("--accent", "arrive")):
        assert ran(*words, "--out-light", out, *accent, *QUICK) == 0
        said = capsys.readouterr().out
        assert "strike" not in said and (" arrive" in said) == bool(accent), "of a dance that is given nobody knows"


def test_light_gets_its_dance(made, song_file, theatre_folder, tmp_path):
    folder, _ = made
    out = tmp_path / "dance.npz"
    words = ["theatre", song_file, "--model", theatre_folder, "--light", folder / "SHOW.json", "--seconds", 4]
    assert ran(*words, "--out", out, *QUICK) == 0
    arrays, _ = dance.read_arrays(out, ("rotations",))
    assert arrays["rotations"].shape == (120, 22, 4)


def still_light(folder, to):
    """Light that stays as it is: what is kept of it cannot flash. Returns its frames a second."""
    first = file.read(folder / "SHOW.json").values[:1]
    first[:, channels_of("strobe")] = 0
    rate = file.read(folder / "SHOW.json").fps
    to.write_bytes(file.encoded(Show(first.repeat(round(4 * rate), axis=0), rate)))
    return rate


def test_a_part_of_a_dance_and_of_its_light_is_made_anew(made, song_file, theatre_folder, tmp_path):
    folder, _ = made
    rate = still_light(folder, tmp_path / "still.json")
    given = ("--motion", folder / "dance.bvh", "--light", tmp_path / "still.json")
    outs = ("--out", tmp_path / "dance.bvh", "--out-light", tmp_path / "SHOW.json")
    words = ["theatre", song_file, "--model", theatre_folder, "--seconds", 4, "--range", "frames 30:60", *QUICK]
    assert ran(*words, *given, *outs, "--joints", "left arm", "--roles", "front, follow", "--seed", 3) == 0
    base, anew = (bvh.read_motion(path / "dance.bvh") for path in (folder, tmp_path))
    # q and -q are the same rotation, and which one is read depends on the frames before
    apart = [(base.rotations - sign * anew.rotations).abs().amax(-1) for sign in (1, -1)]
    changed = torch.minimum(*apart) > 1e-4
    assert set(changed.any(0).nonzero()[:, 0].tolist()) <= set(joints_of(("left arm",)))
    assert int(changed.any(1).sum()) > 20 and not changed[:30].any() and not changed[60:].any()
    moved = file.read(tmp_path / "SHOW.json").values != file.read(tmp_path / "still.json").values
    assert set(np.flatnonzero(moved.any(0))) <= set(channels_of("front,follow"))
    rows = np.flatnonzero(moved.any(1))
    assert len(rows) > 10 and rows.min() >= round(30 / 25 * rate) and rows.max() < round(60 / 25 * rate)


def test_a_part_of_the_light_is_made_anew_and_the_dance_stays(made, song_file, theatre_folder, tmp_path):
    """Without a place for the dance; and the other way round. Several parts of the light may be named."""
    folder, _ = made
    still_light(folder, tmp_path / "still.json")
    given = ("--motion", folder / "dance.bvh", "--light", tmp_path / "still.json", "--range")
    words = ["theatre", song_file, "--model", theatre_folder, "--seconds", 4, *QUICK]
    assert ran(*words, *given, "0.5:1, 2:2.5", "--out-light", tmp_path / "SHOW.json", "--seed", 3) == 0
    old, new = (file.read(tmp_path / name) for name in ("still.json", "SHOW.json"))
    changed = np.flatnonzero((old.values != new.values).any(1)) / old.fps
    assert len(changed) and all(0.46 < second < 1.0 or 1.96 < second < 2.5 for second in changed)
    assert min(changed) < 1 and max(changed) > 2
    assert ran(*words, *given, "1:2", "--out", tmp_path / "dance.bvh", "--seed", 3) == 0
    assert not np.array_equal(*(bvh.read_motion(path / "dance.bvh").root for path in (folder, tmp_path)))
    assert ran(*words, *given, "1:2, 3:4", "--out", tmp_path / "dance.bvh") == 2, "a dance has one range"


def test_beats_are_given_and_a_picture_is_a_look(song_file, theatre_folder, tmp_path):
    beats, picture, out = tmp_path / "BEATS.json", tmp_path / "red.png", tmp_path / "SHOW.json"
    beats.write_text('{"beats": [0.2, 1.0, 1.8, 2.6, 3.4], "metre": 3}')
    Image.new("RGB", (64, 48), (200, 30, 30)).save(picture)
    words = ["theatre", song_file, "--model", theatre_folder, "--seconds", 4, "--beats", beats, "--look", picture]
    assert ran(*words, "--out", tmp_path / "dance.npz", "--out-light", out, *QUICK) == 0
    show = file.read(out)
    assert show.beats == pytest.approx((0.2, 1.0, 1.8, 2.6, 3.4)) and show.look


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out-light", "a.json"], "no place for the dance; give out, or motion"),
        (["--motion", "a.bvh", "--out", "b.bvh", "--out-light", "a.json"], "only its light is made; give out light"),
        (["--motion", "a.bvh"], "no place for the light; give out light"),
        (["--light", "a.json", "--out", "a.bvh", "--out-light", "b.json"], "only a dance is made; give out"),
        (["--light", "a.json", "--motion", "a.bvh", "--out-light", "b.json"], "nothing is left to make"),
        (
            ["--light", "a.json", "--motion", "a.bvh", "--range", "0:1"],
            "no place for the range; give out for its dance",
        ),
        (["--out", "a.fbx"], "the ending must be one of .bvh, .npz"),
        (["--out", "a.bvh", "--out-light", "a.txt"], "the ending must be one of .json"),
        (["--out", "a.bvh", "--look", "opera"], "unknown look 'opera': this model knows disco, noir"),
        (["--out", "a.bvh", "--look", "song.wav"], "give a jpg, png or webp file"),
        (["--out", "a.bvh", "--accent", "stumble"], "accent is stumble; expected strike or arrive"),
        (["--out", "a.bvh", "--style", "waltz"], "unknown style 'waltz'"),
        (["--motion", "none.bvh", "--out-light", "a.json"], "none.bvh: there is no such file"),
        (["--out", "a.bvh", "--range", "0:1"], "made anew of a given motion or light; give motion or light"),
        (["--out", "a.bvh", "--joints", "arms"], "made anew of a given motion; give motion"),
        (["--light", "fast.json", "--out", "a.bvh", "--range", "0:1"], "no place for the light; give out light"),
        (["--light", "fast.json", "--out", "a.bvh", "--out-light", "a.json", "--roles", "moon"], "choose among front"),
        (["--light", "fast.json", "--out", "a.bvh"], "the show has 30 frames a second; this model"),
    ],
)
def test_what_cannot_be_made_is_one_line(song_file, theatre_folder, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.wav").write_bytes(song_file.read_bytes())
    (tmp_path / "fast.json").write_bytes(file.encoded(Show(as_valid(np.zeros((30, CHANNELS))), 30.0)))
    assert ran("theatre", "song.wav", "--model", theatre_folder, *words) == 2
    said = capsys.readouterr().err
    assert message in said and said.startswith("footlight theatre: ") and len(said.splitlines()) == 1
    assert not (tmp_path / "a.bvh").exists() and not (tmp_path / "a.json").exists()


def test_a_model_without_theatre_says_what_to_do(song_file, model_folder, tmp_path, capsys):
    assert ran("theatre", song_file, "--model", model_folder, "--out", tmp_path / "a.bvh", "--look", "noir") == 2
    said = capsys.readouterr().err
    assert "the model tiny has no theatre: choose another, or train it with `python -m train.fit theatre`" in said
    assert "`core light` lights songs by rules" in said and not list(tmp_path.iterdir())
