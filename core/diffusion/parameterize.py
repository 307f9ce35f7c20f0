"""What a network predicts, and the clean sample it implies.

``Denoise`` is the one interface between networks and samplers: everything above a network (guidance, windows) takes
one and gives one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.diffusion.schedule import Schedule
from core.errors import FootlightError
from core.types import Condition

Denoise = Callable[[Tensor, Tensor, Condition], Tensor]  # x_t (b, t, c), step (b,), condition -> x0_hat (b, t, c)

PREDICTIONS = ("epsilon", "x0", "v")


def to_x0(output: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """The clean sample that ``output``, predicted at ``x_t`` (b, t, c) and step t (b,), stands for."""
    signal, sigma = schedule.scales(t, x_t)
    if prediction == "x0":
        return output
    if prediction == "epsilon":
        return (x_t - sigma * output) / signal
    if prediction == "v":
        return signal * x_t - sigma * output
    raise _unknown(prediction)


def target(x0: Tensor, noise: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """What a network of this kind should answer (b, t, c). v is of Salimans & Ho 2022."""
    signal, sigma = schedule.scales(t, x0)
    if prediction == "x0":
        return x0
    if prediction == "epsilon":
        return noise
    if prediction == "v":
        return signal * noise - sigma * x0
    raise _unknown(prediction)


def as_denoise(network: nn.Module, schedule: Schedule, prediction: str, compute: torch.dtype | None = None) -> Denoise:
    """Wrap a network that predicts ``prediction`` as a function to the clean sample, in x_t's own precision.

    compute: the precision of the network's matrix products (autocast); None is that of its weights.
    """
    if prediction not in PREDICTIONS:
        raise _unknown(prediction)

    def denoise(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        with torch.autocast(x_t.device.type, dtype=compute, enabled=compute is not None):
            output = network(x_t, t, condition)
        return to_x0(output.to(x_t.dtype), x_t, t, schedule, prediction)

    return denoise


def _unknown(prediction: str) -> FootlightError:
    return FootlightError(f"unknown prediction {prediction!r}: choose one of {', '.join(PREDICTIONS)}")
