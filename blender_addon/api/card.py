"""What a result tells of itself: the properties that its action or strip keeps, and their words."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import bpy

from .. import environment, model, names, styles
from ..engine.pace import per_cent
from ..scene import footwork, songs
from ..shared import protocol

DANCE = "dance"
MUSIC = "music"
BOTH = "both"
LIGHT = "light"
THEATRE = "theatre"

UNFINISHED = "unfinished"
"""The property of an action, without the prefix, that holds only the first seconds of a dance."""

GRADES = ((0.75, "Excellent"), (0.5, "Good"), (0.25, "Fair"))
"""The least of each grade of the beat score. Recorded dancers to the music that they were paired with score 0.58 on
average (0.52 to 0.63), a body that only slows down on every beat 0.30. Of 54 dances held against the beats of another
song none scored above 0.10. The card of the shipped model says what its dances score."""

WORST = "Poor"

SAMPLED = {
    DANCE: ("motion", "motion"),
    MUSIC: ("music", "music"),
    BOTH: ("music", "motion"),
    THEATRE: (model.THEATRE, model.THEATRE),
}
"""Whose steps and whose guidance are those of a result, as ``model.Facts`` has them."""

BEAT_SCORE = (
    "How often the movement and the beats of the music arrive together. 1 is always, 0 is chance: what a dance to "
    f"another song scores. {GRADES[0][1]} is {GRADES[0][0]:g} and more, {GRADES[1][1].lower()} {GRADES[1][0]:g} (as "
    f"recorded dancers), {GRADES[2][1].lower()} {GRADES[2][0]:g}. It says nothing about how the dance looks"
)
MUSIC_SCORE = (
    "How often the beats that are heard in the music are those of the movement. 1 is always, 0 is chance. It says "
    "nothing about how the music sounds"
)


@dataclass(frozen=True)
class Card:
    """A result in words, each empty where it is not known.

    operation: what made it: DANCE, MUSIC, BOTH, or THEATRE for a dance that was made with its light.
    beat: "Good (0.73)"; empty of a dance that strikes, which does not arrive with the beat.
    strikes: how much more it moves on strong beats, of such a dance.
    pulse: "120 bpm, 4 beats a bar".
    length: "45.0 s".
    feet: how much it steps.
    moves: "Moves: A A B B", where that was chosen.
    keys: how many there are, and how far they are off, where not every frame is keyed.
    unfinished: whether it is only the first seconds.
    warning: what the user should know besides.
    """

    name: str
    operation: str
    style: str = ""
    beat: str = ""
    strikes: str = ""
    pulse: str = ""
    length: str = ""
    feet: str = ""
    moves: str = ""
    keys: str = ""
    unfinished: bool = False
    warning: str = ""

    @property
    def line(self) -> str:
        """The name, and what is known first, in one line."""
        known = [f"on the beat: {self.beat}" if self.beat else "", self.pulse, self.length]
        told = ", ".join(text for text in known if text)
        return f"{self.name}: {told}." if told else f"{self.name}."


def of(made: bpy.types.Action | bpy.types.Strip | None) -> Card | None:
    """The card of a result; None of what Footlight did not make."""
    if made is None or songs.MADE not in made:
        return None
    dance = isinstance(made, bpy.types.Action)
    score, tempo, metre = _number(made, "beat_score"), _number(made, "tempo"), _number(made, "metre")
    pulse = [f"{tempo:.0f} bpm"] if tempo else []
    if metre:
        pulse.append(f"{metre:.0f} beats a bar")
    if names.PREFIX + "beats" in made:
        pulse.append("beats as corrected")
    seconds, energy = _number(made, "seconds"), _number(made, "energy_on_beats")
    moves = str(made.get(names.PREFIX + "moves", ""))
    return Card(
        made.name,
        str(made.get(names.PREFIX + "operation", DANCE if dance else MUSIC)),
        style=styles.words(told) if (told := made.get(names.PREFIX + "style")) else "",
        beat="" if score is None else f"{grade(score)} ({score:.2f})",
        strikes="" if energy is None or score is not None else f"Moves {energy:.1f} times as much on strong beats",
        pulse=", ".join(pulse),
        length="" if seconds is None else f"{seconds:.1f} s",
        feet=_feet(_number(made, "steps_per_second"), _number(made, "still")),
        moves=f"Moves: {' '.join(moves.upper())}" if moves else "",
        keys=_keys(made),
        unfinished=names.PREFIX + UNFINISHED in made,
        warning=str(made.get(names.PREFIX + "warning", "")),
    )


def short(made: bpy.types.Action) -> str:
    """What tells takes apart, in a few letters: grade and steps a second, such as "Good, 1.6". Of a dance that strikes
    how much more it moves on strong beats stands for the grade: "Strikes 2.1, 0.8"."""
    score, energy, steps = (_number(made, name) for name in ("beat_score", "energy_on_beats", "steps_per_second"))
    told = [f"Strikes {energy:.1f}"] if strikes(made) else [grade(score)] if score is not None else []
    if steps is not None:
        told.append(_steps(steps) or "0")
    return ", ".join(told)


def strikes(made: bpy.types.Action) -> bool:
    """Whether a dance strikes on beats, and is not judged by how it arrives with them."""
    return _number(made, "beat_score") is None and _number(made, "energy_on_beats") is not None


def merit(made: bpy.types.Action) -> float:
    """How good a dance is on the beat, among others that do the same on it: its beat score, or how much more it moves
    on strong beats where it strikes."""
    score = _number(made, "beat_score")
    return score if score is not None else _number(made, "energy_on_beats") or 0.0


def grade(score: float) -> str:
    """The word for a beat score, as it is told: with two decimals."""
    return next((word for least, word in GRADES if round(score, 2) >= least), WORST)


def kept(done: protocol.DanceDone | protocol.ScoreDone | protocol.DuetDone, **more: Any) -> dict:
    """What an action or a strip keeps of the engine's answer, without the prefix.

    more: what is known besides.
    """
    found = {
        "beat_score": done.metrics.get("beat"),
        "energy_on_beats": done.metrics.get("energy_on_beats"),
        "beat_confidence": done.confidence,
        "tempo": done.tempo or None,
        "metre": done.metre or None,
        **more,
    }
    return {name: stored(value) for name, value in found.items() if value is not None}


def asked(operation: str, seed: int, options: dict) -> dict:
    """What a result keeps of how it was asked for; where the model's own was meant, what that is.

    operation: what makes it, as of ``Card``.
    """
    quality = options.get("quality") or protocol.default(protocol.Sampling, "quality")
    known = model.facts(environment.model_folder(), quality)
    stepped, guided = SAMPLED[operation]
    guidance = options.get("guidance")
    found = {
        "operation": operation,
        "seed": seed,
        "quality": quality,
        "steps": options.get("steps") or known.steps.get(stepped),
        "guidance": known.guidance.get(guided) if guidance is None else guidance,
        "style_asked": options.get("style") or "",
        "model_sha256": known.digest or None,
    }
    if operation != MUSIC:
        found["beat_snap"] = options.get("beat_snap", protocol.default(protocol.Dancing, "beat_snap"))
    if operation != BOTH:
        found["free_form"] = options.get("free_form", protocol.default(protocol.DanceOptions, "free_form"))
    if operation not in (BOTH, MUSIC):
        found["moves"] = options.get("moves")
    return {name: stored(value) for name, value in found.items() if value is not None}


def length_and_feet(values: dict, fps: float, frames: int | None) -> dict:
    """What an action keeps of how long a dance is and how much it steps.

    values: of the dance's file.
    frames: at most so many of it are used.
    """
    rotations, root = values["rotations"][:frames], values["root"][:frames]
    kept = {"frames": len(root), "fps": fps, "seconds": len(root) / fps}
    found = footwork.measure(rotations, root, fps)
    return kept if found is None else kept | {"steps_per_second": found.steps, "still": found.still}


def keep(made: bpy.types.Action | bpy.types.Strip | bpy.types.Collection, values: dict) -> None:
    """Let a result keep values, by their names without the prefix."""
    for name, value in values.items():
        made[names.PREFIX + name] = value


def stored(value: Any) -> Any:
    """A value as a custom property holds it: whole numbers beyond Blender's are text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > names.LARGEST_INT:
        return str(value)
    return value


