"""Samples the beginning of a long sequence first, without calculating any of it again for the whole."""

from __future__ import annotations

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


class Memory:
    """Clean estimates of samples that were denoised, by their step. It holds for one condition and one guidance."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, float], list[tuple[Tensor, Tensor]]] = {}

    def find(self, x_t: Tensor, t: int) -> Tensor | None:
        """The clean estimate (t, c) of exactly this sample (t, c) at step ``t``; None if it was not denoised yet."""
        return next((x0 for x, x0 in self._known.get(self._key(x_t, t), ()) if torch.equal(x, x_t)), None)

    def keep(self, x_t: Tensor, t: int, x0: Tensor) -> None:
        """Keep the clean estimate (t, c) of a sample (t, c) at step ``t``."""
        self._known.setdefault(self._key(x_t, t), []).append((x_t, x0))

    @staticmethod
    def _key(x_t: Tensor, t: int) -> tuple[int, float]:
        """What few samples share, so that few have to be compared."""
        return t, x_t[0, 0].item()


def remembering(denoise: Denoise, memory: Memory) -> Denoise:
    """A denoiser that denoises no sample twice.

    Samples are told apart by x_t alone: it holds the noise of their place in the sequence, so that two places never
    have the same.

    denoise: the denoiser, which treats the samples of a batch independently.
    memory: of what was denoised before, and it is kept there.
    """

    def denoise_remembering(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        steps = t.tolist()
        found = [memory.find(x, step) for x, step in zip(x_t, steps, strict=True)]
        new = [i for i, x0 in enumerate(found) if x0 is None]
        if new:
            for i, x0 in zip(new, denoise(x_t[new], t[new], condition.map(lambda part: part[new])), strict=True):
                memory.keep(x_t[i], steps[i], x0)
                found[i] = x0
        return torch.stack([x0 for x0 in found if x0 is not None])

    return denoise_remembering
