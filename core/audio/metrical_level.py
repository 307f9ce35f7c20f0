"""Which of the counts that fit the same music people would count: at once, half, double, or between the beats.

A path of beats may be half a beat off, or follow three beats where there are two. Its counterparts (``counts``) are
therefore compared with it as wholes, over the whole song: by what is heard on their beats and between them, by how
their bars would be, by how the music repeats and by their tempo. A linear score of these figures chooses. Its weights
were learned on music whose beats are known (``train.metrical_level``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from torch import Tensor

from core.audio.beat_network import FPS, levels
from core.audio.linear_score import LinearScore
from core.audio.mel import rises
from core.audio.onsets import ONSET_LEAD
from core.checkpoint import PRETRAINED

COUNTS = (
    *((1, shift) for shift in (0, 1 / 2, 1 / 4, 3 / 4)),  # the path itself comes first
    *((2, shift) for shift in (0, 1, 1 / 2, 3 / 2)),
    *((1 / 2, shift) for shift in (0, 1 / 4)),
    *((3 / 2, shift) for shift in (0, 1 / 2, 1)),
    *((2 / 3, shift) for shift in (0, 1 / 3)),
    *((4 / 3, shift) for shift in (0, 1 / 3, 2 / 3, 1)),
    *((3 / 4, shift) for shift in (0, 1 / 4, 1 / 2)),
)
"""Counterparts of a path: a beat every so many of its beats, beginning so many beats after its first."""
FEWEST = 16  # beats of a path that sound; of fewer nothing is certain
CLEARLY = 0.2  # times the usual onset by which thirds are to be louder than halves
WEIGHTS = PRETRAINED / "metrical_level.safetensors"

_PLACES = (0.0, 1 / 4, 1 / 2, 3 / 4, 1 / 3, 2 / 3)  # in a beat, whose sounds are averaged; the quarters come first
_METRES = (2, 3, 4)
_LAGS = (1, 2, 3, 4)  # beats after which the music may repeat
_NEAR = 2  # frames to either side of an instant that count for it
_SUREST = 4.0  # nats, for and against a beat on a frame
_LOUDEST = 4.0  # times the usual onset
_LOW, _MIDDLE, _HIGH = slice(0, 5), slice(14, 40), slice(48, None)  # mel bands of kick, snare and cymbals
_BEAT_ODDS, DOWNBEAT_ODDS, _BEAT, _DOWNBEAT, _KICK, _SNARE, _CYMBALS, _ONSET = range(8)  # columns of ``heard``


@lru_cache(maxsize=1)
def level_score() -> LinearScore:
    """The learned score."""
    return LinearScore.load(WEIGHTS)


def best_count(times: np.ndarray, heard: np.ndarray, sounds: np.ndarray, bpm: tuple[float, float]) -> np.ndarray:
    """The beats (m,), seconds, of the best counterpart of a path (n,), which may be the path itself.

    heard: (t, 8), as ``heard`` returns it.
    sounds: (t,) bool, whether anything sounds on each frame.
    bpm: the slowest and the fastest tempo that a counterpart may have, beats per minute.
    """
    if int(sounds[frames_of(times, heard)].sum()) < FEWEST:
        return times
    score, best, highest = level_score(), times, -np.inf
    for count in counts(times, len(heard) / FPS, bpm):
        found = figures(count, heard, sounds)
        value = score(found) if found is not None else -np.inf
        if value > highest:
            best, highest = count, value
    return best


def counts(
    times: np.ndarray, seconds: float, bpm: tuple[float, float], among: Sequence[tuple[float, float]] = COUNTS
) -> list[np.ndarray]:
    """The counterparts of a path (n,) in the song ``among`` which to look, the path as it is; those whose tempo lies
    within ``bpm`` throughout."""
    found = []
    for step, shift in among:
        count = times if (step, shift) == (1, 0) else _every(times, step, shift, seconds)
        if len(count) < FEWEST // 2:
            continue
        shortest, longest = np.quantile(np.diff(count), (0.05, 0.95))
        if 60 / bpm[1] <= shortest and longest <= 60 / bpm[0]:
            found.append(count)
    return found


def _every(times: np.ndarray, step: float, shift: float, seconds: float) -> np.ndarray:
    """Instants (m,) of the song, ``step`` of the beats (n,) apart, of which one is ``shift`` beats after the first."""
    places = np.arange(shift - step * np.ceil((1 + shift) / step), len(times) + step, step)
    longer = np.concatenate([[2 * times[0] - times[1]], times, [2 * times[-1] - times[-2]]])
    inside = places[(places >= -1) & (places <= len(times))]
    found = np.interp(inside, np.arange(-1, len(times) + 1), longer)
    return found[(found >= 0) & (found < seconds)]


def heard(mel: Tensor, beat: np.ndarray, downbeat: np.ndarray, envelope: np.ndarray) -> np.ndarray:
    """What is heard around each frame, (t, 8): odds and probabilities of a beat and a downbeat, and onsets.

    The onsets are those of kick, snare, cymbals and all together, relative to their usual size.

    mel: (t, m) magnitudes, as ``beat_network.spectrogram`` returns them.
    beat, downbeat: (t,) probabilities.
    envelope: (t,) onset envelope.
    """
    rise = rises(levels(mel)).double().numpy()
    bands = [rise[:, some].mean(axis=1) for some in (_LOW, _MIDDLE, _HIGH)]
    onsets = np.stack([*bands, envelope], axis=1)
    onsets = (onsets / (np.sqrt((onsets**2).mean(axis=0)) + 1e-6)).clip(max=_LOUDEST)
    likely = np.stack([beat, downbeat], axis=1)
    odds = np.log(likely.clip(1e-6) / (1 - likely).clip(1e-6)).clip(-_SUREST, _SUREST)
    whole = np.concatenate([odds, likely, np.roll(onsets, round(ONSET_LEAD * FPS), axis=0)], axis=1)
    padded = np.pad(whole, ((_NEAR, _NEAR), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1, axis=0).max(axis=-1)


def figures(times: np.ndarray, heard: np.ndarray, sounds: np.ndarray) -> np.ndarray | None:
    """What speaks for and against a count (n,), as figures (f,); None where too little of it sounds."""
    times, gaps = audible(times, heard, sounds)
    if len(times) < FEWEST // 2:
        return None
    at = _around(times, gaps, heard, _PLACES)
    beat, *quarters, third, second_third = at.mean(axis=1)  # each (8,)
    means = [beat, quarters[1], (quarters[0] + quarters[2]) / 2, (third + second_third) / 2]
    rate = 1 / float(np.median(gaps))
    octave = np.log2(rate)
    tempo = [octave, octave**2, rate, *rate * beat[[_BEAT_ODDS, _BEAT, _ONSET]]]
    bars = (_bars(at[0], metre) for metre in _METRES)
    return np.concatenate([*means, tempo, *bars, _repeats(_struck(at[:4]))])


def audible(times: np.ndarray, heard: np.ndarray, sounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the beats (n,) that sound, and the seconds from each of them to the next beat."""
    some = sounds[frames_of(times, heard)]
    return times[some], np.diff(times, append=2 * times[-1] - times[-2])[some]


