"""Light for a rendered song whose sections and beats are known, from the command line to the file."""

import json

import numpy as np
import pytest
import soundfile
import torch

from core import cli
from core.audio.io import read
from core.errors import FootlightError, collected_warnings
from core.formats.motion import MotionClip
from core.metrics.light import answer, resampled
from core.pipeline.light import WrittenLight, light_song
from core.protocol import LightOptions
from core.show import file
from core.show.channels import ROLES, SLICES
from core.show.flashes import MOST, most_flashes
from core.types import Waveform
from train.demo.song import compose


@pytest.fixture(scope="module")
def demo():
    return compose(seconds=40.0)


@pytest.fixture(scope="module")
def song_path(demo, tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, demo.samples, demo.rate)
    return path


@pytest.fixture(scope="module")
def swinging() -> MotionClip:
    """A body that swings more and more, 40 s."""
    time = torch.arange(1200) / 30
    positions = torch.zeros(1200, 22, 3)
    positions[:, :, 0] = (torch.sin(6 * time) * time / 40)[:, None]
    return MotionClip(positions, 30.0)


def test_the_light_for_a_song_is_on_its_beats_and_safe(demo, swinging):
    made = light_song(demo.mono, LightOptions(look="arena"), swinging)
    assert abs(made.show.seconds - 40) < 0.1 and made.metrics["flashes"] <= MOST
    assert made.metrics["pulse_f"] > 0.85 > made.metrics["pulse_f_chance"] + 0.3


def test_the_light_of_a_dancer_who_grows_and_of_one_who_calms_differ_as_they_do(demo):
    time = torch.arange(1200) / 30
    sizes = time / 40, 1 - time / 40  # of a swing, and so of its speed
    clips = []
    for size in sizes:
        positions = torch.zeros(1200, 22, 3)
        positions[:, :, 0] = (torch.sin(6 * time) * size)[:, None]
        clips.append(MotionClip(positions, 30.0))
    first, second = (light_song(demo.mono, LightOptions(look="neon"), clip).show for clip in clips)
    rates = [resampled(size[:, None], 30.0, first.fps)[:, 0] for size in sizes]
    found = answer((first, second), (rates[0], rates[1]))
    assert found["value"] > 0.6 > 0.4 > abs(found["chance"])


