"""What is given stays as it is: a denoiser whose estimates are what is known, wherever something is."""

from __future__ import annotations

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


def pinned(denoise: Denoise, known: Tensor, given: Tensor) -> Denoise:
    """A denoiser that knows some of the clean sample. After the last step of a deterministic sampler it is unchanged.

    It goes around guidance and windows, because the two would change it.

    denoise: the denoiser.
    known: (b, t, c) the clean sample, of any value where nothing is given.
    given: broadcastable to (b, t, c), true where it is given.
    """

    def denoise_pinned(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        return torch.where(given, known, denoise(x_t, t, condition))

    return denoise_pinned
