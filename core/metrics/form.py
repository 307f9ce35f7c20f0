"""Metrics of form: whether a dance moves more where its music is louder.

Conventions
    Sections follow each other without a gap. They last eight beats, two bars of four, from the first downbeat on, or
    from the first beat on where downbeats are unknown. Without beats they last four seconds, from the start on. Only
    whole sections inside the clip count. The loudness of a section is the mean of ``core.audio.onsets.loudness``, which
    is in decibels. Its speed is the mean joint speed.

Metric
    correlation     Spearman's rank correlation of the sections' loudness and speed, in [-1, 1]: 1 if the louder of any
                    two sections is also the livelier one. Only the order counts, so neither the units nor how much
                    louder or livelier matter. It is undefined for fewer than three sections, and where all of them are
                    equal.
    chance          the mean of the same for the loudness of other songs, over the same sections. It is near 0 unless
                    dances and songs have a form in common, such as a quiet beginning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from core.audio.onsets import ONSET_FPS
from core.errors import FootlightError
from core.rhythm.accents import mean_speed
from core.types import Beats

SECTION_BEATS = 8
SECTION_SECONDS = 4.0  # without beats
FEWEST = 3  # sections; the order of two is either right or wrong


def sections(music: Beats, seconds: float) -> Tensor:
    """The bounds (n + 1,) of n sections, seconds, float64; of fewer than one, (0,).

    music: beats from the start of the clip.
    seconds: its length.
    """
    beats = music.between(0, seconds)
    times, downbeats = beats.times.double(), beats.downbeats
    if len(times) < 2:
        bounds = torch.arange(int(seconds / SECTION_SECONDS + 1e-9) + 1, dtype=torch.float64) * SECTION_SECONDS
    else:
        after = times[-1:] + times.diff()[-1]  # a section may end with the clip
        first = int(downbeats.int().argmax()) if downbeats is not None else 0
        bounds = torch.cat((times, after[after <= seconds]))[first::SECTION_BEATS]
    return bounds if len(bounds) > 1 else bounds[:0]


def section_means(values: Tensor, fps: float, bounds: Tensor) -> Tensor:
    """The mean (n,), float64, of values (t,) within each section. Sections that end after the values are left out.

    fps: frames per second.
    bounds: (n + 1,) seconds, as ``sections`` returns them.
    """
    edges = (bounds * fps).round().long().tolist()
    pairs = [(start, end) for start, end in pairwise(edges) if end <= len(values)]
    return torch.stack([values[start:end].double().mean() for start, end in pairs]) if pairs else bounds.new_zeros(0)


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation of (n,) and (n,); equal values share their mean rank.

    nan for fewer than ``FEWEST`` values, and where all values of one side are equal.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise FootlightError(f"expected as many values on both sides, got {tuple(a.shape)} and {tuple(b.shape)}")
    if len(a) < FEWEST:
        return math.nan
    x, y = (ranks - ranks.mean() for ranks in (_ranks(a), _ranks(b)))
    spread = float((x.square().sum() * y.square().sum()).sqrt())
    return float((x * y).sum()) / spread if spread > 0 else math.nan


def evaluate(
    positions: Tensor,
    fps: float,
    music: Beats,
    loudness: Tensor,
    others: Sequence[Tensor] = (),
    heard_fps: float = ONSET_FPS,
) -> dict[str, float]:
    """The correlation of one dance with its music and, given other songs, its chance level: nan where it is undefined.

    Returns {"sections", "correlation", "chance", "above"}, where ``above`` is the correlation less chance.

    positions: (t, j, 2 or 3) metres.
    fps: frames per second.
    music: beats from the start of the dance.
    loudness: (t',) of the music from the start of the dance, at ``heard_fps``.
    others: likewise, of other songs. One that is too short for three sections does not count.
    """
    bounds = sections(music, min(len(positions) / fps, len(loudness) / heard_fps))
    speed = section_means(mean_speed(positions, fps), fps, bounds)

    def against(heard: Tensor) -> float:
        levels = section_means(heard, heard_fps, bounds)
        both = min(len(levels), len(speed))
        return rank_correlation(levels[:both], speed[:both])

    found = against(loudness)
    known = [value for value in map(against, others) if not math.isnan(value)]
    chance = sum(known) / len(known) if known else math.nan
    return {"sections": len(speed), "correlation": found, "chance": chance, "above": found - chance}


def _ranks(values: Tensor) -> Tensor:
    """Ranks (n,) from 1, float64; equal values share their mean rank."""
    below, equal = (values[:, None] > values).sum(dim=1), (values[:, None] == values).sum(dim=1)
    return below.double() + (equal.double() + 1) / 2