def kept_by(made: bpy.types.Action) -> dict[str, Any]:
    """What a result keeps, by names without the prefix."""
    return {key.removeprefix(names.PREFIX): value for key, value in made.items() if key.startswith(names.PREFIX)}


def dismiss_warning(made: bpy.types.Action | bpy.types.Strip | bpy.types.Collection) -> None:
    """Take the warning of a result away."""
    with contextlib.suppress(KeyError):
        del made[names.PREFIX + "warning"]


def _number(made: bpy.types.Action | bpy.types.Strip, name: str) -> float | None:
    """A property of a result; older results keep numbers as text."""
    try:
        return float(made[names.PREFIX + name])
    except (KeyError, TypeError, ValueError):
        return None


def _keys(made: bpy.types.Action | bpy.types.Strip) -> str:
    told = [_number(made, name) for name in ("keys", "keys_dense", "keys_degrees", "keys_millimetres", "keys_slide")]
    if None in told:
        return ""
    keys, dense, degrees, millimetres, slide = (value for value in told if value is not None)
    return (
        f"{keys:,.0f} keys ({per_cent(keys / dense)} of one a frame): at most {degrees:.1f}\N{DEGREE SIGN} and "
        f"{millimetres:.1f} mm off, standing feet slide {max(slide, 0.0):.1f} cm/s more"
    )


def _feet(steps: float | None, still: float | None) -> str:
    if steps is None or still is None:
        return ""
    taken = f"{told} steps a second" if (told := _steps(steps)) else "Takes no steps"
    return f"{taken}, stands still {per_cent(still)} of the time"


def _steps(steps: float) -> str:
    """Steps a second in digits; empty where there are none to speak of."""
    return f"{steps:.1f}" if steps >= 0.05 else ""
