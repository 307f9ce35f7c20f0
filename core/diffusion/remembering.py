"""Samples the beginning of a long sequence first, without calculating any of it again for the whole."""

from __future__ import annotations

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


class Memory:
    """Clean estimates of samples that were denoised, by their step. It holds for one condition and one guidance."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, float], list[tuple[list[Tensor], Tensor]]] = {}

    def find(self, told: list[Tensor], t: int) -> Tensor | None:
        """The clean estimate (t, c) of exactly this sample at step ``t``; None if it was not denoised yet.

        told: the sample (t, c) and all that it is conditioned on.
        """
        for before, x0 in self._known.get(self._key(told[0], t), ()):
            if len(before) == len(told) and all(map(torch.equal, before, told)):
                return x0
        return None

    def keep(self, told: list[Tensor], t: int, x0: Tensor) -> None:
        """Keep the clean estimate (t, c) of a sample at step ``t``. told: as of ``find``."""
        self._known.setdefault(self._key(told[0], t), []).append((told, x0))

    @staticmethod
    def _key(x_t: Tensor, t: int) -> tuple[int, float]:
        """What few samples share, so that few have to be compared."""
        return t, x_t[0, 0].item()


def remembering(denoise: Denoise, memory: Memory) -> Denoise:
    """A denoiser that denoises no sample twice.

    Samples are told apart by x_t and by what they are conditioned on: where moves return, two places have one noise.

    denoise: the denoiser, which treats the samples of a batch independently.
    memory: of what was denoised before, and it is kept there.
    """

    def denoise_remembering(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        steps = t.tolist()
        told = [[x, *parts_of(condition, i)] for i, x in enumerate(x_t)]
        found = [memory.find(one, step) for one, step in zip(told, steps, strict=True)]
        new = [i for i, x0 in enumerate(found) if x0 is None]
        if new:
            for i, x0 in zip(new, denoise(x_t[new], t[new], condition.map(lambda part: part[new])), strict=True):
                memory.keep(told[i], steps[i], x0)
                found[i] = x0
        return torch.stack([x0 for x0 in found if x0 is not None])

    return denoise_remembering


def parts_of(condition: Condition, index: int) -> list[Tensor]:
    """What one sample of a batch is conditioned on."""
    parts: list[Tensor] = []
    condition.map(lambda part: parts.append(part[index]) or part)
    return parts
