"""What the light of a model is told besides music and movement: a song's sections and the dancer's energy.

A denoiser sees a few seconds at a time, in which neither shows: sections are longer, and energy is relative to the
whole dance (``core.light.dancer``).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.rhythm.sections import Section

CUES = (
    "energy",  # of the dancer, 0-1
    "danced",  # 1 where that is known
    "since",  # 1 where a section begins, falling within a few seconds
    "until",  # likewise, rising to 1 where one ends
    "intensity",  # of the section, 0-1
    "home",  # 1 in sections of the first kind
    "divided",  # 1 where sections are known
)
DANCER = slice(0, 2)
SECTIONS = slice(2, 7)
NEAR = 1.0  # seconds in which "since" and "until" fall to 37 %


def section_cues(sections: Sequence[Section], frames: int, fps: float) -> Tensor:
    """Cues (frames, 7) of a song's sections, without a dancer.

    sections: from the start to the end; empty if they are unknown.
    fps: frames per second.
    """
    cues = torch.zeros(frames, len(CUES))
    clock = torch.arange(frames, dtype=torch.float64) / fps
    for i, section in enumerate(sections):
        inside = clock >= section.start - 0.5 / fps
        since, until = clock - section.start, section.end - clock
        told = torch.stack(
            [
                torch.exp(-since.clamp_min(0) / NEAR) * (i > 0),
                torch.exp(-until.clamp_min(0) / NEAR) * (i < len(sections) - 1),
                torch.full_like(clock, section.intensity),
                torch.full_like(clock, float(section.label == 0)),
                torch.ones_like(clock),
            ],
            dim=1,
        )
        cues[inside, SECTIONS] = told[inside].float()
    return cues


def with_energy(cues: Tensor, energy: Tensor) -> Tensor:
    """Cues (..., t, 7) with the dancer's energy (..., t') in [0, 1]; beyond its end there is none."""
    told = without_energy(cues)
    frames = min(cues.shape[-2], energy.shape[-1])
    told[..., :frames, 0] = energy[..., :frames].to(cues)
    told[..., 1] = 1.0
    return told


def without_energy(cues: Tensor) -> Tensor:
    """Cues (..., t, 7) that tell nothing of the dancer."""
    told = cues.clone()
    told[..., DANCER] = 0.0
    return told


def told_of(cues: Tensor, dancer: Tensor, sections: Tensor) -> Tensor:
    """Cues (b, t, 7) of which some samples are not told.

    dancer: (b,) bool, which are told of the dancer.
    sections: (b,) bool, likewise.
    """
    known = torch.stack([dancer] * 2 + [sections] * 5, dim=-1)
    return cues * known[:, None].to(cues)
