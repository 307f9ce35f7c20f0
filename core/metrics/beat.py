"""Metrics of how well a motion keeps the beat of its music.

Conventions
    Beats are times in seconds, (n,), strictly increasing. A clip lasts ``seconds``; beats outside of it are ignored.
    Motions are joint positions (t, j, 3) in metres at ``fps``. BAS uses 60 frames per second, as its sources do;
    positions at another rate are resampled by a spline first.
    A metric without beats to compare is 0.

Metrics
    BCS, BHS, motion to music   matches in bins of one second (LORIS, Yu et al. 2023). They saturate: a metronome at 100
                                beats per minute has 1 against one at 120. They are labelled as saturated and serve only
                                for comparison with papers.
    BCS, BHS, music to motion   matches within a tolerance (MoMu-Diffusion, 2024). The tolerance of 100 ms is ours.
    strict F                    one-to-one matches within 70 ms (the beat F-measure of Davies et al. 2009).
    BAS                         "aist" is motion -> music (Li et al. 2021), "bailando" is music -> motion (Siyao et al.
                                2022), "theatre" is strong beats -> energy peaks.
    Each comes with its chance level, which is measured on the same beats shifted cyclically by random offsets, and with
    the calibrated value (value - chance) / (1 - chance): 0 is chance, 1 is perfect.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from core.errors import FootlightError
from core.layers.peaks import gaussian_smooth, peaks
from core.motion.resample import spline
from core.rhythm.accents import kinematic_beats, kinematic_onsets
from core.rhythm.events import strong_beats
from core.types import Beats, Waveform

BAS_FPS = 60.0
BAS_SIGMA = 3.0  # frames at BAS_FPS: 50 ms
AIST_ORDER = 10  # a minimum is lower than this many frames to either side
BAILANDO_SMOOTHING = 5.0  # frames
STRICT_TOLERANCE = 0.07  # seconds
MOMU_TOLERANCE = 0.10  # seconds
SHIFTS = 50  # random offsets that measure chance
ONSET_RATE = 22_050  # Hz


def validate(times: Tensor, name: str = "beats") -> Tensor:
    """The times (n,) as float64. Raises FootlightError unless they are finite and strictly increasing."""
    times = torch.as_tensor(times).detach().double()
    if times.ndim != 1 or not bool(times.isfinite().all()) or bool((times.diff() <= 0).any()):
        raise FootlightError(
            f"{name}: expected increasing times in seconds, shape (n,), got {tuple(times.shape)}; sort them"
        )
    return times


def within(times: Tensor, seconds: float) -> Tensor:
    """The times (n,) inside a clip of ``seconds``."""
    return times[(times >= 0) & (times < seconds)]


# Kinematic beats


def aist_beats(positions: Tensor, fps: float) -> Tensor:
    """Kinematic beats (n,) of AIST++, seconds: strict minima of the joint speed among 10 frames to either side."""
    return _minima(_speed(positions, fps), AIST_ORDER) / BAS_FPS


def bailando_beats(positions: Tensor, fps: float) -> Tensor:
    """Kinematic beats (n,) of Bailando, seconds: strict minima of the smoothed mean joint speed at 60 fps."""
    return _minima(gaussian_smooth(_speed(positions, fps), BAILANDO_SMOOTHING), 1) / BAS_FPS


def energy_peaks(positions: Tensor, fps: float) -> Tensor:
    """Peaks (n,) of the kinetic energy, seconds: the sum of squared joint speeds, smoothed by 5 frames at 60 fps."""
    speed = _velocity(positions, fps).norm(dim=-1)
    return _minima(-gaussian_smooth((speed**2).sum(dim=1), BAILANDO_SMOOTHING), 1) / BAS_FPS


def music_onsets(waveform: Waveform) -> Tensor:
    """Onsets (n,) of music, seconds, as MoMu-Diffusion detects them: by librosa at 22 050 Hz, with its parameters.

    Raises FootlightError if librosa is not installed.
    """
    try:
        import librosa
    except ImportError:
        raise FootlightError(
            "MoMu's onsets need librosa, which is not installed; pip install footlight[train]"
        ) from None
    samples = librosa.resample(waveform.samples.numpy(), orig_sr=waveform.rate, target_sr=ONSET_RATE)
    found = librosa.onset.onset_detect(
        y=samples, sr=ONSET_RATE, wait=1, delta=0.2, pre_avg=3, post_avg=3, pre_max=3, post_max=3, units="time"
    )
    return torch.from_numpy(found).double()


# Metrics


def per_second(generated: Tensor, reference: Tensor, seconds: float) -> tuple[float, float]:
    """(BCS, BHS) of LORIS: bins of a second with a beat in both, over bins with a generated and with a reference one.

    generated: (n,) seconds.
    reference: (m,) seconds.
    seconds: length of the clip.
    """
    bins = math.ceil(seconds)
    occupied = [torch.zeros(bins, dtype=torch.bool) for _ in range(2)]
    for times, bin_ in zip((generated, reference), occupied, strict=True):
        inside = times[(times >= 0) & (times < seconds)]
        bin_[inside.long()] = True
    both = int((occupied[0] & occupied[1]).sum())
    return _share(both, int(occupied[0].sum())), _share(both, int(occupied[1].sum()))


def tolerant(kinematic: Tensor, musical: Tensor, tolerance: float = MOMU_TOLERANCE) -> tuple[float, float]:
    """(BCS, BHS) of MoMu-Diffusion, music to motion: matched beats over musical beats, and over kinematic beats.

    kinematic: (n,) seconds.
    musical: (m,) seconds.
    tolerance: seconds.
    """
    both = matches(kinematic, musical, tolerance)
    return _share(both, len(musical)), _share(both, len(kinematic))


def f_measure(estimated: Tensor, reference: Tensor, tolerance: float = STRICT_TOLERANCE) -> float:
    """F-measure in [0, 1] of times (n,) against times (m,), matched one to one within ``tolerance`` seconds."""
    return _share(2 * matches(estimated, reference, tolerance), len(estimated) + len(reference))


def matches(a: Tensor, b: Tensor, tolerance: float) -> int:
    """The largest number of one-to-one pairs of times of ``a`` (n,) and ``b`` (m,) at most ``tolerance`` apart."""
    return len(matched(a, b, tolerance))


def matched(a: Tensor, b: Tensor, tolerance: float) -> list[float]:
    """The times of ``a`` (n,) in the largest set of one-to-one pairs with times of ``b`` (m,), as of ``matches``.

    Because the tolerance is the same for all, pairing each time with the earliest one that fits is optimal.
    """
    others = iter(b.tolist())
    other, found = next(others, math.inf), []
    for time in a.tolist():
        while time - other > tolerance:
            other = next(others, math.inf)
        if other - time <= tolerance:
            other = next(others, math.inf)
            found.append(time)
    return found


def alignment(beats: Tensor, targets: Tensor, fps: float = BAS_FPS, sigma: float = BAS_SIGMA) -> float:
    """Beat alignment in [0, 1]: the mean over beats of exp(-d^2 / 2 sigma^2), with d frames to the nearest target.

    beats: (n,) seconds.
    targets: (m,) seconds.
    fps: frames per second of d.
    sigma: frames.
    """
    if len(beats) == 0 or len(targets) == 0:
        return 0.0
    right = torch.searchsorted(targets, beats).clamp(0, len(targets) - 1)
    left = (right - 1).clamp(min=0)
    distance = torch.minimum((beats - targets[left]).abs(), (beats - targets[right]).abs()) * fps
    return float(torch.exp(-(distance**2) / (2 * sigma**2)).mean())


def with_chance(
    score: Callable[[Tensor], float], beats: Tensor, seconds: float, seed: int = 0, shifts: int = SHIFTS
) -> dict[str, float]:
    """A metric of musical beats with its chance level: {"value", "chance", "calibrated"}.

    Chance is the mean over the same beats, shifted cyclically within the clip by random offsets. The calibrated value
    is (value - chance) / (1 - chance).

    score: beats (n,) -> the metric.
    beats: (n,) seconds.
    seconds: length of the clip.
    seed: of the offsets.
    shifts: their number.
    """
    generator = torch.Generator().manual_seed(seed)
    offsets = torch.rand(shifts, generator=generator, dtype=torch.float64) * seconds
    value = score(beats)
    chance = sum(score(((beats + offset) % seconds).sort().values) for offset in offsets) / shifts
    return {"value": value, "chance": chance, "calibrated": (value - chance) / (1 - chance) if chance < 1 else 0.0}


def coverage(
    score: Callable[[Tensor], tuple[float, float]], beats: Tensor, seconds: float, seed: int = 0, shifts: int = SHIFTS
) -> dict[str, float]:
    """BCS and BHS with their chance levels: {"bcs", "bhs"}, each also with "_chance" and "_calibrated".

    score: beats (n,) -> (BCS, BHS). The other parameters are those of ``with_chance``.
    """
    table: dict[str, float] = {}
    for place, name in enumerate(("bcs", "bhs")):
        found = with_chance(lambda times, place=place: score(times)[place], beats, seconds, seed, shifts)
        table |= {name: found["value"], f"{name}_chance": found["chance"], f"{name}_calibrated": found["calibrated"]}
    return table


def evaluate(
    positions: Tensor, fps: float, music: Beats, waveform: Waveform | None = None, seed: int = 0, shifts: int = SHIFTS
) -> dict:
    """All beat metrics of one clip. ``average`` takes a list of these.

    Returns numbers; for BAS and F {"value", "chance", "calibrated"}; for BCS and BHS what ``coverage`` returns, with
    "saturated" for those of LORIS.

    positions: (t, j, 3) metres.
    fps: frames per second.
    music: beats of the music, from the start of the clip.
    waveform: the music; adds metrics of its onsets.
    seed: of the random shifts that measure chance.
    shifts: their number.

    Raises FootlightError for another shape, or beats that are not increasing.
    """
    if positions.ndim != 3 or positions.shape[-1] != 3 or positions.shape[0] < 3:
        raise FootlightError(f"expected joint positions (t >= 3, j, 3), got {tuple(positions.shape)}")
    seconds = positions.shape[0] / fps
    beats = within(validate(music.times, "music beats"), seconds)
    strong = within(strong_beats(music), seconds)
    hit, onset = (
        within(found(positions, fps).times.double(), seconds) for found in (kinematic_beats, kinematic_onsets)
    )
    aist, bailando = aist_beats(positions, fps), bailando_beats(positions, fps)
    peaks = energy_peaks(positions, fps)

    def chance(score: Callable[[Tensor], float], times: Tensor = beats) -> dict:
        return with_chance(score, times, seconds, seed, shifts)

    def both(score: Callable[[Tensor], tuple[float, float]], times: Tensor = beats) -> dict:
        return coverage(score, times, seconds, seed, shifts)

    result = {
        "fps": fps,
        "bas_fps": BAS_FPS,
        "seconds": seconds,
        "beats": len(beats),
        "hits": len(hit),
        "onsets": len(onset),
        "bas_aist": chance(lambda times: alignment(aist, times)),
        "bas_bailando": chance(lambda times: alignment(times, bailando)),
        "bas_hits": chance(lambda times: alignment(times, hit)),
        "bas_theatre": chance(lambda times: alignment(times, peaks), strong),
        "f_hits_70ms": chance(lambda times: f_measure(hit, times)),
        "f_hits_100ms": chance(lambda times: f_measure(hit, times, 0.1)),
        "f_onsets_70ms": chance(lambda times: f_measure(onset, times)),
        "momu_hits": both(lambda times: tolerant(hit, times)),
        "momu_onsets": both(lambda times: tolerant(onset, times)),
        "loris_beats": {**both(lambda times: per_second(hit, times, seconds)), "saturated": True},
    }
    if waveform is not None:
        heard = within(music_onsets(waveform), seconds)
        loris = both(lambda times: per_second(onset, times, seconds), heard)
        result["loris_music_onsets"] = {**loris, "saturated": True}
        result["momu_music_onsets"] = both(lambda times: tolerant(onset, times), heard)
        result["f_music_onsets_70ms"] = chance(lambda times: f_measure(onset, times), heard)
    return result


def average(clips: list[dict]) -> dict:
    """Average the results of several clips: the mean of every number.

    BCS and BHS also have CSD and HSD, their sample standard deviations over the clips, and F1, the harmonic mean of the
    two means.

    clips: results with the same entries and the same fps.

    Raises FootlightError for none, or if they differ in these.
    """
    if not clips:
        raise FootlightError("no clips to average; evaluate at least one")
    if any(clip.keys() != clips[0].keys() or clip["fps"] != clips[0]["fps"] for clip in clips):
        raise FootlightError("clips of different frame rates or contents cannot be averaged; evaluate all alike")
    result: dict = {"clips": len(clips)}
    for name, first in clips[0].items():
        if isinstance(first, dict) and "bcs" in first:
            result[name] = _averaged_coverage([clip[name] for clip in clips])
        elif isinstance(first, dict):
            result[name] = {key: sum(clip[name][key] for clip in clips) / len(clips) for key in first}
        else:
            result[name] = sum(clip[name] for clip in clips) / len(clips)
    return result


def coverage_and_hit(clips: list[tuple[float, float]]) -> dict[str, float]:
    """Mean and deviation of several clips' (BCS, BHS): {"bcs", "csd", "bhs", "hsd", "f1"}.

    The deviations of a single clip are 0.
    """
    table = torch.tensor(clips, dtype=torch.float64)
    (bcs, bhs) = table.mean(dim=0).tolist()
    csd, hsd = table.std(dim=0).tolist() if len(clips) > 1 else (0.0, 0.0)
    return {"bcs": bcs, "csd": csd, "bhs": bhs, "hsd": hsd, "f1": _share(2 * bcs * bhs, bcs + bhs)}


def _averaged_coverage(clips: list[dict]) -> dict:
    """``coverage_and_hit`` of several clips' ``coverage``, with the same of chance and the mean calibrated values."""
    result = coverage_and_hit([(clip["bcs"], clip["bhs"]) for clip in clips])
    chance = coverage_and_hit([(clip["bcs_chance"], clip["bhs_chance"]) for clip in clips])
    result |= {f"{name}_chance": chance[name] for name in ("bcs", "bhs", "f1")}
    for name in ("bcs_calibrated", "bhs_calibrated"):
        result[name] = sum(clip[name] for clip in clips) / len(clips)
    return {**result, "saturated": True} if clips[0].get("saturated") else result


def _velocity(positions: Tensor, fps: float) -> Tensor:
    """Joint velocities (t', j, 3), metres per frame at 60 fps. Frame i moves from i to i + 1, as in the sources."""
    positions = positions.detach().double()
    if fps != BAS_FPS:
        frames = math.floor((positions.shape[0] - 1) * BAS_FPS / fps) + 1
        positions = spline(positions, torch.arange(frames, dtype=torch.float64) * (fps / BAS_FPS))
    return positions.diff(dim=0)


def _speed(positions: Tensor, fps: float) -> Tensor:
    return _velocity(positions, fps).norm(dim=-1).mean(dim=1)


def _minima(values: Tensor, order: int) -> Tensor:
    """Frames whose value is lower than those of ``order`` frames before and after, or as many as there are.

    The first and the last frame have no neighbour on one side and do not count.
    """
    return peaks(-values, order, rising=True, falling=True, ends=False).double()


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
