"""What is kept of a motion while another one is sampled around it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.diffusion.inpaint import corrected, fitted, pinned
from core.diffusion.parameterize import Denoise
from core.edits.parts import BODY_PARTS
from core.motion.body_parts import part_of_channels
from core.pipeline.model import Model
from core.pipeline.targets import Targets
from core.postprocess.hold import alone
from core.postprocess.join import carried


@dataclass(frozen=True)
class Fit:
    """How latents are fitted to what is kept.

    below: share of the schedule from which on estimates are corrected, where they are near a motion.
    last: iterations of a descent through the decoder's last level, at most: fewer where the result is near enough.
    """

    below: float = 0.3
    last: int = 16


@dataclass(frozen=True)
class Kept:
    """What is kept of a motion, in latents.

    autoencoder: of the motion.
    targets: what is kept.
    clean: (1, t, z) latents of the whole motion.
    given: (1, t, parts) 1 where all of a part of the body is kept.
    fit: how latents are fitted to it.
    """

    autoencoder: NormalisedVAE | Identity
    targets: Targets
    clean: Tensor
    given: Tensor
    fit: Fit

    def held(self, denoise: Denoise, steps: int) -> Denoise:
        """A denoiser of the motion whose estimates are what is kept, as far as latents can be.

        steps: of the noise schedule.
        """
        pin = pinned(denoise, self.clean, self.given.amin(-1, keepdim=True) > 0)
        return corrected(pin, self.restored, round(self.fit.below * steps))

    def restored(self, latents: Tensor) -> Tensor:
        """Latents (1, t, z) that decode to more of what is kept, by way of the encoder.

        They change by as much as the encoder tells a motion with what is kept in it from the one without it.
        """
        made = self._decoded(latents)
        met = self.targets.met(made[0].cpu())[None].to(made.device)
        encoded = self.autoencoder.encode(torch.cat((met, made))).mode()
        with_it, without = self.autoencoder.standardise(encoded).chunk(2)
        return latents + with_it - without

    def finished(self, latents: Tensor) -> Tensor:
        """Features (t, c) of the last latents (1, t, z) of a sampler, which are nearly what is kept.

        Latents hold too little of a motion to come near in a few steps. So the activations before the decoder's last
        level are fitted in their place (intermediate layer optimisation, Daras et al. 2021). The fit hears of what is
        kept alone. So its change is smoothed beside that, for otherwise it would end there from one frame to the next.
        """
        latents, near = self.autoencoder.unstandardise(latents), False

        def missed(coarse: Tensor) -> Tensor:
            nonlocal near
            loss, near = self.targets.missed(self.autoencoder.detailed(coarse, latents)[0].cpu())
            return loss

        first = self.autoencoder.coarse(latents)
        last = fitted(first, missed, self.fit.last, lambda: near)
        before, after = (self.autoencoder.detailed(coarse, latents)[0].cpu() for coarse in (first, last))
        return before + carried(after - before, self.targets.kept, self.targets.fps)

    def _decoded(self, latents: Tensor) -> Tensor:
        """Features (1, t, c)."""
        return self.autoencoder.decode(self.autoencoder.unstandardise(latents))


def kept_of(model: Model, targets: Targets, fit: Fit = Fit()) -> Kept:
    """What is kept of a motion, in the latents of a model."""
    body, autoencoder = model.config.modalities["motion"], model.autoencoders["motion"]
    clean = autoencoder.encode_long(targets.features[None].to(model.device))
    given = given_parts(targets, body.autoencoder.stride)[None].to(model.device)
    return Kept(autoencoder, targets, clean, given, fit)


def given_parts(targets: Targets, stride: int) -> Tensor:
    """Where each part of the body is given (t / stride, parts), at the rate of the latents: 1 where all of it is kept.

    A single kept frame counts for its latent frame.
    """
    part = part_of_channels(targets.layout)
    kept = torch.stack([targets.kept[:, part == index].all(1) for index in range(len(BODY_PARTS))], 1)
    return (kept.unflatten(0, (-1, stride)).all(1) | alone(kept).unflatten(0, (-1, stride)).any(1)).float()
