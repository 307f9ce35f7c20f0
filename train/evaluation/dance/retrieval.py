"""The retrieval baseline: training capture, chosen and warped as pair preparation would, strung together. No learning.

For every stretch of the song the capture is ranked as songs are ranked for a motion (``train.data.pairing.matching``):
by how many kinematic beats fall on musical beats from the best entrance on, and by energy. The best are aligned by
dynamic programming and ranked by what they keep for the least warp. Seed s takes the s-th nearest.

A clip is played until it ends. The next one enters on the last beat before that, turned and placed so that the dancer
goes on from the same spot, and the two are cross-faded. The result gets the finish of a model's dance
(``pipeline.finish``): joint limits, smoothing, hands, drift, feet and the beat snap. So no difference is due to
cleaning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core import pipeline
from core.errors import FootlightError
from core.motion import rotation
from core.motion.resample import at_times, resample
from core.types import Motion
from train.data.dataset import SongRecord
from train.data.pairing import warp
from train.data.pairing.matching import (
    ALIGNED,
    ENERGY_FPS,
    ENERGY_WORTH,
    LEVEL_WORTH,
    Body,
    agreement,
    body_of,
    music_energy,
    sliding_correlation,
)
from train.data.pairing.pairs import ANCHOR_SHARE, Settings
from train.data.rates import MOTION_FPS
from train.data.shards import key
from train.evaluation.cache import sources_digest
from train.evaluation.dance.material import Capture, Excerpt
from train.evaluation.dance.systems import Asked, System

FADE_SECONDS = 0.4
SHORTEST_CLIP = 6.0  # seconds; less would be all joins
_ENTRANCES = 24  # tried in a clip, at most
_LATEST_ENTRANCE = 2.0  # seconds into a clip that is too short for the rest of the song
_FASTEST = 1 + warp.LIMIT


@dataclass(frozen=True, eq=False)
class Shelf:
    """The capture to choose from, and the usual energy of songs.

    level_middle, level_spread: mean and deviation of the training songs' energies.
    """

    bodies: list[Body]
    names: list[str]
    level_middle: float
    level_spread: float

    @classmethod
    def of(cls, clips: list[Capture], songs: list[SongRecord]) -> Shelf:
        """The training clips that can be paired. Raises FootlightError when there are none."""
        bodies, names = [], []
        for clip in clips:
            if clip.split == "train":
                try:
                    body = body_of(resample(clip.motion, MOTION_FPS))
                except FootlightError:  # too short or too still
                    continue
                if body.motion.seconds >= SHORTEST_CLIP:
                    bodies.append(body)
                    names.append(clip.name)
        if not bodies:
            raise FootlightError(
                f"retrieval needs training motion capture of {SHORTEST_CLIP:g} s or more; the data has none"
            )
        means = [float(music_energy({"onset": s.onset, "loudness": s.loudness}).mean()) for s in songs]
        return cls(bodies, names, float(np.mean(means or [0.0])), float(np.std(means)) if len(means) > 1 else 1.0)


@dataclass(frozen=True, eq=False)
class Choice:
    """A clip for a stretch of song.

    which: its index on the shelf.
    entrance: seconds into the clip.
    score: higher is better.
    """

    which: int
    entrance: float
    score: float
    aligned: warp.Alignment | None = None


def retrieval_system(asked: Asked, fps: float, shelf: Shelf) -> System:
    """The retrieval baseline as a system. See the module."""
    amount = asked.number("amount", Settings().beat_slowing)
    snap = asked.number("snap", pipeline.DanceOptions().beat_snap)

    def dance(excerpt: Excerpt, seed: int) -> Motion:
        raw = strung(shelf, excerpt, seed, amount)
        return pipeline.finish(raw, excerpt.beats, excerpt.seconds, fps, snap)

    code = sources_digest(
        "core/motion", "core/postprocess", "core/pipeline/dance.py", "train/data", "train/evaluation/dance/retrieval.py"
    )
    digest = key("retrieval", code, amount, snap, fps, shelf.names, shelf.level_middle, shelf.level_spread)
    about = (
        f"training motion capture of nearest tempo and energy ({len(shelf.bodies)} clips), warped onto the beats, "
        f"slowed on them by {amount:g}, strung together, finished as a model's dance is (beat snap {snap:g})"
    )
    return System(asked.name, digest, dance, about)


def strung(shelf: Shelf, excerpt: Excerpt, seed: int, amount: float) -> Motion:
    """Clips for the whole excerpt at the rate of the data, before any finish. The bones are the skeleton's throughout.

    Raises FootlightError for an excerpt with fewer than two beats.
    """
    if len(excerpt.beats.times) < 2:
        raise FootlightError(f"{excerpt.name}: fewer than two beats are heard, so there is nothing to warp a clip onto")
    beats = warp.extended(excerpt.beats.times.double().numpy(), excerpt.seconds + 8)
    frames = int(np.ceil(excerpt.seconds * MOTION_FPS)) + 1
    energy = music_energy({"onset": excerpt.heard.onset, "loudness": excerpt.heard.loudness})
    made: Motion | None = None
    start, used = 0.0, set()
    while made is None or made.frames < frames:
        length = frames / MOTION_FPS - start
        chosen = ranked(shelf, beats - start, energy[round(start * ENERGY_FPS) :], length, used, seed)
        part = warped(shelf.bodies[chosen.which], chosen, beats - start, amount, length)
        made = part if made is None else crossfaded(made, part, round(start * MOTION_FPS))
        used = used | {chosen.which} if len(used) + 1 < len(shelf.bodies) else set()
        if made.frames < frames:
            start = _next_entrance(beats, made.frames / MOTION_FPS, start)
            made = made.cut(0, min(made.frames, round((start + FADE_SECONDS) * MOTION_FPS)))
    return made.cut(0, frames)


def ranked(shelf: Shelf, beats: np.ndarray, energy: np.ndarray, length: float, used: set[int], seed: int) -> Choice:
    """The ``seed``-th nearest clip for music that begins at 0. Seed 0 is the nearest.

    beats: (n,) seconds that enclose the music.
    energy: (m,) of the music from there on.
    length: seconds wanted.
    used: clips that must not come again.
    """
    level = (float(energy.mean()) - shelf.level_middle) / max(shelf.level_spread, 1e-6) if len(energy) else 0.0
    free = [number for number in range(len(shelf.bodies)) if number not in used]
    first = sorted((_first_look(shelf, n, beats, energy, length, level) for n in free), key=lambda c: -c.score)
    grid = warp.beat_grid(beats)
    closer = []
    for choice in first[: max(ALIGNED, seed % len(free) + 1)]:
        body = shelf.bodies[choice.which]
        kinematic_beats, weights = _from(body, choice.entrance, length)
        inside = grid.until(min(length, body.motion.seconds - choice.entrance))
        found = warp.align(kinematic_beats, weights, inside, limit=ANCHOR_SHARE * Settings().limit)
        kept = found.score / max(weights.sum(), 1e-6)
        closer.append(replace(choice, score=kept + choice.score, aligned=found))
    closer.sort(key=lambda choice: -choice.score)
    return closer[seed % len(free)]


def _first_look(shelf: Shelf, which: int, beats: np.ndarray, energy: np.ndarray, length: float, level: float) -> Choice:
    """The clip's best entrance before any warp, by kinematic beats on musical beats, energy over time and level."""
    body = shelf.bodies[which]
    latest = max(body.motion.seconds - _FASTEST * length, min(_LATEST_ENTRANCE, body.motion.seconds - SHORTEST_CLIP))
    best = Choice(which, 0.0, -np.inf)
    for entrance in np.linspace(0, max(latest, 0.0), _ENTRANCES):
        kinematic_beats, weights = _from(body, entrance, length)
        if len(kinematic_beats) < 2:
            continue
        on_beat = float(agreement(kinematic_beats, weights, beats, np.zeros(1))[0])
        moved = body.energy[round(entrance * ENERGY_FPS) :][: len(energy)]
        goes_with = float(sliding_correlation(moved, energy[: len(moved)])[0]) if len(moved) >= 8 else 0.0
        apart = abs(np.clip(body.level, -2, 2) - level)
        score = on_beat + ENERGY_WORTH * goes_with - LEVEL_WORTH * apart
        if score > best.score:
            best = Choice(which, float(entrance), score)
    return best


