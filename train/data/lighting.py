"""Shows that the rules of looks write over prepared pairs (``core.light``), for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from core.audio.mel import hz_to_mel, mel_to_hz
from core.audio.onsets import rhythm_signal
from core.light.cues import section_cues, with_energy
from core.light.dancer import energy_at, watch
from core.light.look import shipped_looks
from core.light.rules import write_show
from core.light.song import Song, describe
from core.motion.kinematics import forward
from core.show.channels import SHOW_FPS
from core.show.show import as_valid
from train.data.dataset import Pair
from train.data.rates import MEL_FPS, MOTION_FPS
from train.data.theatre import Writer

LOWEST_HZ = 130.0  # of the bands that tell tones apart, if only roughly
HIGHEST_HZ = 2000.0


def rules(fps: float) -> Writer:
    """Writes shows by the rules of the shipped looks, at ``fps`` frames a second, in the order of the looks' names.

    Which look it is, and the designer's randomness, depend on the seed. The dancer is seen too.
    """
    looks = tuple(shipped_looks().values())

    def write(pair: Pair, seeds: Sequence[int]) -> list[tuple[np.ndarray, int]]:
        song, dancer = song_of(pair), watch(forward(pair.rotations, pair.root), MOTION_FPS)
        written = []
        for seed in seeds:
            draw = np.random.default_rng(seed)
            index = int(draw.integers(len(looks)))
            show = write_show(song, looks[index], draw, dancer)
            written.append((at_rate(show.values, show.fps, fps), index))
        return written

    return write


def cue_sheet(fps: float) -> Callable[[Pair, int], Tensor]:
    """What is told of the shows that ``rules`` write: (pair, frames) -> cues (frames, 7) at ``fps``."""

    def cues(pair: Pair, frames: int) -> Tensor:
        energy = energy_at(forward(pair.rotations, pair.root), MOTION_FPS, frames, fps)
        return with_energy(section_cues(song_of(pair).sections, frames, fps), energy)

    return cues


def song_of(pair: Pair) -> Song:
    """The music of a pair as the rules hear it."""
    rhythm = pair.heard()
    return describe(len(pair.mel) / MEL_FPS, rhythm, pair.mel.float(), tones(pair.mel.float()))


def tones(mel: Tensor) -> Tensor:
    """The magnitude (t', 12) of each pitch class at ``SHOW_FPS``, folded from a log-mel (t, m).

    Mel bands are wider than a semitone, so it says when the harmony changes and hardly what it is.
    """
    signal = rhythm_signal()
    top = hz_to_mel(signal.mel_fmax)
    centres = mel_to_hz(torch.linspace(0, top, signal.mel_bands + 2, dtype=torch.float64)[1:-1])
    inside = (centres > LOWEST_HZ) & (centres < HIGHEST_HZ)
    pitch = 12 * torch.log2(centres[inside] / 440.0) + 9  # 0 is C
    apart = (pitch[:, None] - torch.arange(12)).remainder(12)
    share = (1 - torch.minimum(apart, 12 - apart)).clamp_min(0).to(mel)
    folded = mel.exp()[:, inside] @ share
    step = MEL_FPS / SHOW_FPS
    frames = (torch.arange(int(len(mel) / step)) * step).round().long()
    return folded[frames]


def at_rate(values: np.ndarray, fps: float, wanted: float) -> np.ndarray:
    """Valid light (t', c) at another number of frames a second, linear between frames."""
    if fps == wanted:
        return values
    clock, own = np.arange(int(len(values) / fps * wanted)) / wanted, np.arange(len(values)) / fps
    return as_valid(np.stack([np.interp(clock, own, channel) for channel in values.T], axis=1))