def test_the_command_writes_a_show_and_says_what_it_did(song_path, tmp_path, capsys):
    out = tmp_path / "SHOW.json"
    assert cli.main(["light", str(song_path), "--look", "noir", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    show = file.read(out)
    assert said["look"] == show.look == "noir" and said["frames"] == show.frames == 625
    assert most_flashes(show) <= MOST and show.sections[0] == 0 and len(show.beats) > 60
    first = out.read_bytes()
    assert cli.main(["light", str(song_path), "--look", "noir", "--out", str(out)]) == 0
    assert out.read_bytes() == first
    assert "look noir" in capsys.readouterr().out


def test_looks_are_listed(capsys):
    assert cli.main(["looks"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 10 and listed[0].startswith("arena")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--look", "circus", "--out", "a.json"], "unknown look 'circus'"),
        (["--out", "a.txt"], "the ending must be one of .json"),
        (["--look", "song.wav", "--out", "a.json"], "give a jpg, png or webp file"),
        (["--motion", "none.bvh", "--out", "a.json"], "none.bvh"),
    ],
)
def test_bad_input_is_one_line(song_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(song_path.parent)
    assert cli.main(["light", "song.wav", *words]) == 2
    assert message in capsys.readouterr().err and not (song_path.parent / "a.json").exists()


def test_what_cannot_be_lit_is_refused(swinging):
    with pytest.raises(FootlightError, match=r"lasts 0\.50 s"):
        light_song(Waveform(torch.zeros(8000), 16_000))
    flat = MotionClip(swinging.positions[:, :14, :2], 30.0)
    with pytest.raises(FootlightError, match="flat picture"):
        light_song(Waveform(torch.zeros(32_000), 16_000), clip=flat)


def test_silence_and_noise_get_a_show(song_path):
    for samples in (torch.zeros(64_000), 0.1 * torch.randn(64_000, generator=torch.Generator().manual_seed(0))):
        made = light_song(Waveform(samples, 16_000))
        assert made.show.frames == 62 and np.isfinite(made.show.values).all()
    assert read(song_path).seconds == pytest.approx(40)


def test_a_dance_of_another_length_than_its_song_is_told(demo, swinging):
    for seconds, words in ((30, "from there on the light has no dancer"), (40, ""), (50, "is not lit")):
        clip = MotionClip(torch.cat([swinging.positions] * 2)[: seconds * 30], 30.0)
        with collected_warnings() as said:
            light_song(demo.mono, LightOptions(look="arena"), clip)
        assert len(said) == bool(words) and all(words in text for text in said), said


def test_a_folder_of_flat_pictures_is_no_dance_to_light(song_path, tmp_path, capsys):
    (tmp_path / "poses").mkdir()
    asked = ["light", str(song_path), "--motion", str(tmp_path / "poses"), "--out", str(tmp_path / "SHOW.json")]
    assert cli.main(asked) == 2
    said = capsys.readouterr().err
    assert "a flat picture" in said and "give a BVH or NPZ in 3-D" in said and "fps" not in said


def test_a_range_is_written_anew_for_another_dance_and_the_rest_stays(song_path, demo, swinging, tmp_path):
    """The light in the range is nearly that of a whole show for the other dance."""
    still = MotionClip(swinging.positions.clone(), 30.0)
    still.positions[600:900] = swinging.positions[600:601]
    options = LightOptions(look="arena", seed=3)
    old, whole = (light_song(demo.mono, options, clip).show for clip in (swinging, still))
    made = light_song(demo.mono, options, still, None, WrittenLight(old, "20:24, 26:30")).show
    rate = old.fps
    inside = np.zeros(old.frames, dtype=bool)
    inside[round(20 * rate) : round(24 * rate)] = inside[round(26 * rate) : round(30 * rate)] = True
    assert np.array_equal(made.values[~inside], old.values[~inside])
    levels = [show.values[:, [SLICES[f"{role}_level"].start for role in ROLES]] for show in (made, whole, old)]
    deep = np.zeros_like(inside)
    deep[round(21 * rate) : round(23 * rate)] = deep[round(27 * rate) : round(29 * rate)] = True
    assert np.abs(levels[0] - levels[1])[deep].max() < 1e-3 < 0.05 < np.abs(levels[0] - levels[2])[deep].max()
    assert most_flashes(made) <= MOST


def test_the_command_writes_a_range_anew(song_path, tmp_path, capsys):
    first, out = tmp_path / "first.json", tmp_path / "out.json"
    words = ["light", str(song_path), "--look", "noir"]
    assert cli.main([*words, "--out", str(first)]) == 0
    again = [*words, "--seed", "5", "--light", str(first), "--out", str(out)]
    assert cli.main([*again, "--range", "bars 3:4"]) == 0
    old, made = file.read(first), file.read(out)
    changed = np.flatnonzero((old.values != made.values).any(1))
    bar = 4 * np.diff(old.beats).mean()
    assert len(changed) and changed.max() - changed.min() <= 2 * bar * old.fps + 1
    for more, message in (
        ([], "give the range that is written anew"),
        (["--range", "50:51"], "the show ends at 40.00 s"),
        (["--range", "bars 3:4, now"], "unknown part of the song 'now'"),
    ):
        assert cli.main([*again, *more]) == 2
        assert message in capsys.readouterr().err
    assert cli.main([*again, "--range", "1:1.001"]) == 0
    assert ((old.values != file.read(out).values).any(1)).sum() == 1, "a frame of the show at least"
    assert cli.main([*words, "--out", str(out), "--range", "1:2"]) == 2
    assert "give light" in capsys.readouterr().err