def _from(body: Body, entrance: float, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Kinematic beats and weights on the clock of the entrance, as far as ``length`` seconds can reach."""
    inside = (body.kinematic_beats >= entrance) & (body.kinematic_beats <= entrance + _FASTEST * length)
    return body.kinematic_beats[inside] - entrance, body.weights[inside]


def warped(body: Body, chosen: Choice, beats: np.ndarray, amount: float, length: float) -> Motion:
    """The clip from its entrance on, on the music's clock, at most ``length`` seconds, warped as in preparation."""
    motion, found = body.motion, chosen.aligned
    assert found is not None
    clock = warp.Clock.through(found.grid, found.kinematic_beats, length, limit=Settings().limit)
    last = (motion.frames - 1) / motion.fps - chosen.entrance
    played = warp.play(clock, beats, amount, last, MOTION_FPS)[: int(length * MOTION_FPS + 1e-6)]
    return at_times(motion, torch.from_numpy(np.maximum(played, 0.0) + chosen.entrance), MOTION_FPS)


def _next_entrance(beats: np.ndarray, end: float, start: float) -> float:
    """The last beat that leaves time for the cross-fade before ``end``, but well after ``start``.

    The body is slowest there, so the join shows least.
    """
    fitting = beats[(beats <= end - FADE_SECONDS) & (beats >= start + 1.0)]
    at = fitting[-1] if len(fitting) else max(end - FADE_SECONDS, start + 0.1)
    return round(at * MOTION_FPS) / MOTION_FPS


def crossfaded(before: Motion, after: Motion, at: int) -> Motion:
    """``before``, then ``after`` from frame ``at`` on, faded over the frames that both have.

    ``after`` is turned and placed so that the root's heading and place agree in the middle of the fade.
    """
    shared = min(before.frames - at, after.frames)
    middle = max(0, min(shared // 2, after.frames - 1))
    turn = rotation.yaw(before.rotations[at + middle, 0]) - rotation.yaw(after.rotations[middle, 0])
    facing = rotation.about("y", turn)
    rotations = after.rotations.clone()
    rotations[:, 0] = rotation.mul(facing.expand_as(rotations[:, 0]), rotations[:, 0])
    flat = after.root.new_tensor((1.0, 0.0, 1.0))
    root = rotation.rotate(facing, (after.root - after.root[middle] * flat)) + before.root[at + middle] * flat
    share = _smoothstep(torch.arange(1, shared + 1, dtype=root.dtype) / (shared + 1))
    first, second = before.rotations[at : at + shared], rotations[:shared]
    faded = rotation.slerp(first, second, share[:, None])
    place = torch.lerp(before.root[at : at + shared], root[:shared], share[:, None])
    return Motion(
        rotation.continuous(torch.cat((before.rotations[:at], faded, rotations[shared:]))),
        torch.cat((before.root[:at], place, root[shared:])),
        before.fps,
        _contacts(before, after, at, shared),
    )


def _contacts(before: Motion, after: Motion, at: int, shared: int) -> Tensor | None:
    """Contacts of a cross-fade. Within it a foot stands only where it stands in both."""
    if before.contacts is None or after.contacts is None:
        return None
    both = torch.minimum(before.contacts[at : at + shared], after.contacts[:shared])
    return torch.cat((before.contacts[:at], both, after.contacts[shared:]))


def _smoothstep(x: Tensor) -> Tensor:
    return x * x * (3 - 2 * x)
