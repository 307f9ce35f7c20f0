"""Writes a show by rules: a song, a dance and a look become light.

1. Every section gets a *scene*: which colour each role has, how bright the stage is, who strikes and who runs. Sections
   of one kind share a scene, so the stage has a home to return to; of two in a row, the second has the colours moved
   on. A cue leads from scene to scene.
2. Levels of a scene are scaled by the section's intensity, the moment's loudness and the dancer's energy.
3. Strokes on strong beats, chases, breathing, blooms and blackouts are laid over them. Of two levels the higher one
   counts, of two colours the later one, as on a lighting desk; a blackout counts over everything.
4. ``core.show.flashes.limited`` makes the result safe.

The designer's randomness comes from a generator: hues and levels differ from show to show, and cues are not all taken.
The order of the draws is fixed, so the same seed gives the same show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.light.dancer import Dancer
from core.light.layers import (
    Scene,
    blooms,
    breath,
    chased,
    colour_towards,
    cue_weights,
    darkness,
    ends,
    mixed_colours,
    role_values,
    soon_after_drops,
    strokes,
)
from core.light.look import COLOURED_ROLES, Bloom, Look, Material
from core.light.song import Song
from core.show.channels import CHANNELS, FASTEST_MOVE, PATTERNS, ROLES, SHOW_FPS, SLICES, SURFACES
from core.show.colour import hue_vector
from core.show.flashes import limited
from core.show.show import Cue, Show, as_valid, rounded

LEVEL_VARIATION = 0.12  # relative standard deviation of levels, from show to show
CALM_CHASE = 0.4  # section intensity below which nothing runs
FAINTEST_STROKE = 0.5  # of a stroke's depth, in the quietest section
LEAST_STROKE = 0.14  # of full level, by which a stroke rises on the dimmest stage too: less would hardly be seen
BLOOM_LEVEL = 0.95  # of every role, at full depth
FOLLOW_SPREAD = 0.15
NO_BLOOM = Bloom(chance=0.0, build=0.0, beats=1.0, depth=0.0, strobe=0.0)


def write_show(song: Song, look: Look, draw: np.random.Generator, dancer: Dancer | None = None) -> Show:
    """Write the show of a song in a look.

    song: as ``core.light.song.listen`` hears it.
    look: whose rules are used.
    draw: the designer's randomness.
    dancer: who dances to the song; None lights an empty stage.
    """
    scenes, taken = _scenes(song, look, draw)
    weights = cue_weights(song, taken, look.cues)
    plan = _Plan(song, look, scenes, weights, _fitted(dancer, song.frames))
    opening, build, blooming = blooms(song, look.behaviours.bloom or NO_BLOOM, draw)
    levels, dark = _levels(plan, opening, build, draw)
    values = _values(plan, levels, opening, draw)
    order = sorted((*_section_cues(song, taken), *blooming, *dark), key=lambda cue: cue.seconds)
    show = Show(
        rounded(as_valid(values)),
        SHOW_FPS,
        look.name,
        tuple(song.beats.times.double().tolist()),
        tuple(section.start for section in song.sections),
        tuple(order),
    )
    return limited(show)


@dataclass(frozen=True)
class _Plan:
    """What a show is written from.

    scenes: one for each section.
    weights: (t, n) how much of each scene there is.
    """

    song: Song
    look: Look
    scenes: tuple[Scene, ...]
    weights: np.ndarray
    dancer: Dancer | None

    @property
    def intensity(self) -> np.ndarray:
        """The intensity (t,) of the scenes in [0, 1]."""
        return self.weights @ np.array([scene.intensity for scene in self.scenes])


def _scenes(song: Song, look: Look, draw: np.random.Generator) -> tuple[tuple[Scene, ...], list[int]]:
    """The scene of each section, and the sections at which a cue is taken."""
    turn = draw.normal(0, 1, len(look.palette) + 1) * look.variation / 2
    palette = [(colour.hue + turn[i], colour.saturation) for i, colour in enumerate(look.palette)]
    white = (look.white.hue + turn[-1], look.white.saturation)
    levels = {role: look.levels[role] * (1 + LEVEL_VARIATION * draw.normal()) for role in ROLES}
    kinds: dict[int, Scene] = {}
    scenes: list[Scene] = []
    taken = []
    for number, section in enumerate(song.sections):
        made = _scene(section.label, palette, white, levels, look, section.intensity, draw)
        kind = kinds.setdefault(section.label, made)
        if draw.uniform() < look.cues.chance or not scenes:
            stays = bool(scenes) and scenes[-1].colours == kind.colours
            scenes.append((kind.turned() if stays else kind).at(section.intensity))
            taken.append(number)
        else:
            scenes.append(scenes[-1].at(section.intensity))
    return tuple(scenes), taken


def _scene(
    label: int,
    palette: list[tuple[float, float]],
    white: tuple[float, float],
    levels: dict[str, float],
    look: Look,
    intensity: float,
    draw: np.random.Generator,
) -> Scene:
    """A new scene. The first kind of section has the palette in its order, so that its home colour is home."""
    order = np.arange(len(palette)) if label == 0 else draw.permutation(len(palette))
    colours = {role: int(order[i % len(palette)]) for i, role in enumerate(COLOURED_ROLES)}
    chase = look.behaviours.chase
    running = chase is not None and intensity >= CALM_CHASE and draw.uniform() < chase.chance
    return Scene(
        {role: palette[colours[role]] if role in colours else white for role in ROLES},
        {role: palette[(colours[role] + 1) % len(palette)] if role in colours else white for role in ROLES},
        {role: float(np.clip(levels[role] * (1 + LEVEL_VARIATION * draw.normal()), 0, 1)) for role in ROLES},
        intensity,
        running,
    )


def _levels(
    plan: _Plan, opening: np.ndarray, build: np.ndarray, draw: np.random.Generator
) -> tuple[np.ndarray, list[Cue]]:
    """The level (t, roles) of each role, and the cues of blackouts.

    opening, build: (t,) as ``blooms`` returns them.
    """
    song, look, does = plan.song, plan.look, plan.look.behaviours
    intensity = plan.intensity
    base = plan.weights @ np.array([[scene.levels[role] for role in ROLES] for scene in plan.scenes])
    base *= (1 - look.contrast * (1 - intensity))[:, None] * (1 - look.loudness * (1 - song.level))[:, None]
    if does.energy and plan.dancer:
        asked = 1 - does.energy.depth * (1 - plan.dancer.energy)
        base = np.where(_among(does.energy.roles), base * asked[:, None], base)
    if does.fade:
        base = np.where(_among(does.fade.roles), base * breath(song, does.fade)[:, None], base)
    if does.pulse:
        force = FAINTEST_STROKE + (1 - FAINTEST_STROKE) * intensity
        rest = base * (1 - does.pulse.depth * force)[:, None]
        top = np.maximum(base, does.pulse.depth * 0.8).clip(0, 1)
        rise = np.maximum((top - rest) * force[:, None], LEAST_STROKE)
        struck = rest + rise * strokes(song, does.pulse, draw)[:, None]
        base = np.where(_among(does.pulse.roles), struck, base)
    if does.bloom:
        base *= (1 - 0.7 * does.bloom.depth * build)[:, None]
        base = np.maximum(base, BLOOM_LEVEL * does.bloom.depth * opening[:, None])
    base *= ends(song, look.cues.fade)[:, None]
    cues: list[Cue] = []
    if does.blackout:
        dark, cues = darkness(song, does.blackout, draw)
        kept = np.where(_among(("follow",)), does.blackout.keep, 0.0)
        base = np.where(dark[:, None], base * kept, base)
    return base.clip(0, 1), cues


def _values(plan: _Plan, levels: np.ndarray, opening: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The channels (t, c) of a show with these levels (t, roles), opened (t,) by drops."""
    song, look, does = plan.song, plan.look, plan.look.behaviours
    values = np.zeros((song.frames, CHANNELS))
    for index, role in enumerate(ROLES):
        colour = mixed_colours(plan.scenes, plan.weights, role)
        if does.harmony and role in does.harmony.roles:
            colour = colour_towards(colour, plan.scenes, plan.weights, role, does.harmony.depth * song.tension)
        if does.bloom:
            colour[:, 2] *= 1 - 0.7 * does.bloom.depth * opening
        across, spread = np.zeros(song.frames), np.ones(song.frames)
        if does.chase and role in does.chase.roles:
            across, spread = chased(song, does.chase, plan.weights @ np.array([scene.runs for scene in plan.scenes]))
        if role == "follow":
            spread = np.full(song.frames, FOLLOW_SPREAD)
            across = plan.dancer.across if plan.dancer else across
        role_values(values, role, colour, levels[:, index], across, spread)
    for surface, material in zip(SURFACES, (look.costume, look.backdrop), strict=True):
        _paint(values, surface, material, look.variation, draw)
    values[:, SLICES["move"]] = (look.move * (0.3 + 0.7 * plan.intensity)).clip(0, FASTEST_MOVE)[:, None]
    if does.bloom:
        values[(opening > 0) & soon_after_drops(song), SLICES["strobe"]] = does.bloom.strobe
    return values


