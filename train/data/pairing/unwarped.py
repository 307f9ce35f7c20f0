"""Pairs of a motion whose beats are known with music that is rendered at its tempo, from its first frame on.

No phrase is warped, so the pair is as exact as the beats are. The body may slow down on every beat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion.contact import label
from core.motion.kinematics import forward
from core.motion.resample import at_times
from core.rhythm.accents import mean_speed
from core.types import Motion
from train.data.dataset import motion_tensors
from train.data.music.songs import cut, heard
from train.data.pairing import matching, warp
from train.data.rates import MEL_FPS, MOTION_FPS

# Kinds of the drumming in the Groove MIDI Dataset that a genre is danced to, by words of its name.
_DRUMS = (
    ("hip-hop", ("hiphop", "funk")),
    ("krump", ("hiphop",)),
    ("break", ("funk", "hiphop")),
    ("lock", ("funk", "soul")),
    ("pop", ("funk",)),
    ("waack", ("dance", "soul", "funk")),
    ("house", ("dance", "latin", "afro")),
    ("jazz", ("jazz", "soul", "funk")),
)


@dataclass(frozen=True)
class Known:
    """A pair before it is stored.

    motion: at ``MOTION_FPS`` with contacts.
    music: the arrangement's name.
    tempo: beats a minute.
    tensors: of the record.
    """

    motion: Motion
    music: str
    tempo: float
    tensors: dict[str, Tensor]


def drums_for(genre: str) -> tuple[str, ...]:
    """The kinds of drumming that suit a genre, or none in particular."""
    return next((kinds for word, kinds in _DRUMS if word in genre.lower()), ())


def pair(
    motion: Motion,
    bpm: float,
    rate: float,
    arrange: matching.Arrange,
    draw: np.random.Generator,
    beat_slowing: float = 0.0,
) -> Known:
    """The motion with music at ``rate`` times its tempo, played as much faster.

    The music's section begins on a downbeat. It is the one whose energy follows the motion's best, give or take chance.

    motion: at ``MOTION_FPS``. Its first frame is a downbeat, the others follow every four beats.
    bpm: beats a minute of the motion.
    rate: 1 is the motion's own tempo.
    arrange: renders music.
    draw: draws the music.
    beat_slowing: how strongly the body slows on every beat (``warp.slowed_on_beats``). Beats and half-beats stay where
        they are.

    Raises FootlightError for a motion that breaks off or is too short.
    """
    start, end = matching.unbroken_range(motion)
    if (end - start) / motion.fps < matching.SHORTEST_SECONDS:
        raise FootlightError(
            f"only {(end - start) / motion.fps:.1f} s of unbroken motion; "
            f"at least {matching.SHORTEST_SECONDS:g} s are needed"
        )
    played = (end - 1 - start) / motion.fps / rate - 1 / MEL_FPS
    frames, skipped, tempo = int(played * MOTION_FPS) + 1, start / motion.fps / rate, bpm * rate
    seconds = frames / MOTION_FPS
    name, waveform, beats = arrange(tempo, skipped + seconds + matching.SPARE_SECONDS, draw)
    parts, _ = heard(waveform, beats)
    starts = parts["beats"][parts["downbeats"]].double().numpy() + skipped
    starts = starts[starts + seconds <= (len(parts["mel"]) - 2) / MEL_FPS]
    speed = mean_speed(forward(motion.rotations, motion.root), motion.fps)[start:end]
    energy = matching.smoothed(speed.double().numpy(), motion.fps * rate)
    chosen = matching.start_of_like_energy(energy, parts, starts, draw)
    # Music is cut at whole frames. The motion starts as much later as its music does, so that both stay exact.
    first = math.ceil(chosen * MEL_FPS - 1e-6) / MEL_FPS
    clock = first + np.arange(frames) / MOTION_FPS
    beats_around = warp.extended(parts["beats"].double().numpy(), clock[-1] + 1)
    played = warp.slowed_on_beats(clock, beats_around, beat_slowing) - chosen
    times = torch.from_numpy(start / motion.fps + played * rate).clamp(0, (motion.frames - 1) / motion.fps)
    made = at_times(motion, times, MOTION_FPS)
    made = replace(made, contacts=label(forward(made.rotations, made.root), MOTION_FPS))
    section = cut(parts, first, seconds)
    return Known(made, name, tempo, {**section, **motion_tensors(made)})
