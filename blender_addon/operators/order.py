"""What every order to the engine has in common: where its result goes, and how the engine shall sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy

from .. import names, styles
from ..errors import UserError
from ..props import OWN_CHOICE, STEPS
from ..scene import dancer, strips, versions


@dataclass(frozen=True)
class Place:
    """The scenes and the armature that an order is for, in values that outlive undo, renaming and deletion."""

    scene: int  # session_uid
    sequencer: int
    armature: int
    armature_name: str
    fps: float

    @classmethod
    def here(cls, context: bpy.types.Context, armature: bpy.types.Object) -> Place:
        """Raises UserError when the sequencer shows a scene with a clock of its own."""
        scene, sequencer = context.scene, sequencer_scene(context)
        return cls(
            scene.session_uid,
            sequencer.session_uid,
            armature.session_uid,
            armature.name,
            strips.frame_rate(scene),
        )

    def find(self, what: str) -> tuple[bpy.types.Scene, bpy.types.Object, bpy.types.Scene]:
        """The scene, the armature and the sequencer's scene. what: what is being made for them, for the message.
        Raises UserError when one of them is gone, or the scene's clock is another one."""
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


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose sequencer is meant. Raises UserError when it has another frame rate than the scene."""
    scene = versions.sequencer_scene(context)
    if strips.frame_rate(scene) != strips.frame_rate(context.scene):
        raise UserError(
            f"The sequencer shows the scene {scene.name!r}, which has another frame rate than {context.scene.name!r}. "
            "Give both the same."
        )
    return scene


def find_dancer(context: bpy.types.Context) -> bpy.types.Object:
    """The armature that is meant: the chosen one, else the active one, else the scene's only dancer."""
    chosen = settings_of(context.scene).dancer
    if chosen is not None:
        if chosen.name not in context.scene.objects:
            raise UserError(f"{chosen.name!r} is no longer in this scene. Choose another armature under Dancer.")
        return chosen
    active = context.active_object
    if active is not None and active.type == "ARMATURE":
        return active
    found = dancer.dancers(context.scene)
    if active is not None and active.parent in found:
        return active.parent
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"There are {len(found)} dancers in this scene. Choose one under Dancer.")
    raise UserError("There is no dancer. Use Add Dancer, or choose an armature under Dancer.")


def settings_of(scene: bpy.types.Scene):
    """What the user chose in the panel."""
    return getattr(scene, names.SCENE_PROPERTY)


def sampling(scene: bpy.types.Scene) -> dict:
    """How a request to the engine says what the panel's choices of seed, quality, guidance and style are."""
    settings = settings_of(scene)
    first, second = ("" if name == OWN_CHOICE else name for name in (settings.style, settings.style_second))
    return {
        "seed": settings.seed,
        "steps": STEPS[settings.quality],
        "guidance": settings.guidance or None,
        "style": styles.text(first, second, settings.style_mix),
    }


def by_uid(collection: Iterable, uid: int):
    """What has this session_uid, which outlives renaming and undo; None when it was deleted."""
    return next((item for item in collection if item.session_uid == uid), None)


def beat_alignment(done: dict) -> float | None:
    """How well the one is on the beat of the other, 0-1, from the engine's scores."""
    score = done.get("metrics", {}).get("beat")
    return None if score is None else float(score)


def beat_frames(first: int, fps: float, times: Iterable[float]) -> list[float]:
    """The frames of beats that are told in seconds from the frame ``first``."""
    return [first + time * fps for time in times]


def summary(made: bpy.types.Action | bpy.types.Strip) -> str:
    """One line about a dance or a music, from the action or the strip that holds it."""
    parts = []
    if (score := made.get(names.PREFIX + "beat_score")) is not None:
        parts.append(f"beat score {score:.2f}")
    if style := made.get(names.PREFIX + "style"):
        parts.append(style)
    if tempo := float(made.get(names.PREFIX + "tempo", 0)):
        parts.append(f"{tempo:.0f} bpm")
    parts.append(f"seed {made.get(names.PREFIX + 'seed', '?')}")
    return ", ".join(parts)
