"""A part of a dancer's animation, made anew to its song, as a new action. Everything else stays as it is."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from .. import names
from ..engine.job import Preparation
from ..errors import UserError
from ..scene import paths, reading, residuals, rigs, stitching, strips, takes
from ..scene.wording import joined
from ..shared import FootlightError, beat_grid, file_digest, keys_file, parts, path_file, protocol
from . import beats, card, dance, kept_light, light, naming
from . import takes as shown
from .target import Target, Written, by_uid

LIGHT_STAYS = "Spot and camera follow it; the rest of the light is as before. Light Edited Bars lights what is new."


@dataclass(frozen=True)
class EditTarget(Target):
    """What an edit is for.

    base: the session_uid of the action that is edited.
    part: what of it is made anew.
    """

    base: int = 0
    part: stitching.Range = stitching.Range(0, 0, (), (), 1.0)


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    song: strips.Song,
    folder: str | Path,
    *,
    frames: tuple[int, int],
    joints: str = "all",
    keys: Iterable[int] = (),
    path: bpy.types.Object | None = None,
    facing: str = "along",
    variation: float = 1.0,
    sequencer: bpy.types.Scene | None = None,
    grid: beat_grid.Grid | None = None,
    seed: int = 0,
    **options: object,
) -> tuple[EditTarget, Preparation]:
    """What the edit is for, and the reading of the animation, which ends with what is asked of the engine.

    folder: for temporary files; it must be there until ``write`` has ended.
    frames: the first and the last one that are made anew, both included.
    joints: parts of the body, as ``core.edits.parts`` reads them; the others stay.
    keys: frames among them whose poses stay.
    path: a curve on the floor that is followed.
    facing: as of ``core.edits.path_file.FloorPath``.
    variation: from a little different to 1, anew.
    sequencer, grid and options: as of ``dance.request``, without moves. The style is that of the dance unless another
        one is given.

    Raises UserError when the dancer has no action, cannot be read or written, the range is outside of the song, or the
    path cannot be followed, and FootlightError for unknown parts and options out of their bounds.
    """
    rigs.check_writable(armature)
    rigs.check_readable(armature)
    action = takes.shown(armature)
    options["style"] = options.get("style") or light.danced_as(action).get("style")
    if action is None:
        raise UserError(f"{armature.name!r} has no action to edit. Generate a dance first, or animate it.")
    if (said := _of_another_song(action, song, Path(folder))) is not None:
        song = replace(song, warning=joined(song.warning, said))
    first = song.frame_start
    last = reading.animated_range(armature)[1]
    if song.frames is not None:
        last = min(last, first + song.frames - 1)
    if not first <= frames[0] <= frames[1] <= last:
        raise UserError(
            f"The frames {frames[0]} to {frames[1]} are not within the animated part of the song, {first} to {last}."
        )
    kept = tuple(sorted(frame for frame in set(keys) if frames[0] <= frame <= frames[1]))
    part = stitching.Range(frames[0], frames[1], kept, parts.parse_parts(joints), strips.frame_rate(scene))
    grid = grid or dance.corrected(sequencer or scene, song)
    counted = {} if grid is None else {"beats": beats.text(grid)}
    target = EditTarget.of(
        scene,
        armature,
        sequencer,
        first,
        last - first + 1,
        about=song.name,
        seed=seed,
        asked=card.asked(card.DANCE, seed, options) | counted,
        song=song,
        base=action.session_uid,
        part=part,
    )
    reading.check_length(first, last, target.fps)
    way = None if path is None else _way(scene, armature, path, facing, target)
    asked = {"joints": joints, "variation": variation, **options}
    return target, Preparation("Reading the animation", _read(target, Path(folder), asked, way))


def write(target: EditTarget, done: protocol.DanceDone) -> Written:
    """Give the dancer the edited dance as a new action, a take beside the old one. It keeps the light of that.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, _ = target.find("dance")
    assert armature is not None
    base = by_uid(bpy.data.actions, target.base)
    if base is None:
        raise UserError("The action was deleted while a part of it was made anew; nothing was written.")
    with takes.taken_up(armature):
        written = dance.write_to_song(target, song, done, scene, armature)
        made = written.action
        assert made is not None
        edited = stitching.stitched(scene, armature, base, made, target.part)
        for key, value in made.items():
            edited[key] = value
        residuals.stitch(edited, base, made, target.part)
        takes.show(armature, edited)
        bpy.data.actions.remove(made)
        style = str(edited.get(f"{names.PREFIX}style", "")) or None
        edited.name = naming.title(target.about, style, target.seed, bpy.data.actions, _told(target))
        takes.enlist(armature, edited)
    if (accent := base.get(f"{names.PREFIX}accent")) is not None:
        edited[f"{names.PREFIX}accent"] = accent
    light.keep_changes(scene)
    if (lit := kept_light.of_dance(base)) is None:
        return replace(written, action=edited)
    told = lit.with_edited(target.part.first - target.first, target.part.last + 1 - target.first)
    kept_light.keep_with_dance(edited, told.with_told(dance_made=edited[takes.MADE]))
    shown.follow(scene, armature)
    return replace(written, action=edited, message=joined(written.message, LIGHT_STAYS))


