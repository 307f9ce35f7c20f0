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
from core.motion.body_parts import part_of_channels, shown
from core.pipeline.drafts import most_on_beat
from core.pipeline.model import Model
from core.pipeline.targets import Targets
from core.postprocess.hold import alone
from core.postprocess.join import carried, faded
from core.types import Beats


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
    observed: (1, t, z) latents of what the network is shown: parts that are not kept are at their mean there.
    fit: how latents are fitted to it.
    """

    autoencoder: NormalisedVAE | Identity
    targets: Targets
    clean: Tensor
    given: Tensor
    observed: Tensor
    fit: Fit

    def held(self, denoise: Denoise, steps: int) -> Denoise:
        """A denoiser of the motion whose estimates are what is kept, as far as latents can be.

        steps: of the noise schedule.
        """
        pin = pinned(denoise, self.clean, self.given.amin(-1, keepdim=True) > 0)
        return corrected(pin, self.restored, round(self.fit.below * steps))

    def restored(self, latents: Tensor) -> Tensor:
        """Latents (k, t, z) that decode to more of what is kept, by way of the encoder.

        They change by as much as the encoder tells a motion with what is kept in it from the one without it.
        """
        made = self._decoded(latents)
        met = torch.stack([self.targets.met(one) for one in made.cpu()]).to(made.device)
        encoded = self.autoencoder.encode(torch.cat((met, made))).mode()
        with_it, without = self.autoencoder.standardise(encoded).chunk(2)
        return latents + with_it - without

    def finished(self, latents: Tensor, beats: Beats | None = None) -> Tensor:
        """Features (t, c) of the last latents (k, t, z) of a sampler, which are nearly what is kept.

        Of several drafts it is the one that is most on the beat. Latents hold too little of a motion to come near in a
        few steps. So the activations before the decoder's last level are fitted in their place (intermediate layer
        optimisation, Daras et al. 2021). The fit hears of what is kept, and of where the path has to go. In the path
        its change stands, smoothed where it meets what is kept. In the pose it does, too, if a part of the body is
        kept, because the rest moves along with it. Where nothing is kept, it is a by-product that hurries the body
        beside the seams and moves arrivals off the beat: there, the change of what is kept fades out.

        beats: as of ``most_on_beat``; None takes the first draft.
        """
        latents = self.autoencoder.unstandardise(latents)
        coarse = self.autoencoder.coarse(latents)
        drafts = self.autoencoder.detailed(coarse, latents).cpu()
        best = 0 if beats is None or len(drafts) == 1 else most_on_beat(drafts, self.targets, beats)
        latents, before = latents[best : best + 1], drafts[best]
        after, near = before, False

        def missed(coarse: Tensor) -> Tensor:
            nonlocal after, near
            made = self.autoencoder.detailed(coarse, latents)[0].cpu()
            loss, near = self.targets.missed(made)
            after = made.detach()
            return loss

        last = fitted(coarse[best : best + 1], missed, self.fit.last, lambda: near)
        if not near:
            after = self.autoencoder.detailed(last, latents)[0].cpu()
        change, kept, fps = after - before, self.targets.kept, self.targets.fps
        if self.targets.keeps_part:
            return before + carried(change, kept, fps)
        path = self.targets.path_channels
        stands = faded(change, kept, fps)
        stands[:, path] = carried(change[:, path], kept[:, path], fps)
        return before + stands

    def _decoded(self, latents: Tensor) -> Tensor:
        """Features (k, t, c)."""
        return self.autoencoder.decode(self.autoencoder.unstandardise(latents))


def kept_of(model: Model, targets: Targets, fit: Fit = Fit()) -> Kept:
    """What is kept of a motion, in the latents of a model."""
    body, autoencoder = model.config.modalities["motion"], model.autoencoders["motion"]
    whole, stride = targets.features[None].to(model.device), body.autoencoder.stride
    given = given_parts(targets, stride)[None].to(model.device)
    if bool((given.amax(-1) == given.amin(-1)).all()):
        clean = observed = autoencoder.encode_long(whole)
    else:  # both in one batch, which is quicker
        seen = shown(whole, given.repeat_interleave(stride, dim=1), autoencoder.mean, targets.layout)
        clean, observed = autoencoder.encode_long(torch.cat((whole, seen))).chunk(2)
    return Kept(autoencoder, targets, clean, given, observed, fit)


def given_parts(targets: Targets, stride: int) -> Tensor:
    """Where each part of the body is given (t / stride, parts), at the rate of the latents: 1 where all of it is kept.

    A single kept frame counts for its latent frame.
    """
    part = part_of_channels(targets.layout)
    kept = torch.stack([targets.kept[:, part == index].all(1) for index in range(len(BODY_PARTS))], 1)
    return (kept.unflatten(0, (-1, stride)).all(1) | alone(kept).unflatten(0, (-1, stride)).any(1)).float()
