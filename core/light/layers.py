"""The layers from which the rules compose a show: scenes and cues, strokes, chases, breath, blooms, darkness."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.light.look import Blackout, Bloom, Chase, Cues, Fade, Pulse
from core.light.song import Song
from core.rhythm.events import strong_beats
from core.rhythm.features import phases
from core.show.channels import SHOW_FPS, SLICES
from core.show.colour import encoded, hsv, hue_vector, linear, srgb
from core.show.show import Cue

CHASE_PLACES = (-0.75, -0.25, 0.25, 0.75)
END_SECONDS = 2.5  # in which the stage goes dark at the end of a song
STROBE_BEATS = 2.0  # after a drop
USUAL_BEAT = 0.5  # seconds, where there are no beats
FIRST_FADE = 0.6  # seconds in which the stage comes up, at least


@dataclass(frozen=True)
class Scene:
    """How the stage looks in a section.

    colours: role -> (hue in degrees, saturation).
    next_colours: role -> the colour towards which the harmony leads.
    levels: role -> level 0-1.
    intensity: of the section, 0-1.
    runs: whether the chase runs.
    """

    colours: dict[str, tuple[float, float]]
    next_colours: dict[str, tuple[float, float]]
    levels: dict[str, float]
    intensity: float
    runs: bool

    def at(self, intensity: float) -> Scene:
        """The same scene for a section of another intensity."""
        return replace(self, intensity=intensity)

    def turned(self) -> Scene:
        """The same scene with its colours moved on, for a section that follows one of its kind."""
        return replace(self, colours=self.next_colours, next_colours=self.colours)


def cue_weights(song: Song, taken: list[int], cues: Cues) -> np.ndarray:
    """How much (t, n) of each section's scene there is; each frame adds up to 1.

    taken: the sections at which a cue is taken. Where none is, intensity alone changes, within two seconds.
    """
    time = song.clock
    weights = np.zeros((song.frames, len(song.sections)))
    weights[:, 0] = 1.0
    for number, section in enumerate(song.sections[1:], 1):
        lead, fade = (cues.lead, cues.fade) if number in taken else (0.0, 2.0)
        share = _smooth((time - section.start + lead) / max(fade, 1 / SHOW_FPS) + 1e-6)
        weights *= (1 - share)[:, None]
        weights[:, number] += share
    return weights


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _colours(colours: list[tuple[float, float]]) -> np.ndarray:
    """Linear RGB (n, 3) of hues and saturations."""
    hues, saturations = np.array(colours).T
    return linear(srgb(hue_vector(hues), saturations))


def mixed_colours(scenes: tuple[Scene, ...], weights: np.ndarray, role: str) -> np.ndarray:
    """The colour (t, 3) of a role in sRGB-wheel terms: cosine and sine of its hue, and saturation.

    weights: (t, n) of the scenes.
    """
    return _picked(weights @ _colours([scene.colours[role] for scene in scenes]))


def colour_towards(
    colour: np.ndarray, scenes: tuple[Scene, ...], weights: np.ndarray, role: str, share: np.ndarray
) -> np.ndarray:
    """The colour (t, 3) moved on by ``share`` (t,) towards the next colours of the scenes."""
    here = linear(srgb(colour[:, :2], colour[:, 2]))
    there = weights @ _colours([scene.next_colours[role] for scene in scenes])
    return _picked(here + share[:, None] * (there - here))


def _picked(light: np.ndarray) -> np.ndarray:
    picked = hsv(encoded(light.clip(0, 1)))
    return np.concatenate((hue_vector(picked[:, 0]), picked[:, 1:2]), axis=1)


def role_values(
    values: np.ndarray, role: str, colour: np.ndarray, level: np.ndarray, across: np.ndarray, spread: np.ndarray
) -> None:
    """Fill in the channels of a role."""
    values[:, SLICES[f"{role}_hue"]] = colour[:, :2]
    for part, column in (("saturation", colour[:, 2]), ("level", level), ("across", across), ("spread", spread)):
        values[:, SLICES[f"{role}_{part}"]] = np.asarray(column)[:, None]


def strokes(song: Song, pulse: Pulse, draw: np.random.Generator) -> np.ndarray:
    """How much (t,) of a stroke there is: 1 on the frame of a strong beat, then it decays. Some are left out."""
    time, found = song.clock, np.zeros(song.frames)
    for beat in strong_beats(song.beats).tolist():
        if draw.uniform() < pulse.chance and 0 <= round(beat * SHOW_FPS) < song.frames:
            since = time - round(beat * SHOW_FPS) / SHOW_FPS
            found = np.maximum(found, np.where(since >= 0, np.exp(-since.clip(0) / pulse.decay), 0))
    return found


def chased(song: Song, chase: Chase, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where (t,) a running patch is and how wide (t,); even light where it does not run.

    share: (t,) how much the scenes run.
    """
    place = np.array(CHASE_PLACES)[(_beat_phase(song) // chase.beats).astype(int) % len(CHASE_PLACES)]
    runs = share > 0.5
    return np.where(runs, place, 0.0), np.where(runs, chase.spread, 1.0)


def _beat_phase(song: Song) -> np.ndarray:
    """Beats (t,) counted at each frame; whole numbers on beats."""
    if len(song.beats.times) < 2:
        return song.clock / USUAL_BEAT
    return phases(song.beats, torch.from_numpy(song.clock + 0.5 / SHOW_FPS))[0].numpy()


def _beat_seconds(song: Song) -> float:
    return 60 / song.beats.tempo if song.beats.tempo > 0 else USUAL_BEAT


def breath(song: Song, fade: Fade) -> np.ndarray:
    """A factor (t,) of levels that falls by ``depth`` and rises again, every ``bars`` bars of four beats."""
    return 1 - fade.depth * (0.5 - 0.5 * np.cos(2 * math.pi * _beat_phase(song) / (4 * fade.bars)))


def blooms(song: Song, bloom: Bloom, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[Cue]]:
    """How far (t,) the stage is opened by drops, how far (t,) it narrows before them, and the cues."""
    time, beat = song.clock, _beat_seconds(song)
    opening, build = np.zeros(song.frames), np.zeros(song.frames)
    cues = []
    for drop in song.drops:
        if draw.uniform() >= bloom.chance:
            continue
        since = time - round(drop * SHOW_FPS) / SHOW_FPS
        opening = np.maximum(opening, np.where(since >= 0, 1 - since / (bloom.beats * beat), 0).clip(0))
        if bloom.build:
            build = np.maximum(build, np.where(since < 0, 1 + since / (bloom.build * beat), 0).clip(0))
        cues.append(Cue(round(drop, 3), "bloom", "the music opens up"))
    return opening, build, cues


def soon_after_drops(song: Song) -> np.ndarray:
    """Which frames (t,) are within ``STROBE_BEATS`` of a drop."""
    within = STROBE_BEATS * _beat_seconds(song)
    after = [(song.clock >= drop) & (song.clock < drop + within) for drop in song.drops]
    return np.any([np.zeros(song.frames, dtype=bool), *after], axis=0)


def darkness(song: Song, blackout: Blackout, draw: np.random.Generator) -> tuple[np.ndarray, list[Cue]]:
    """Which frames (t,) are dark because the music stops, and the cues."""
    time, dark = song.clock, np.zeros(song.frames, dtype=bool)
    cues = []
    for start, end in song.stops:
        if draw.uniform() < blackout.chance:
            dark |= (time >= start) & (time < end)
            cues.append(Cue(round(start, 3), "blackout", f"the music stops for {end - start:.1f} s"))
    return dark, cues


def ends(song: Song, fade: float) -> np.ndarray:
    """A factor (t,) of levels: the stage comes up at the start and goes dark at the end."""
    time = song.clock
    up = _smooth((time + 1 / SHOW_FPS) / max(fade, FIRST_FADE))
    left = (song.frames - 1) / SHOW_FPS - time
    return up * _smooth(left / min(END_SECONDS, max(song.seconds / 4, 1e-3)))
