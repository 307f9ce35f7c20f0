"""Dances whose accents are moved onto beats, as latents: what a student learns to end in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Modality
from core.motion import features
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.postprocess.retime import beat_clock
from core.rhythm.features import beats_of
from core.types import Beats


def retimed(
    latents: Tensor, rhythm: Tensor, accents: Sequence[str], vae: Autoencoder, body: Modality, strength: float
) -> Tensor:
    """Dances (b, t, z) with their accents moved towards beats, as ``core.postprocess.retime`` does it.

    Decoding and encoding lose a little, so latents change by as much as the encoded movement does.

    latents: of the dances.
    rhythm: (b, t, r) rhythm features of their music, which say where beats are.
    accents: (b,) of ``core.protocol.ACCENTS``: what each dancer does on a beat.
    vae: of motion.
    body: its modality.
    strength: 0-1, the fraction of the distance.
    """
    layout, decoded = layout_named(body.representation), vae.decode_long(latents).float()
    moved = []
    for dance, heard, accent in zip(decoded.cpu(), rhythm.cpu(), accents, strict=True):
        motion = features.decode(dance, layout, body.fps)
        clock = beat_clock(motion, Beats(beats_of(heard, body.latent_fps)), strength, accent=accent)
        times = torch.arange(motion.frames, dtype=torch.float64) / body.fps
        moved.append(features.encode(at_times(motion, clock.at(times), body.fps), layout))
    change = vae.encode_long(torch.stack(moved).to(decoded)) - vae.encode_long(decoded)
    return latents + change.to(latents)
