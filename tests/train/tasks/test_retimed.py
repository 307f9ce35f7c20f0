"""Dances that are moved onto beats as latents, and back, with an autoencoder that loses nothing."""

from dataclasses import replace

import pytest
import torch

from core import config
from core.autoencoder.networks import autoencoder_of
from core.edits.parts import BODY_PARTS
from core.motion import features
from core.motion.body_parts import part_of_channels
from core.motion.kinematics import forward
from core.motion.layouts import layout_named
from core.rhythm.accents import kinematic_beats, strikes
from core.rhythm.features import rhythm_features
from core.types import Beats, Motion
from train.data import synthetic
from train.tasks.retimed import retimed
from train.variants import identity

BODY = config.preset("tiny").modalities["motion"]
LAYOUT = layout_named(BODY.representation)
FPS = BODY.fps


def accents(motion: Motion) -> torch.Tensor:
    return kinematic_beats(forward(motion.rotations, motion.root), motion.fps).times


def given_to(dance: Motion, beats: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """The features of a dance after its accents were moved onto beats, parts of it being given."""
    body = replace(BODY, autoencoder=identity(LAYOUT.channels))
    vae = autoencoder_of(body)
    heard = rhythm_features(Beats(beats), torch.zeros(1), torch.zeros(1), dance.frames, FPS)[None]
    latents = vae.encode_long(features.encode(dance, LAYOUT)[None])
    return vae.decode_long(retimed(latents, heard, ["arrive"], vae, body, 1.0, given[None]))[0]


def test_given_frames_stay_and_those_between_them_come_onto_the_beats():
    dance = synthetic.swing(100.0, 200, 0.0, 0.6)
    beats, given = accents(dance) + 0.1, torch.ones(200, 1)
    given[60:140] = 0
    moved, before = given_to(dance, beats, given), features.encode(dance, LAYOUT)
    torch.testing.assert_close(moved[given[:, 0] > 0][1:], before[given[:, 0] > 0][1:], atol=1e-4, rtol=0)
    found = accents(features.decode(moved, LAYOUT, FPS))
    inside = found[(found > 85 / FPS) & (found < 115 / FPS)]
    assert len(inside) and (beats - inside[:, None]).abs().amin(dim=1).max() < 0.02


def test_a_part_that_is_given_from_beginning_to_end_stays_while_the_others_are_moved():
    dance, parts = synthetic.swing(100.0, 200, 0.0, 0.6), list(BODY_PARTS)
    given = torch.zeros(200, len(parts))
    given[:, parts.index("left arm")] = 1
    moved, before = given_to(dance, accents(dance) + 0.1, given), features.encode(dance, LAYOUT)
    arm = part_of_channels(LAYOUT) == parts.index("left arm")
    assert torch.equal(moved[:, arm], before[:, arm])
    alone = given_to(dance, accents(dance) + 0.1, torch.zeros(200, 1))
    torch.testing.assert_close(moved[:, ~arm], alone[:, ~arm])
    assert (moved - before)[:, ~arm].abs().max() > 0.05


@pytest.mark.parametrize(("accent", "accents_of"), [("arrive", kinematic_beats), ("strike", strikes)])
def test_accents_come_onto_the_beats(accent, accents_of):
    """A dancer who swings at 100 beats a minute hears them 0.1 s later than its accents."""
    body = replace(BODY, autoencoder=identity(LAYOUT.channels))
    vae, dance = autoencoder_of(body), synthetic.swing(100.0, 200, 0.0, 0.6)

    def accents(motion: Motion) -> torch.Tensor:
        return accents_of(forward(motion.rotations, motion.root), motion.fps).times

    beats = accents(dance) + 0.1
    heard = rhythm_features(Beats(beats), torch.zeros(1), torch.zeros(1), dance.frames, FPS)[None]
    latents = vae.encode_long(features.encode(dance, LAYOUT)[None])
    for strength, apart in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.0)):
        moved = vae.decode_long(retimed(latents, heard, [accent], vae, body, strength))[0]
        found = accents(features.decode(moved, LAYOUT, FPS))[1:-1]
        late = (beats - found[:, None]).abs().amin(dim=1)
        torch.testing.assert_close(late, torch.full_like(late, apart), atol=0.02, rtol=0)
