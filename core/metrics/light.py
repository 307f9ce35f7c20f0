"""Metrics of stage light: how it corresponds to the music, to its sections and to the dance, and how safe it is.

Conventions
    A show is a ``core.show.show.Show``, with its strobe. Its level is the mean over the roles of level x share at the
    middle of the stage; a role's brightness is that of the role alone. Times are seconds.

Correspondence of Kohl, Wursthorn and Weiß ("Cross-Modal Metrics for Capturing Correspondences Between Music Audio and
Stage Lighting Signals", ACM Multimedia 2025). The definitions and numbers are those of the authors' published program;
everything is at 30 frames per second, as there.
    structure   Γ_structure: Pearson correlation of the two self-similarity matrices. Features are smoothed by a Hann
                window of 81 frames and reduced to every tenth. Music: inner products of chroma of unit length. Light:
                1 - distance / sqrt(channels).
    novelty     Γ_novelty: Pearson correlation of the two novelty curves, from a Gaussian checkerboard kernel of 31 to
                either side (10 s, variance 0.5), without 31 at the ends. nan for songs shorter than 21 s.
    boundary    Γ_boundary: F-measure at 2 s of the novelty curves' peaks (prominence 0.04, 15 apart), with the song's
                ends, as mir_eval's segment detection has it.
    loud        Γ_loud: Pearson correlation of loudness and brightness, each summed over pieces of 4 s.
    change      Γ_change: the same of the music's onset strength and the sum of all channels' changes, without the first
                second.
    beat_peak   Γ_beat,peak: mean over the peaks of each role's brightness of exp(-d / (2 0.5^2)), where d is the
                distance in frames to the nearest beat. Brightness has 32 steps. Peaks are 16 frames apart and 0.15
                prominent, and count from the start of a plateau. beat_valley likewise for valleys.
    Here differs: our loudness is not RMS but ``core.audio.onsets.loudness`` as amplitude; our channels of light are the
    roles' linear RGB at three places and not those of a rig. The authors take the best of shifts by up to three frames;
    we take no shift, because our clocks agree.

Our own
    pulse_f     strict F-measure at 70 ms, one to one, of strokes of light against the strong beats. A stroke is a rise
                of any role's brightness by 0.1 or more that ends on a peak, and that is a stroke's: within a quarter of
                a second the light falls again by a quarter of the rise. Strokes of several roles within 70 ms are one.
                Left out where the show has no strokes, which is a choice and not a fault.
    section_f   F-measure at 1 s of the light's strongest changes of scene against known sections' starts. The change at
                an instant compares the means of the roles' light over 4 s before and after; as many peaks are taken
                as there are sections.
    energy      Pearson correlation of the show's level, smoothed over a second, with the dance's energy.
    answer      Of two shows for two dances to one song, with the same look and seed: Pearson correlation of the
                difference of their levels, smoothed over a second, with the difference of the dances' energies. What
                both take from the song cancels, so little light for the dance suffices. The level is the mean of the
                roles' own, wherever on the stage they light: a follow spot that leaves the middle is no dimmer.
    flashes     the most flashes in any second (``core.show.flashes``); 3 are allowed.

Chance: of each of our own but flashes, the mean over the same beats, sections or energy, shifted cyclically in time by
random offsets (``core.metrics.beat.with_chance``). ``correspondence`` gets a shifted show from its caller.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from core.errors import FootlightError
from core.layers.peaks import gaussian_smooth, peaks, prominence, spaced
from core.metrics.beat import STRICT_TOLERANCE, f_measure, with_chance
from core.show.channels import ROLES, SLICES
from core.show.flashes import most_flashes, strobed_light
from core.show.show import Show

FPS = 30.0
SMOOTHING = 81  # frames
REDUCTION = 10  # frames
KERNEL = 31  # reduced frames to either side
KERNEL_VARIANCE = 0.5
PEAK_DISTANCE = 15  # reduced frames
PEAK_PROMINENCE = 0.04
BOUNDARY_SECONDS = 2.0
PIECE = 120  # frames
BRIGHTNESS_STEPS = 32
BEAT_PEAK_DISTANCE = 16  # frames
BEAT_PEAK_PROMINENCE = 0.15
BEAT_SIGMA = 0.5  # frames

STROKE = 0.1  # of full brightness
STROKE_FALL = 0.25  # of the rise, within
STROKE_SECONDS = 0.25
SCENE_SECONDS = 4.0
SECTION_TOLERANCE = 1.0  # seconds
SECTION_SPACING = 3.0  # seconds
LEVEL_SECONDS = 0.5  # standard deviation
FEWEST_FRAMES = 20


def roles_brightness(show: Show) -> Tensor:
    """Brightness (t, roles) in [0, 1] of each role: level x share at the middle of the stage, with the strobe."""
    return torch.from_numpy(strobed_light(show, (0.0,)))[:, :, 0].amax(dim=-1)


def channels_of_light(show: Show) -> Tensor:
    """The light (t, c) of all roles at three places, linear RGB, with the strobe."""
    return torch.from_numpy(strobed_light(show)).flatten(1)


def resampled(values: Tensor, fps: float, wanted: float = FPS) -> Tensor:
    """Values (t', c) at ``wanted`` frames per second of values (t, c) at ``fps``, interpolated linearly."""
    count = max(1, int(len(values) / fps * wanted + 1e-9))
    place = (torch.arange(count, dtype=torch.float64) / wanted * fps).clamp_max(len(values) - 1)
    left = place.long().clamp_max(max(0, len(values) - 2))
    share = (place - left)[:, None].to(values.dtype)
    right = (left + 1).clamp_max(len(values) - 1)
    return values[left] * (1 - share) + values[right] * share


def pearson(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation of (n,) and (n,); nan for fewer than two values, and where one of them never changes."""
    if len(a) < 2:
        return math.nan
    x, y = a.double() - a.double().mean(), b.double() - b.double().mean()
    size = float((x.square().sum() * y.square().sum()).sqrt())
    return float((x * y).sum()) / size if size > 1e-12 else math.nan


def reduced(values: Tensor) -> Tensor:
    """Values (t', c) at 3 Hz of values (t, c) at 30: smoothed by a Hann window, every tenth."""
    window = torch.hann_window(SMOOTHING, periodic=False, dtype=values.dtype)
    half = SMOOTHING // 2
    padded = torch.nn.functional.pad(values.T[:, None], (half, half))
    smooth = torch.nn.functional.conv1d(padded, (window / window.sum())[None, None])[:, 0].T
    return smooth[::REDUCTION]


def music_similarity(chroma: Tensor) -> Tensor:
    """Self-similarity (n, n) of chroma (t, 12) at 30 Hz."""
    unit = torch.nn.functional.normalize(reduced(chroma.double()), dim=1, eps=1e-3)
    return unit @ unit.T


def light_similarity(light: Tensor) -> Tensor:
    """Self-similarity (n, n) of channels of light (t, c) at 30 Hz, each in [0, 1]."""
    small = reduced(light.double())
    return 1 - torch.cdist(small, small) / math.sqrt(small.shape[1])


def novelty(similar: Tensor) -> Tensor:
    """Novelty (n,) of a self-similarity matrix (n, n): 0 within a kernel's reach of the ends."""
    axis = torch.arange(-KERNEL, KERNEL + 1, dtype=torch.float64)
    bell = torch.exp(-0.5 * (axis / (KERNEL * KERNEL_VARIANCE)) ** 2) * axis.sign()
    kernel = bell[:, None] * bell
    kernel = kernel / kernel.abs().sum()
    found = torch.zeros(len(similar), dtype=torch.float64)
    for frame in range(KERNEL, len(similar) - KERNEL):
        span = slice(frame - KERNEL, frame + KERNEL + 1)
        found[frame] = (similar[span, span] * kernel).sum()
    return found


def _prominent(values: Tensor, distance: int, least: float) -> list[int]:
    """Peaks that are prominent enough and ``distance`` apart; of two that are closer, the higher one stays."""
    height = prominence(values)
    found = peaks(values, 1, rising=True, ends=False)
    kept = found[spaced(found.tolist(), values[found].tolist(), distance)]
    return kept[height[kept] >= least].tolist()


def correspondence(
    light: Tensor, brightness: Tensor, chroma: Tensor, loudness: Tensor, onset: Tensor, beats: Tensor
) -> dict[str, float]:
    """The correspondence of Kohl, Wursthorn and Weiß, by name; nan where one is undefined. All at 30 Hz.

    light: (t, c) channels in [0, 1].
    brightness: (t, roles).
    chroma: (t, 12).
    loudness: (t,) amplitude.
    onset: (t,) onset strength.
    beats: (n,) seconds.
    """
    count = min(len(light), len(chroma), len(loudness), len(onset))
    light, brightness, chroma = light[:count], brightness[:count], chroma[:count]
    ours, theirs = light_similarity(light), music_similarity(chroma)
    changes, turns = novelty(ours), novelty(theirs)
    inner = slice(KERNEL, len(changes) - KERNEL)
    peak, valley = (_beat_alignment(values, beats) for values in (brightness, 1 - brightness))
    return {
        "structure": pearson(ours.flatten(), theirs.flatten()),
        "novelty": pearson(changes[inner], turns[inner]),
        "boundary": _boundary_f(changes, turns),
        "loud": pearson(_pieces(loudness[:count]), _pieces(brightness.sum(dim=1))),
        "change": pearson(_pieces(onset[:count][30:]), _pieces(_difference(light)[30:])),
        "beat_peak": peak,
        "beat_valley": valley,
    }


def _difference(light: Tensor) -> Tensor:
    return torch.cat((light.new_zeros(1), light.diff(dim=0).abs().sum(dim=1)))


def _pieces(values: Tensor) -> Tensor:
    """Sums (n,) over pieces of four seconds, of nearly equal lengths."""
    return torch.stack([piece.sum() for piece in values.double().tensor_split(max(1, len(values) // PIECE))])


def _boundary_f(light: Tensor, music: Tensor) -> float:
    end = len(light) * REDUCTION / FPS
    ours, theirs = (
        torch.tensor([0.0, *(f * REDUCTION / FPS for f in _prominent(n, PEAK_DISTANCE, PEAK_PROMINENCE)), end])
        for n in (light, music)
    )
    return f_measure(ours.double(), theirs.double(), BOUNDARY_SECONDS)


def _beat_alignment(brightness: Tensor, beats: Tensor) -> float:
    frames = beats.double() * FPS
    if not len(frames):
        return math.nan
    scores = [
        math.exp(-float((frames - frame).abs().min().round()) / (2 * BEAT_SIGMA**2))
        for role in (brightness * BRIGHTNESS_STEPS).floor().div(BRIGHTNESS_STEPS).T
        for frame in _plateaus(role, BEAT_PEAK_DISTANCE, BEAT_PEAK_PROMINENCE)
    ]
    return sum(scores) / len(scores) if scores else math.nan


def _plateaus(values: Tensor, distance: int, least: float) -> list[int]:
    """Where prominent peaks or plateaus of a stepped curve begin."""
    changes = torch.cat((torch.tensor([True]), values.diff() != 0)).nonzero()[:, 0]
    steps = values[changes]
    high = prominence(steps) >= least
    changes, steps = changes[high], steps[high]
    return changes[spaced(changes.tolist(), steps.tolist(), distance)].tolist()


def strokes_of_light(brightness: Tensor, fps: float) -> Tensor:
    """The strokes (n,), seconds, of brightness (t, roles): where any role rises, peaks and falls again."""
    near = max(1, round(STROKE_SECONDS * fps))
    before, after, found = torch.tensor([-2, -1]), torch.arange(near + 1), set()
    for role in brightness.T.contiguous():
        tops = peaks(role, 1, rising=True, ends=False)
        around = ((tops[:, None] + some).clamp(0, len(role) - 1) for some in (before, after))
        rise, fall = ((role[tops] - role[frames].amin(dim=1)).double() for frames in around)
        found.update(tops[(rise >= STROKE) & (fall >= STROKE_FALL * rise)].tolist())
    times: list[float] = []
    for frame in sorted(found):
        if not times or frame / fps - times[-1] > STRICT_TOLERANCE:
            times.append(frame / fps)
    return torch.tensor(times, dtype=torch.float64)


def scene_changes(light: Tensor, fps: float, count: int) -> Tensor:
    """The ``count`` strongest changes of scene (n,), seconds, of channels of light (t, c), increasing."""
    reach = round(SCENE_SECONDS * fps)
    sums = torch.cat((light.new_zeros(1, light.shape[1]), light.cumsum(dim=0)))
    index = torch.arange(len(light))
    first, last = (index - reach).clamp_min(0), (index + reach).clamp_max(len(light))
    before = (sums[index] - sums[first]) / (index - first).clamp_min(1)[:, None]
    after = (sums[last] - sums[index]) / (last - index).clamp_min(1)[:, None]
    change = (after - before).norm(dim=1)
    change[:reach] = change[len(light) - reach :] = 0
    found = (change > 0).nonzero()[:, 0]
    found = found[spaced(found.tolist(), change[found].tolist(), SECTION_SPACING * fps)]
    strongest = change[found].argsort(descending=True, stable=True)[:count]
    return found[strongest].sort().values.double() / fps


def energy_correlation(brightness: Tensor, energy: Tensor, fps: float) -> float:
    """Pearson correlation of the stage's level with the dance's energy (t,); the longer one is cut."""
    level = gaussian_smooth(brightness.mean(dim=1), LEVEL_SECONDS * fps)
    count = min(len(level), len(energy))
    return pearson(level[:count], energy[:count])


def answer(shows: tuple[Show, Show], energies: tuple[Tensor, Tensor], seed: int = 0) -> dict[str, float]:
    """How two shows for two dances to one song answer them, as ``core.metrics.beat.with_chance`` gives it: the
    correlation of the difference of their levels with the difference of the dances' energies.

    shows: with one frame rate.
    energies: (t,) of the dances at that rate. The longer ones are cut.
    seed: of the shifts that measure chance.
    """
    (levels, apart), fps = _apart(shows, energies), shows[0].fps

    def turned(by: Tensor) -> float:
        return pearson(levels, apart.roll(round(float(by[0]) * fps)))

    return with_chance(turned, torch.zeros(1, dtype=torch.float64), len(levels) / fps, seed)


def level_per_energy(shows: tuple[Show, Show], energies: tuple[Tensor, Tensor]) -> float:
    """By how much the level of light rises with a dance's energy from rest (0) to its most (1): the slope through 0, by
    least squares, of the differences that ``answer`` correlates. It is nan for two dances of the same energy.

    shows, energies: as of ``answer``.
    """
    levels, apart = _apart(shows, energies)
    return float(levels @ apart / (apart @ apart))


def _apart(shows: tuple[Show, Show], energies: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The differences (t,) of the levels of two shows, smoothed, and of two energies, cut to the shortest of them."""
    count = min(*(show.frames for show in shows), *map(len, energies))
    levels = [gaussian_smooth(_levels(show)[:count], LEVEL_SECONDS * show.fps) for show in shows]
    return levels[0] - levels[1], energies[0][:count].double() - energies[1][:count].double()


def _levels(show: Show) -> Tensor:
    """The mean level (t,) of the roles."""
    columns = [SLICES[f"{role}_level"].start for role in ROLES]
    return torch.from_numpy(show.values[:, columns]).double().mean(dim=1)


def evaluate(
    show: Show,
    strong: Tensor,
    sections: Tensor | None = None,
    energy: Tensor | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Our own metrics of a show: "flashes" a number, the others as ``core.metrics.beat.with_chance`` gives them.

    strong: (n,) seconds of the strong beats.
    sections: (n,) seconds where known sections start, without the song's start; None leaves section_f out.
    energy: (t,) of the dance, at the show's frame rate; None leaves energy out.
    seed: of the shifts that measure chance.

    Raises FootlightError for a show of fewer than ``FEWEST_FRAMES``.
    """
    if show.frames < FEWEST_FRAMES:
        raise FootlightError(f"a show of {show.frames} frames is too short to be measured; give a longer one")
    brightness = roles_brightness(show)
    result: dict[str, Any] = {"flashes": float(most_flashes(show))}
    strokes = strokes_of_light(brightness, show.fps)
    if len(strokes):
        result["pulse_f"] = with_chance(lambda t: f_measure(strokes, t), strong.double(), show.seconds, seed)
    if sections is not None and len(sections):
        scenes = scene_changes(channels_of_light(show), show.fps, len(sections))
        result["section_f"] = with_chance(
            lambda t: f_measure(scenes, t, SECTION_TOLERANCE), sections.double(), show.seconds, seed
        )
    if energy is not None:
        moved, zero = energy.double(), torch.zeros(1, dtype=torch.float64)

        def turned(by: Tensor) -> float:
            return energy_correlation(brightness, moved.roll(round(float(by[0]) * show.fps)), show.fps)

        result["energy"] = with_chance(turned, zero, show.seconds, seed)
    return result
