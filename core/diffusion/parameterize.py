"""Converts between what a network predicts (noise, clean sample or velocity) and the clean sample.

``Denoise`` is the interface between networks and samplers. Guidance and windows each take one and return one.
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
    """The clean sample (b, t, c) that a prediction implies.

    output: (b, t, c) the prediction.
    x_t: (b, t, c) the noisy sample.
    t: (b,) steps.
    schedule: the noise schedule.
    prediction: one of ``PREDICTIONS``.

    Raises FootlightError for an unknown prediction.
    """
    signal, sigma = schedule.scales(t, x_t)
    if prediction == "x0":
        return output
    if prediction == "epsilon":
        return (x_t - sigma * output) / signal
    if prediction == "v":
        return signal * x_t - sigma * output
    raise _unknown(prediction)


def target(x0: Tensor, noise: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """The target (b, t, c) of a network's prediction. v is that of Salimans & Ho 2022.

    x0: (b, t, c) the clean sample.
    noise: (b, t, c) the noise that was added.
    t: (b,) steps.
    schedule: the noise schedule.
    prediction: one of ``PREDICTIONS``.

    Raises FootlightError for an unknown prediction.
    """
    signal, sigma = schedule.scales(t, x0)
    if prediction == "x0":
        return x0
    if prediction == "epsilon":
        return noise
    if prediction == "v":
        return signal * noise - sigma * x0
    raise _unknown(prediction)


def as_denoise(network: nn.Module, schedule: Schedule, prediction: str, compute: torch.dtype | None = None) -> Denoise:
    """Wrap a network as a function that returns the clean sample, in the precision of x_t.

    network: (x_t, step, condition) -> prediction.
    schedule: the noise schedule.
    prediction: one of ``PREDICTIONS``.
    compute: precision of the network's matrix products (autocast); None is that of its weights.

    Raises FootlightError for an unknown prediction.
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
