"""A linear score of figures, by which the likeliest of several readings of a song is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

_UNUSUAL = 4.0  # standard deviations beyond which a figure counts no more


@dataclass(frozen=True)
class LinearScore:
    """A linear score of the figures (f,) of a reading, in nats.

    weight: (f,).
    mean, scale: (f,) of the figures where it was learned.
    """

    weight: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def load(cls, path: Path) -> LinearScore:
        """The score in a safetensors file."""
        return cls(**{name: value.double().numpy() for name, value in load_file(path).items()})

    def __call__(self, figures: np.ndarray) -> np.ndarray:
        """The scores (...) of figures (..., f)."""
        return self.usual(figures) @ self.weight

    def usual(self, figures: np.ndarray) -> np.ndarray:
        """Figures (..., f) in standard deviations."""
        return ((figures - self.mean) / self.scale).clip(-_UNUSUAL, _UNUSUAL)