def _paint(values: np.ndarray, surface: str, material: Material, variation: float, draw: np.random.Generator) -> None:
    """Fill in the channels of a surface, which stays the same for the whole show."""
    for part, paint in (("base", material.base), ("accent", material.accent)):
        values[:, SLICES[f"{surface}_{part}_hue"]] = hue_vector(paint.hue + draw.normal() * variation / 2)
        values[:, SLICES[f"{surface}_{part}_saturation"]] = paint.saturation
        values[:, SLICES[f"{surface}_{part}_value"]] = paint.value
    values[:, SLICES[f"{surface}_roughness"]] = material.roughness
    values[:, SLICES[f"{surface}_pattern"].start + PATTERNS.index(material.pattern)] = 1.0
    values[:, SLICES[f"{surface}_glow"]] = material.glow


def _section_cues(song: Song, taken: list[int]) -> list[Cue]:
    names = [f"section {chr(ord('A') + section.label % 26)}" for section in song.sections]
    return [
        Cue(
            round(song.sections[i].start, 3),
            names[i],
            f"intensity {song.sections[i].intensity:.2f}" if i else "the song begins",
        )
        for i in taken
    ]


def _among(roles: tuple[str, ...]) -> np.ndarray:
    return np.array([role in roles for role in ROLES])


def _fitted(dancer: Dancer | None, frames: int) -> Dancer | None:
    """The dancer for as many frames; one that ends before the song stays where it ended, without energy."""
    if dancer is None:
        return None
    missing = max(0, frames - len(dancer.energy))
    return Dancer(
        np.pad(dancer.energy, (0, missing))[:frames], np.pad(dancer.across, (0, missing), mode="edge")[:frames]
    )