def in_thirds(times: np.ndarray, heard: np.ndarray, sounds: np.ndarray) -> bool:
    """Whether the beats (n,) of a song are divided by three, as in 6/8: more begins at their thirds than at halves.

    heard, sounds: as ``best_count`` takes them.
    """
    times, gaps = audible(times, heard, sounds)
    if len(times) == 0:
        return False
    half, *thirds = (heard[frames_of(times + place * gaps, heard), _ONSET].mean() for place in (1 / 2, 1 / 3, 2 / 3))
    return bool(np.mean(thirds) > half + CLEARLY)


def strokes(times: np.ndarray, gaps: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """The kick, snare and cymbals on each of the beats (n,) and at the quarters after it, (n, 12).

    gaps: (n,) seconds from each beat to the next one.
    """
    return _struck(_around(times, gaps, heard, _PLACES[:4]))


def _struck(quarters: np.ndarray) -> np.ndarray:
    """The kick, snare and cymbals (n, 12) of what is heard at the quarters of each beat (4, n, 8)."""
    return quarters[:, :, _KICK:_ONSET].transpose(1, 0, 2).reshape(quarters.shape[1], -1)


def _around(times: np.ndarray, gaps: np.ndarray, heard: np.ndarray, places: tuple[float, ...]) -> np.ndarray:
    """What is heard at places within each of the beats (n,), (places, n, 8)."""
    return heard[frames_of(times + np.array(places)[:, None] * gaps, heard)]


def frames_of(times: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """The frames (n,) of what is heard (t, c) at instants (n,), seconds."""
    return np.round(times * FPS).astype(int).clip(0, len(heard) - 1)


def _bars(on_beat: np.ndarray, metre: int) -> np.ndarray:
    """How much the first beats of bars stand out (5,), where the bars begin as the downbeats say.

    That is, by the odds and the probability of a downbeat, by kick and snare; and how much the snare is on the even
    beats.

    on_beat: (n, 8) what is heard on each beat.
    """
    columns = on_beat[:, [DOWNBEAT_ODDS, _DOWNBEAT, _KICK, _SNARE]]
    taken = np.arange(len(on_beat)) % metre == np.arange(metre)[:, None]  # m n
    places = taken @ columns / taken.sum(axis=1, keepdims=True)
    places = places[(np.arange(metre) + places[:, 1].argmax()) % metre]
    odd, even = places[1::2, 3], places[::2, 3]  # of so few numbers a sum takes a third of the time of a mean
    stands_out = places[0] - places[1:].sum(axis=0) / (metre - 1)
    return np.append(stands_out, odd.sum() / len(odd) - even.sum() / len(even))


def _repeats(patterns: np.ndarray) -> list[float]:
    """How like the patterns (n, c) of each beat are to those of one to four beats later, from -1 to 1."""
    centred = patterns - patterns.mean(axis=0)
    power = float((centred**2).sum()) + 1e-6
    return [float((centred[lag:] * centred[:-lag]).sum()) / power for lag in _LAGS]