def _told(target: EditTarget) -> str:
    """Which part an edit makes anew, in short, in the song's time: ``0:12-0:20``, or ``0:12-0:20 arms``."""
    part = target.part
    seconds = (round((frame - target.first) / part.fps) for frame in (part.first, part.last + 1))
    when = "-".join(f"{time // 60}:{time % 60:02}" for time in seconds)
    named = [name for name, chosen in parts.SELECTIONS.items() if chosen == part.chosen]
    what = named[0] if named else "parts"
    return when if what == "all" else f"{when} {what}"


def _of_another_song(action: bpy.types.Action, song: strips.Song, folder: Path) -> str | None:
    """What the user should know where a dance was made to another song than ``song``; None where it was not, or that is
    not known. A mix in ``folder`` has bytes of its own, so it is told by its name."""
    name, digest = (str(action.get(names.PREFIX + key, "")) for key in ("song", "audio_sha256"))
    if not digest or digest == file_digest(song.path) or (name == song.name and folder in Path(song.path).parents):
        return None
    return f"{action.name!r} was made to another song, {name!r}: what is made anew follows the beats of {song.name!r}."


def _way(
    scene: bpy.types.Scene, armature: bpy.types.Object, path: bpy.types.Object, facing: str, target: EditTarget
) -> path_file.FloorPath:
    """The path over the floor. Raises UserError when it cannot be followed."""
    part = target.part
    if "legs" not in part.chosen:
        raise UserError("A path is walked by the legs. Choose All or Lower Body, or empty the field Path.")
    way = paths.of(scene, armature, path, facing, target.first)
    try:
        way.check_pace(0.0, (part.last + 1 - part.first) / part.fps)
    except FootlightError as error:
        raise UserError(f"{path.name!r} is no way to follow: {error}.") from None
    return way


def _read(
    target: EditTarget, folder: Path, options: dict, way: path_file.FloorPath | None
) -> Generator[float, None, protocol.DanceRequest]:
    part, first = target.part, target.first
    base = folder / "base.npz"
    yield from target.saving(base, "dance")
    edited = {"edit": str(base), "range": f"frames {part.first - first}:{part.last + 1 - first}"}
    if part.keys:
        keys = folder / "KEYS.json"
        keys.write_text(keys_file.to_json(tuple(keys_file.Key(frame=frame - first) for frame in part.keys)), "utf-8")
        edited["keys"] = str(keys)
    if way is not None:
        path = folder / "PATH.json"
        path.write_text(path_file.to_json(way), "utf-8")
        edited["path"] = str(path)
    return dance.request_of(target, folder, options | edited)
