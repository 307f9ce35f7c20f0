"""What a job is for, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import names
from ..errors import UserError
from ..scene import hearing, markers, strips
from ..shared import protocol


@dataclass(frozen=True)
class Target:
    """What a job is for, in values that outlive undo, renaming and deletion.

    scene, sequencer, armature: their session_uids; no armature is 0.  armature_name: for messages.  fps: of the scene
    and of the sequencer's scene.  first: the first frame of the result.  frames: how many there are at most; None takes
    what the engine makes.  name: of the result.  seed: of the result.  markers: whether its beats are shown on the
    timeline.  song: that a dance is for.  music: the file that music stays in; None keeps a copy beside the .blend.
    """

    scene: int
    sequencer: int
    armature: int
    armature_name: str
    fps: float
    first: int
    frames: int | None
    name: str = ""
    seed: int = 0
    markers: bool = False
    song: strips.Song | None = None
    music: Path | None = None

    @classmethod
    def of(
        cls,
        scene: bpy.types.Scene,
        armature: bpy.types.Object | None,
        sequencer: bpy.types.Scene | None,
        first: int,
        frames: int | None,
        **more: Any,
    ) -> Target:
        """The target that these things are now. sequencer: the scene whose sequencer is meant; the same unless given.
        more: the other fields.  Raises UserError when the two scenes have different frame rates."""
        strips_scene = scene if sequencer is None else sequencer
        check_rates(scene, strips_scene)
        return cls(
            scene.session_uid,
            strips_scene.session_uid,
            armature.session_uid if armature else 0,
            armature.name if armature else "",
            strips.frame_rate(scene),
            first,
            frames,
            **more,
        )

    def find(self, what: str) -> tuple[bpy.types.Scene, bpy.types.Object, bpy.types.Scene]:
        """The scene, the armature and the sequencer's scene. what: what is being made for them, for the message.
        Raises UserError when one of them is gone, or the scene has another frame rate."""
        scene = by_uid(bpy.data.scenes, self.scene)
        if scene is None:
            raise UserError(f"The scene was deleted while its {what} was made; nothing was written.")
        armature = by_uid(scene.objects, self.armature)
        if armature is None:
            raise UserError(f"{self.armature_name!r} was deleted while its {what} was made; nothing was written.")
        sequencer = by_uid(bpy.data.scenes, self.sequencer)
        if sequencer is None:
            raise UserError(f"The sequencer's scene was deleted while the {what} was made; nothing was written.")
        if {strips.frame_rate(scene), strips.frame_rate(sequencer)} != {self.fps}:
            raise UserError(f"The scene's frame rate was changed while the {what} was made. Generate it again.")
        return scene, armature, sequencer


@dataclass(frozen=True)
class Written:
    """What was put into the scene.

    message: one line about it.  action: the dance.  strip: the music.  warning: what the user should know besides;
    empty when there is nothing.
    """

    message: str
    action: bpy.types.Action | None = None
    strip: bpy.types.Strip | None = None
    warning: str = ""


def check_rates(scene: bpy.types.Scene, sequencer: bpy.types.Scene) -> None:
    """Raises UserError when the sequencer's scene has another frame rate than the scene."""
    if strips.frame_rate(sequencer) != strips.frame_rate(scene):
        raise UserError(
            f"The sequencer shows the scene {sequencer.name!r}, which has another frame rate than {scene.name!r}. "
            "Give both the same."
        )


def by_uid(collection: Iterable, uid: int):
    """What has this session_uid, which outlives renaming and undo; None when it was deleted."""
    return next((item for item in collection if item.session_uid == uid), None)


def beat_alignment(done: protocol.DanceDone | protocol.ScoreDone | protocol.DuetDone) -> float | None:
    """How well the dance and the music are on each other's beats, 0 to 1, from the engine's metrics."""
    return done.metrics.get("beat")


def all_warnings(done: protocol.Done, *more: str) -> str:
    """What the user should know besides the result: what the engine warned of, and ``more``; empty without any."""
    return " ".join(text for text in (*done.warnings, *more) if text)


def with_change(message: str, changed: hearing.Changed) -> str:
    """A message, and what is heard or muted since."""
    return f"{message}. {changed.said}" if changed.said else message


def mark_beats(scene: bpy.types.Scene, target: Target, done: protocol.BeatsDone) -> int:
    """Show the beats of the engine's answer on the timeline. Returns how many there are."""
    frames = [target.first + time * target.fps for time in done.beats]
    markers.show_beats(scene, frames, done.downbeats)
    return len(frames)


def summary(made: bpy.types.Action | bpy.types.Strip) -> str:
    """One line about a dance or a score, from the action or the strip that holds it."""
    parts = []
    if (score := made.get(names.PREFIX + "beat_score")) is not None:
        parts.append(f"beat score {score:.2f}")
    if (sure := made.get(names.PREFIX + "beat_confidence")) is not None:
        parts.append(f"beats {sure:.0%} sure")
    if style := made.get(names.PREFIX + "style"):
        parts.append(style)
    if tempo := float(made.get(names.PREFIX + "tempo", 0)):
        parts.append(f"{tempo:.0f} bpm")
    parts.append(f"seed {made.get(names.PREFIX + 'seed', '?')}")
    return ", ".join(parts)
