"""Dances whose accents are moved onto beats, as latents: what a student learns to end in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Modality
from core.edits.parts import BODY_PARTS
from core.motion import features
from core.motion.body_parts import part_of_joints, shown
from core.motion.layouts import layout_named
from core.motion.resample import at_times
from core.postprocess.retime import beat_clock
from core.rhythm.features import beats_of
from core.types import Beats


def retimed(
    latents: Tensor,
    rhythm: Tensor,
    accents: Sequence[str],
    vae: Autoencoder,
    body: Modality,
    strength: float,
    given: Tensor | None = None,
) -> Tensor:
    """Dances (b, t, z) with their accents moved towards beats, as ``core.postprocess.retime`` does it.

    What is given of a dance stays, as in an edit: frames of which all or a part is given keep their time. A part that
    is given from beginning to end keeps its movement, and the others are moved.

    Decoding and encoding lose a little, so latents change by as much as the encoded movement does.

    latents: of the dances.
    rhythm: (b, t, r) rhythm features of their music, which say where beats are.
    accents: (b,) of ``core.protocol.ACCENTS``: what each dancer does on a beat.
    vae: of motion.
    body: its modality.
    strength: 0-1, the fraction of the distance.
    given: (b, t, parts), above 0 where a part of ``core.edits.parts.BODY_PARTS`` is given; None if nothing is. One
        part stands for all.
    """
    layout, decoded = layout_named(body.representation), vae.decode_long(latents).float()
    kept = kept_parts(given, len(decoded), decoded.shape[1])
    moved = []
    for dance, heard, accent, parts in zip(decoded.cpu(), rhythm.cpu(), accents, kept, strict=True):
        motion, beats = features.decode(dance, layout, body.fps), Beats(beats_of(heard, body.latent_fps))
        hold = parts[:, part_of_joints()] if bool(parts.any()) else None
        clock = beat_clock(motion, beats, strength, hold, accent)
        times = torch.arange(motion.frames, dtype=torch.float64) / body.fps
        danced = features.encode(at_times(motion, clock.at(times), body.fps), layout)
        moved.append(shown(dance, parts, danced, layout))
    change = vae.encode_long(torch.stack(moved).to(decoded)) - vae.encode_long(decoded)
    return latents + change.to(latents)


def kept_parts(given: Tensor | None, count: int, frames: int) -> Tensor:
    """Which parts of the body are given (b, frames, parts) bool at the rate of the motion; see ``retimed``."""
    parts = len(BODY_PARTS)
    if given is None:
        return torch.zeros(count, frames, parts, dtype=torch.bool)
    stride = frames // given.shape[1]
    return (given.cpu() > 0).expand(-1, -1, parts).repeat_interleave(stride, dim=1)
