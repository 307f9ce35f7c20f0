from dataclasses import replace

import pytest
import torch

from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT
from core.pipeline import Model, hear_song
from core.rhythm.features import LOUDNESS
from core.types import Beats, Motion, Waveform
from train.data import synthetic
from train.data.dataset import SongRecord
from train.data.encoder import Encoder
from train.data.latents import as_loud_as_they_move, met_target, movement_energy, song_clips
from train.data.music.songs import heard
from train.data.rates import AUDIO_RATE


def carried(speed: float, frames: int = 120, fps: float = 30.0) -> Motion:
    """A stiff body that is carried along at a speed, m/s."""
    path = torch.arange(frames)[:, None] / fps * torch.tensor([speed, 0.0, 0.0])
    return Motion(rotation.identity(frames, 22), torch.tensor([0.0, REST_HEIGHT, 0.0]) + path, fps)


def test_energy_is_the_speed_of_the_joints():
    energy = movement_energy(carried(0.7), 60, 15.0)
    torch.testing.assert_close(energy, torch.full((60,), 0.7), atol=1e-3, rtol=0)


def clip(style: int, energy: torch.Tensor, loudness: torch.Tensor) -> dict:
    rhythm = torch.zeros(len(energy), 10)
    rhythm[:, LOUDNESS] = loudness
    return {"style": style, "energy": energy, "rhythm": rhythm}


def test_loudness_has_the_rank_that_the_energy_has_in_its_style():
    """Two styles, of which one moves ten times as much. Their median frames are equally loud."""
    rising, loud = torch.linspace(0.0, 1.0, 101), torch.rand(101, generator=torch.Generator().manual_seed(0))
    clips = {
        "train": [clip(0, rising, loud), clip(1, 10 * rising.flip(0), loud)],
        "val": [clip(0, torch.tensor([-1.0, 0.5, 2.0]), torch.zeros(3))],
    }
    as_loud_as_they_move(clips)
    first, second = (one["rhythm"][:, LOUDNESS] for one in clips["train"])
    torch.testing.assert_close(first, loud.sort().values, atol=0.02, rtol=0)
    torch.testing.assert_close(second, loud.sort(descending=True).values, atol=0.02, rtol=0)
    expected = torch.tensor([float(loud.min()), float(loud.median()), float(loud.max())])
    torch.testing.assert_close(clips["val"][0]["rhythm"][:, LOUDNESS], expected, atol=0.02, rtol=0)
    assert all("energy" not in one for some in clips.values() for one in some)


@pytest.mark.parametrize("style", [-1, 7])
def test_a_style_without_training_capture_is_ranked_among_all(style):
    rising = torch.linspace(0.0, 1.0, 11)
    clips = {"train": [clip(0, rising, rising)], "val": [clip(style, rising[:3], torch.zeros(3))]}
    as_loud_as_they_move(clips)
    torch.testing.assert_close(clips["val"][0]["rhythm"][:, LOUDNESS], rising[:3], atol=0.11, rtol=0)


def test_without_training_clips_nothing_is_ranked():
    clips = {"train": [], "val": [clip(0, torch.ones(3), torch.ones(3))]}
    as_loud_as_they_move(clips)
    assert torch.equal(clips["val"][0]["rhythm"][:, LOUDNESS], torch.ones(3))


def test_onsets_that_music_meets_are_where_it_sounds():
    """Onset strength looks ahead; the clicks of a metronome are met when they are heard."""
    sound = Waveform(synthetic.clicks(100, 12.0, torch.Generator().manual_seed(0)), AUDIO_RATE)
    parts, tempo = heard(sound, Beats(torch.arange(0, 12, 0.6), 100.0, torch.arange(20) % 4 == 0))
    song = SongRecord(id="clicks", path="", exact=True, tempo=tempo, **parts)
    found = met_target(song)["onsets"].times
    late = [float(time - (time / 0.6).round() * 0.6) for time in found[1:]]
    assert len(late) > 15 and abs(sum(late) / len(late)) < 0.015  # 0.02 early, were it not for what is known of that


def test_songs_are_conditions_as_dances_to_them_hear_them(model_folder):
    """Clicks that grow louder, as a dance to them hears them and as they were prepared."""
    model, seconds = Model.load(model_folder), 24.0
    samples = synthetic.clicks(100, seconds, torch.Generator().manual_seed(0))
    samples = samples * torch.linspace(0.05, 1.0, len(samples))
    sound = Waveform(samples, AUDIO_RATE)
    beats = Beats(torch.arange(0, seconds, 0.6), 100.0, torch.arange(40) % 4 == 0)
    asked = hear_song(model, sound, beats).condition
    parts, tempo = heard(sound, beats)
    song = SongRecord(id="clicks", path="", exact=True, tempo=tempo, **parts)
    for power in (1.0, 11.0):
        network = replace(model.config.denoisers["motion"], loudness_power=power)
        config = replace(model.config, denoisers={**model.config.denoisers, "motion": network})
        (clip,) = song_clips([song], Encoder(model.autoencoders["music"]), config)
        frames = min(len(clip["rhythm"]), asked.rhythm.shape[1])
        assert frames > (seconds - 1) * config.latent_fps
        if power == model.config.denoisers["motion"].loudness_power:
            torch.testing.assert_close(clip["rhythm"][:frames], asked.rhythm[0, :frames], atol=0.05, rtol=0)
            music = asked.context["music"][0, :frames]
            torch.testing.assert_close(clip["context.music"][: frames - 4], music[: frames - 4], atol=1e-3, rtol=1e-3)
        else:
            assert not torch.allclose(clip["rhythm"][:frames, LOUDNESS], asked.rhythm[0, :frames, LOUDNESS], atol=0.05)
