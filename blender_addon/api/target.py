"""What a job is for, and what came of it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import bpy

from ..errors import UserError
from ..scene import hearing, markers, reading, restoring, strips
from ..scene.wording import joined
from ..shared import protocol, thinning
from . import card, kept_light


@dataclass(frozen=True)
class Shown:
    """The first seconds of a dance, put on a dancer for the time being, in values that outlive undo.

    armature: the dancer's session_uid.
    added: whether it was added for the dance.
    action: the session_uid of theirs.
    frames: their first and their last frame.
    before: how the dancer was.
    stage: the session_uid of the stage that was built for them; none is 0.
    """

    armature: int
    added: bool
    action: int
    frames: tuple[int, int]
    before: restoring.Before
    stage: int = 0


@dataclass(frozen=True)
class Target:
    """What a job is for, in values that outlive undo, renaming and deletion.

    scene, sequencer, armature: their session_uids; no armature is 0.
    armature_name: for messages.
    fps: of the scene and of the sequencer's scene.
    first: the first frame of the result.
    frames: how many there are at most; None takes what the engine makes.
    about: what the result is for, in its name.
    seed: of the result.
    asked: what the result keeps of how it was asked for.
    markers: whether its beats are shown on the timeline.
    bars_only: whether only those that begin a bar are.
    keys: which frames of a dance are keyed.
    song: that a dance is for.
    music: the file that music stays in; None keeps a copy beside the .blend.
    shown: the first seconds of the dance that are on the dancer.
    others: the session_uids of those who are on the stage besides the armature.
    lit: the light that a dance is made to, where it was there.
    """

    scene: int
    sequencer: int
    armature: int
    armature_name: str
    fps: float
    first: int
    frames: int | None
    about: str = ""
    seed: int = 0
    asked: dict[str, Any] = field(default_factory=dict)
    markers: bool = False
    bars_only: bool = False
    keys: thinning.Spacing = thinning.EVERY_FRAME
    song: strips.Song | None = None
    music: Path | None = None
    shown: Shown | None = None
    others: tuple[int, ...] = ()
    lit: kept_light.Light | None = None

    @classmethod
    def of(
        cls,
        scene: bpy.types.Scene,
        armature: bpy.types.Object | None,
        sequencer: bpy.types.Scene | None,
        first: int,
        frames: int | None,
        **more: Any,
    ) -> Self:
        """The target that these things are now.

        sequencer: the scene whose sequencer is meant; the same unless given.
        more: the other fields.

        Raises UserError when the two scenes have different frame rates.
        """
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

    def find(self, what: str) -> tuple[bpy.types.Scene, bpy.types.Object | None, bpy.types.Scene]:
        """The scene, the armature if there was one, and the sequencer's scene.

        what: is made for them, for the message.

        Raises UserError when one of them or the song is gone, or the scene has another frame rate.
        """
        scene = by_uid(bpy.data.scenes, self.scene)
        if scene is None:
            raise UserError(f"The scene was deleted while its {what} was made; nothing was written.")
        armature = by_uid(scene.objects, self.armature) if self.armature else None
        if armature is None and self.armature:
            raise UserError(f"{self.armature_name!r} was deleted while its {what} was made; nothing was written.")
        sequencer = by_uid(bpy.data.scenes, self.sequencer)
        if sequencer is None:
            raise UserError(f"The sequencer's scene was deleted while the {what} was made; nothing was written.")
        if self.song is not None and not strips.is_there(sequencer, self.song):
            raise UserError(
                f"The strip {self.song.strip!r} was deleted while its {what} was made; nothing was written."
            )
        if {strips.frame_rate(scene), strips.frame_rate(sequencer)} != {self.fps}:
            raise UserError(f"The scene's frame rate was changed while the {what} was made. Generate it again.")
        return scene, armature, sequencer

    def with_song(self) -> Self:
        """The target where its song lies now: what is made for a song goes with it if its strip is moved meanwhile."""
        sequencer = by_uid(bpy.data.scenes, self.sequencer)
        frames = strips.moved(sequencer, self.song) if sequencer and self.song else 0
        return replace(self, first=self.first + frames)

    def beats_file(self, folder: Path) -> str | None:
        """A BEATS.json in ``folder`` of the beats that were given for the song; None where there are none."""
        if "beats" not in self.asked:
            return None
        file = folder / "BEATS.json"
        file.write_text(self.asked["beats"], encoding="utf-8")
        return str(file)

    def saving(self, path: Path, what: str) -> Generator[float, None, None]:
        """Save the animation of the armature, in all frames of the target, as ``reading.saving`` does.

        what: as of ``find``.
        """
        assert self.frames is not None

        def dancing() -> tuple[bpy.types.Scene, bpy.types.Object]:
            scene, armature, _ = self.find(what)
            assert armature is not None
            return scene, armature

        yield from reading.saving(path, dancing, self.first, self.first + self.frames - 1, self.fps)


@dataclass(frozen=True)
class Written:
    """What was put into the scene.

    message: one line about it.
    action: the dance.
    strip: the music.
    warning: what the user should know besides; empty when there is nothing.
    dancer: who was added for the dance.
    """

    message: str
    action: bpy.types.Action | None = None
    strip: bpy.types.Strip | None = None
    warning: str = ""
    dancer: bpy.types.Object | None = None


def finished(
    done: protocol.Done,
    *warnings: str,
    action: bpy.types.Action | None = None,
    strip: bpy.types.Strip | None = None,
    dancer: bpy.types.Object | None = None,
) -> Written:
    """What was put into the scene, which keeps what the user should know: what the engine warned of, and ``warnings``.
    The dance's comes first where there are both."""
    made = action or strip
    assert made is not None
    warning = joined(*done.warnings, *warnings)
    if warning:
        card.keep(made, {"warning": warning})
    shown = card.of(made)
    assert shown is not None
    added = f" {dancer.name!r} was added to dance it." if dancer else ""
    return Written(f"{shown.line}{added}", action, strip, warning, dancer)


def with_change(written: Written, changed: hearing.Changed, warning: str = "") -> Written:
    """With a word on what is heard or muted since, and with a warning that holds only for now."""
    return replace(written, message=joined(written.message, changed.said), warning=joined(written.warning, warning))


def check_rates(scene: bpy.types.Scene, sequencer: bpy.types.Scene) -> None:
    """Raises UserError when the sequencer's scene has another frame rate than the scene."""
    if strips.frame_rate(sequencer) != strips.frame_rate(scene):
        raise UserError(
            f"The sequencer shows the scene {sequencer.name!r}, which has another frame rate than {scene.name!r}. "
            "Give both the same."
        )


def by_uid(collection: Iterable, uid: int) -> Any:
    """What has this session_uid, which outlives renaming and undo; None when it was deleted."""
    return next((item for item in collection if item.session_uid == uid), None)


def mark_beats(scene: bpy.types.Scene, target: Target, done: protocol.BeatsDone) -> int:
    """Show the beats of the engine's answer on the timeline. Returns how many there are."""
    frames = [target.first + time * target.fps for time in done.beats]
    markers.show_beats(scene, frames, done.downbeats, bars_only=target.bars_only)
    return len(frames)
