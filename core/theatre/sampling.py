"""How theatre's denoisers are sampled: coarse to fine, and with more weight on beats (section 3.3)."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from core.autoencoder.vae import pad_to
from core.diffusion.guidance import by_rows, guided
from core.diffusion.parameterize import Denoise
from core.light.cues import DANCER, without_energy
from core.rhythm.events import beat_response
from core.theatre.scheduler import over_frames
from core.types import Condition


def emphasised(denoise: Denoise, scale: float | Tensor, emphasis: float) -> Denoise:
    """A denoiser with guidance that is stronger near beats, so that what answers them is rebuilt with more weight.

    denoise: the denoiser.
    scale: strength of guidance halfway between two beats, or one for each sample (b, 1, 1).
    emphasis: by which share it is larger on a beat; 0 is ``guided``.
    """

    def denoise_emphasised(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        if condition.rhythm is None or not emphasis:
            return guided(denoise, scale)(x_t, t, condition)
        near = beat_response(condition.rhythm)[..., None].to(x_t)  #  b t 1
        return guided(denoise, by_rows(scale, len(x_t)) * (1 + emphasis * near))(x_t, t, condition)

    return denoise_emphasised


def by_look_and_energy(denoise: Denoise, scale: float) -> Denoise:
    """A denoiser of light with guidance by the look and the dancer's energy alone: x0 = x0(untold) + scale (x0(told) -
    x0(untold)).

    As in compositional guidance (Liu et al. 2022), all else that is told is the same in both. Where neither is told,
    or the condition is dropped, nothing changes.

    denoise: the denoiser, which was trained with and without the look and the energy (``core.light.cues``).
    scale: strength of guidance; 1 returns ``denoise`` itself.
    """
    if scale == 1.0:
        return denoise

    def denoise_guided(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        told = denoise(x_t, t, condition)
        if condition.cues is None:
            return told
        heeds = condition.cues[..., DANCER].flatten(1).any(dim=1) | (condition.look is not None)
        if condition.keep is not None:
            heeds = heeds & condition.keep
        if not bool(heeds.any()):
            return told
        some = condition.map(lambda value: value[heeds])
        free = replace(some, look=None, cues=without_energy(condition.cues[heeds]))
        untold = denoise(x_t[heeds], t[heeds], free)
        told[heeds] = untold + scale * (told[heeds] - untold)
        return told

    return denoise_guided


def coarse_to_fine(denoise: Denoise, steps: int, share: float, frames: int) -> Denoise:
    """A denoiser that first makes coarse samples, of which only the mean of each time slice counts, without a look.

    Below ``share`` of the noise schedule the look enters and every frame counts.

    denoise: the denoiser.
    steps: of the noise schedule.
    share: of the schedule above which samples are coarse; 1 is never.
    frames: of a time slice.
    """

    def denoise_coarse(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        if int(t[0]) < share * steps:
            return denoise(x_t, t, condition)
        return slice_means(denoise(x_t, t, replace(condition, look=None)), frames)

    return denoise_coarse


def slice_means(x: Tensor, frames: int) -> Tensor:
    """The sequence (b, t, c) with only the mean of every slice of ``frames``, and straight lines between the means."""
    whole = pad_to(x, frames)
    means = functional.avg_pool1d(whole.transpose(1, 2), frames).transpose(1, 2)
    return over_frames(means, whole.shape[1])[:, : x.shape[1]]
