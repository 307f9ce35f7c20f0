from dataclasses import replace

import torch

from core.metrics.theatre import energy_on_beats
from core.motion.kinematics import forward
from core.types import Beats
from train.data import synthetic
from train.data.pairing.striking import strike_delay, struck


def on_beats(pair) -> float:
    return energy_on_beats(forward(pair.rotations, pair.root), 31.25, Beats(pair.beats, pair.tempo, pair.downbeats))


def test_a_body_that_rests_on_beats_strikes_them_half_a_beat_earlier():
    """The synthetic bodies swing: slowest on every beat, fastest halfway between two."""
    for pair in synthetic.pairs()["train"]:
        half = 0.5 * 60 / pair.tempo * 31.25
        assert abs(strike_delay(pair) - half) <= 1
        made = struck(pair)
        assert on_beats(pair) < 0.5 and on_beats(made) > 1.4
        assert 2 * len(made.rotations) == len(made.mel) == len(made.onset) == len(made.loudness)
        assert len(made.root) == len(made.contacts) == len(made.rotations)
        assert torch.equal(made.mel, pair.mel[: len(made.mel)])  # the music stays where it was
        assert torch.equal(made.wave, pair.wave[: 256 * len(made.mel)]), "and is as long in every form"
        assert len(made.beats) == len(made.downbeats) and float(made.beats.max()) < len(made.mel) / 62.5
        assert strike_delay(made) == 0


def test_a_motion_without_beats_stays_as_it_is():
    pair = synthetic.pairs()["train"][0]
    silent = replace(pair, beats=pair.beats[:0], downbeats=pair.downbeats[:0])
    assert struck(silent) is silent
