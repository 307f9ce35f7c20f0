"""From a song to a new action on an armature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import bpy

from .. import environment, model
from ..errors import UserError
from ..scene import actions, dancer, grids, hearing, rigs, songs, standing, strips, takes
from ..scene.wording import joined
from ..shared import beat_grid, beats_file, protocol, thinning
from . import beats, card, naming, preview
from .target import Target, Written, finished, mark_beats, with_change


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    sequencer: bpy.types.Scene | None = None,
    markers: bool = False,
    bars_only: bool = False,
    keys: thinning.Spacing = thinning.EVERY_FRAME,
    seed: int = 0,
    grid: beat_grid.Grid | None = None,
    watched: bool = False,
    operation: str = card.DANCE,
    others: Iterable[bpy.types.Object] = (),
    **options: object,
) -> tuple[Target, protocol.DanceRequest]:
    """What a dance to ``song`` is for, and what is asked of the engine.

    armature: None adds the Footlight dancer when the dance is there.
    folder: takes the engine's result and must be there until ``write`` has ended.
    sequencer: the scene that the song is heard in; the same unless given.
    markers: whether the beats are to be shown on the timeline.
    bars_only: whether only those that begin a bar are.
    keys: which frames are keyed; all unless given.
    grid: the beats, in seconds of the song's file; unless given, as the user corrected them, else as they are tracked.
    watched: whether the first seconds are wanted before the rest is made, for ``preview.show``.
    operation: what makes it, as of ``card.Card``.
    others: who is on the stage besides, where one is set.
    options: quality, steps, guidance, style, beat_snap, free_form and moves, as of ``core.protocol.DanceRequest``.

    Raises UserError when the armature cannot be given a dance or the two scenes have different frame rates, and
    FootlightError when an option is out of its bounds.
    """
    if armature is not None:
        rigs.check_writable(armature)
        standing.rest_of(scene, armature)
    grid = grid or corrected(sequencer or scene, song)
    counted = {} if grid is None else {"beats": beats.text(grid)}
    target = Target.of(
        scene,
        armature,
        sequencer,
        song.frame_start,
        song.frames,
        about=song.name,
        seed=seed,
        asked=card.asked(operation, seed, options) | counted,
        markers=markers,
        bars_only=bars_only,
        keys=keys,
        song=song,
        others=tuple(ob.session_uid for ob in others),
    )
    if watched:
        options["preview"] = str(Path(folder) / "preview.npz")
    return target, request_of(target, Path(folder), options)


def again(action: bpy.types.Action, song: strips.Song, *, lit: bool = False) -> tuple[strips.Song, dict]:
    """How to ask for a dance again: the arguments seed, quality, steps, guidance, style, beat_snap, free_form, moves
    and grid of ``request``.

    song: to which it will be; it is returned with a warning where the result cannot be the same.
    lit: whether it is asked for together with its light, as of ``theatre.again``.
    Raises UserError when the action is no dance to a song.
    """
    kept = card.kept_by(action)
    if kept.get("operation") not in (card.DANCE, card.THEATRE) or "song" not in kept:
        raise UserError(f"{action.name!r} is no dance to a song that Footlight made. Choose another take.")
    options = {name: kept.get(name) for name in ("quality", "steps", "guidance", "beat_snap", "free_form", "moves")}
    options = {name: value for name, value in options.items() if value is not None}
    grid = beats_file.from_json(kept["beats"]) if "beats" in kept else None
    differs = []
    if kept.get("model_sha256", "") != model.facts(environment.model_folder()).digest:
        differs.append("by another model")
    if (kept.get("song_start"), kept.get("song_seconds")) != (song.start, song.seconds):
        differs.append("to another part of its song")
    if "accent" in kept and not lit:
        differs.append("together with its light")
    if differs:
        said = f"{action.name!r} was made {' and '.join(differs)}: this dance is another one."
        song = replace(song, warning=joined(song.warning, said))
    return song, {**options, "seed": int(kept["seed"]), "style": kept.get("style_asked") or None, "grid": grid}


def write(target: Target, done: protocol.DanceDone) -> Written:
    """Give the armature the dance that the engine made, as a new action.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, sequencer = target.find("dance")
    target = target.with_song()
    written = write_to_song(target, song, done, scene, armature)
    heard = songs.find(sequencer, song.strip)
    changed = hearing.again(sequencer, heard.strip) if heard else hearing.Changed()
    if "beats" not in target.asked:
        beats.remember(target, done)
    if target.markers:
        mark_beats(scene, target, done)
    return with_change(written, changed)


def write_to_song(
    target: Target,
    song: strips.Song,
    done: protocol.DanceDone,
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
) -> Written:
    """Put a dance to ``song`` on the armature, or on a new dancer. Raises UserError as ``put_on``."""
    further = {"song": song.name, "song_start": song.start, "song_seconds": song.seconds}
    return put_on(target, done, done.out, scene, armature, further, song.warning)


def put_on(
    target: Target,
    done: protocol.DanceDone | protocol.DuetDone,
    out: str,
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    further: dict,
    *warnings: str,
) -> Written:
    """Put the dance that the engine left at ``out`` on the armature, or on a new dancer.

    further: what the action keeps besides.
    warnings: what the user should know besides.

    Raises UserError when it cannot be done; then nothing is changed.
    """
    values = actions.read_dance(out)
    style = done.style or str(values.get("style", "")) or target.asked.get("style_asked") or None
    said: list[str] = []
    if target.shown is not None:
        preview.take_off(target.shown)
    with takes.taken_up(armature):
        added = None
        if armature is None:
            added = preview.added_dancer(scene, target.shown) or dancer.add_to(scene)
        try:
            action = actions.write_dance(
                out,
                added or armature,
                target.first,
                name=naming.title(target.about, style, target.seed, bpy.data.actions),
                frames=target.frames,
                properties=target.asked | card.kept(done, style=style, **further),
                keys=target.keys,
                say=said.append,
            )
        except Exception:
            if added is not None:
                dancer.remove(added)
            raise
        card.keep(action, card.length_and_feet(values, target.fps, target.frames))
        takes.enlist(added or armature, action)
    preview.play_on(scene, added or armature, target.shown)
    return finished(done, *warnings, *said, action=action, dancer=added)


def corrected(sequencer: bpy.types.Scene, song: strips.Song) -> beat_grid.Grid | None:
    """The beats that the user corrected, in seconds of the song's file, over all that is heard of it.
    Raises UserError where these are too few."""
    home = grids.home_of(sequencer, song)
    grid = grids.corrected(home) if home else None
    if home is None or grid is None:
        return None
    return grids.heard(home, grid).shifted(home.second_of(song.frame_start) - song.start)


def request_of(target: Target, folder: Path, options: dict) -> protocol.DanceRequest:
    """What is asked of the engine for a target with a song.

    folder: as of ``request``.
    options: further fields.
    """
    song = target.song
    assert song is not None
    return protocol.DanceRequest(
        song=song.path,
        start=song.start,
        seconds=song.seconds,
        fps=target.fps,
        seed=target.seed,
        **options,
        beats=target.beats_file(folder),
        out=str(folder / "dance.npz"),
    )
