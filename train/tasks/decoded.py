"""How latents of a modality are compared once they are decoded, and how that is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Modality
from core.motion.features import positions_from_features
from core.motion.layouts import Layout, layout_named
from core.rig.stepping import still_windows
from train.draw import mel_picture, motion_picture
from train.tasks.mel_vae import mel_losses
from train.tasks.motion_vae import body_losses


@dataclass(frozen=True)
class Bodies:
    """Motion features (b, t, c) as bodies.

    fps: frames per second.
    layout: of the features.
    """

    fps: float
    layout: Layout

    def losses(self, decoded: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``positions``, ``velocity`` and ``feet``, see ``body_losses``."""
        return body_losses(decoded, truth, self.fps, self.layout)

    def counts(self, features: Tensor, standing: float) -> float:
        """How much a second of a motion (t, c) counts in the mean.

        standing: how much one counts in which neither foot goes anywhere; the others count 1.
        """
        ankles = [self.layout.joints.index(f"{side}_ankle") for side in ("left", "right")]
        body = positions_from_features(features.float(), self.fps, layout=self.layout)
        still = still_windows(body[:, ankles].cpu().numpy(), self.fps)
        return 1 - still + still * standing

    def picture(self, truth: Tensor, decoded: Tensor) -> dict[str, Tensor]:
        """The first motion of each."""
        bodies = [positions_from_features(x[:1], self.fps, layout=self.layout)[0].cpu() for x in (truth, decoded)]
        return {"dance": motion_picture(bodies, layout=self.layout)}


class Mels:
    """Log-mels (b, t, m)."""

    def losses(self, decoded: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``mel`` and ``attack``, see ``mel_losses``."""
        return mel_losses(decoded, truth)

    def picture(self, truth: Tensor, decoded: Tensor) -> dict[str, Tensor]:
        """The first mel of each."""
        return {"music": mel_picture(truth[:1].cpu(), decoded[:1].cpu())}


def decoded_losses(
    vae: Autoencoder, kind: Bodies | Mels, weights: object, estimate: Tensor, target: Tensor
) -> dict[str, Tensor]:
    """Losses on what clean estimates (b, t, z) decode to; none without samples.

    kind: what they decode to.
    weights: has one by the name of each loss.
    """
    if not len(estimate):
        return {}
    with torch.no_grad():
        truth = vae.decode(vae.unstandardise(target))
    decoded = vae.decode(vae.unstandardise(estimate))
    with torch.autocast(estimate.device.type, enabled=False):
        losses = kind.losses(decoded.float(), truth.float())
    return {name: getattr(weights, name) * value for name, value in losses.items()}


def decoded_as(modality: Modality) -> Bodies | Mels:
    """What the autoencoder of a modality decodes to."""
    if modality.representation == "mel":
        return Mels()
    return Bodies(modality.fps, layout_named(modality.representation))
