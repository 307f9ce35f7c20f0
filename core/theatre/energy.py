"""The energy of a dance that is still latents, for the light that is made beside it."""

from __future__ import annotations

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Modality
from core.light.dancer import energy_at
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named


@torch.no_grad()
def energies(latents: Tensor, vae: Autoencoder, body: Modality) -> Tensor:
    """The dancer's energy (b, t) in [0, 1], as ``core.light.dancer`` defines it.

    latents: (b, t, z) of motion.
    vae: its autoencoder.
    body: its modality.
    """
    moved = vae.decode_long(latents).float()
    places = positions_from_features(moved, body.fps, layout=layout_named(body.representation)).cpu()
    frames, fps = latents.shape[1], body.latent_fps
    return torch.stack([energy_at(one, body.fps, frames, fps) for one in places]).to(latents)
