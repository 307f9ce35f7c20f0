"""What is kept of a motion while another one is sampled around it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.diffusion.inpaint import Loss, corrected, fitted, pinned
from core.diffusion.parameterize import Denoise
from core.edits.parts import BODY_PARTS
from core.motion.body_parts import part_of_channels
from core.pipeline.model import Model
from core.pipeline.targets import Targets
from core.postprocess.hold import alone


@dataclass(frozen=True)
class Fit:
    """How latents are fitted to what is kept, through the decoder.

    first: iterations that find the latents of what is kept.
    each: iterations of each step.
    last: iterations of the result.
    below: share of the schedule from which on estimates are fitted, where they are near a motion.
    """

    first: int = 12
    each: int = 2
    last: int = 12
    below: float = 0.3


@dataclass(frozen=True)
class Kept:
    """What is kept of a motion, in latents.

    clean: (1, t, z) of the whole motion.
    known: (1, t, z) those that decode to nearly what is kept.
    given: (1, t, parts) 1 where all of a part of the body is kept.
    missed: how far latents are from what is kept, once they are decoded.
    fit: how latents are fitted to it.
    """

    clean: Tensor
    known: Tensor
    given: Tensor
    missed: Loss
    fit: Fit

    def held(self, denoise: Denoise, steps: int) -> Denoise:
        """A denoiser of the motion whose estimates are what is kept, as far as latents can be.

        steps: of the noise schedule.
        """
        pin = pinned(denoise, self.known, self.given.amin(-1, keepdim=True) > 0)
        return corrected(pin, lambda x0: fitted(x0, self.missed, self.fit.each), round(self.fit.below * steps))

    def finished(self, latents: Tensor) -> Tensor:
        """The last latents (1, t, z) of a sampler, which decode to nearly what is kept."""
        return fitted(latents, self.missed, self.fit.last)


def kept_of(model: Model, targets: Targets, fit: Fit = Fit()) -> Kept:
    """What is kept of a motion, in the latents of a model."""
    body, autoencoder = model.config.modalities["motion"], model.autoencoders["motion"]
    clean = autoencoder.encode_long(targets.features[None].to(model.device))
    given = given_parts(targets, body.autoencoder.stride)[None].to(model.device)

    def missed(latents: Tensor) -> Tensor:
        return targets.loss(autoencoder.decode(autoencoder.unstandardise(latents))[0].cpu())

    return Kept(clean, fitted(clean, missed, fit.first), given, missed, fit)


def given_parts(targets: Targets, stride: int) -> Tensor:
    """Where each part of the body is given (t / stride, parts), at the rate of the latents: 1 where all of it is kept.

    A single kept frame counts for its latent frame.
    """
    part = part_of_channels(targets.layout)
    kept = torch.stack([targets.kept[:, part == index].all(1) for index in range(len(BODY_PARTS))], 1)
    return (kept.unflatten(0, (-1, stride)).all(1) | alone(kept).unflatten(0, (-1, stride)).any(1)).float()
