"""Dances that are moved onto beats as latents, and back, with an autoencoder that loses nothing."""

from dataclasses import replace

import pytest
import torch

from core import config
from core.autoencoder.networks import autoencoder_of
from core.motion import features
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
