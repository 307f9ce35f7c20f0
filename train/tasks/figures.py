"""A figure that the validation of several tasks tells."""

from __future__ import annotations

from torch import Tensor


def rms_ratio(made: Tensor, real: Tensor) -> float:
    """The root mean square of one tensor over that of another of its shape."""
    return float((made.square().sum() / real.square().sum().clamp_min(1e-9)).sqrt())
