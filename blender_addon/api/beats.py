"""The beats of a song: tracked, put right, and shown as markers on the timeline. ``scene/grids.py`` keeps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy

from ..errors import UserError
from ..scene import grids, markers, strips
from ..scene.wording import joined
from ..shared import FootlightError, beat_grid, beats_file, protocol
from .target import Target, Written, by_uid, mark_beats


def request(
    scene: bpy.types.Scene,
    song: strips.Song,
    *,
    sequencer: bpy.types.Scene | None = None,
    bars_only: bool = False,
) -> tuple[Target, protocol.BeatsRequest]:
    """What the beats of ``song`` are for, and what is asked of the engine.

    sequencer: the scene that the song is heard in; the same unless given.
    bars_only: whether only the beats that begin a bar are to be shown.

    Raises UserError when the two scenes have different frame rates.
    """
    target = Target.of(scene, None, sequencer, song.frame_start, song.frames, song=song, bars_only=bars_only)
    return target, protocol.BeatsRequest(song=song.path, start=song.start, seconds=song.seconds)


def write(target: Target, done: protocol.BeatsDone) -> Written:
    """Keep the beats with their song, and put them on the timeline in place of those shown before: the corrected ones
    where there are such. Raises UserError when the scene is gone."""
    scene = by_uid(bpy.data.scenes, target.scene)
    if scene is None:
        raise UserError("The scene was deleted meanwhile; no beats were shown.")
    target = target.with_song()
    home = remember(target, done)
    warning = joined(*done.warnings, target.song.warning if target.song else "")
    if home is not None and (grid := grids.corrected(home)):
        show(scene, home, bars_only=target.bars_only)
        return Written(f"{len(grid.times)} beats as you corrected them, {words(grid)}", warning=warning)
    count = mark_beats(scene, target, done)
    bars = f" in bars of {done.metre}" if done.metre else ""
    sure = "" if done.confidence is None else f", {done.confidence:.0%} sure"
    return Written(f"{count} beats{bars}, {done.tempo:.0f} bpm{sure}", warning=warning)


def remember(target: Target, done: protocol.BeatsDone) -> grids.Home | None:
    """Keep tracked beats with the song that they were asked for. Returns where; None where there is no such place.
    target: as of ``with_song``."""
    sequencer = by_uid(bpy.data.scenes, target.sequencer)
    home = grids.home_of(sequencer, target.song) if sequencer and target.song else None
    if home is not None and len(done.beats) >= 2:
        times = (home.second_of(target.first + time * target.fps) for time in done.beats)
        grids.keep_tracked(home, beat_grid.Grid.of(times, done.downbeats), done.confidence)
    return home


def correct(
    home: grids.Home, change: Callable[[beat_grid.Grid], beat_grid.Grid], *, bars_only: bool = False
) -> beat_grid.Grid:
    """Change the known beats of a song, keep them with it and show them.

    change: such as ``beat_grid.halved``.

    Raises UserError where no beats are known, or the change makes no grid of them; then nothing is changed.
    """
    grid = grids.known(home)
    if grid is None:
        raise UserError(grids.UNKNOWN)
    try:
        grid = change(grid)
    except FootlightError as error:
        raise UserError(f"This cannot be done to these beats: {error}.") from None
    return use(home, grids.heard(home, grid), bars_only=bars_only)


def use(home: grids.Home, grid: beat_grid.Grid, *, bars_only: bool = False) -> beat_grid.Grid:
    """Let a song have these beats, and show them."""
    grids.correct(home, grid)
    show(home.scene, home, bars_only=bars_only)
    return grid


def clear(home: grids.Home, *, bars_only: bool = False) -> bool:
    """Go back to the tracked beats, and show them if beats are shown. Returns whether there were others."""
    found = grids.clear(home)
    if found and any(markers.shown(home.scene)):
        show(home.scene, home, bars_only=bars_only)
    return found


def show(scene: bpy.types.Scene, home: grids.Home, *, bars_only: bool = False) -> None:
    """Show the beats that are known of a song, in place of those shown before."""
    grid = grids.known(home)
    if grid is None:
        markers.remove_beats(scene)
        return
    frames = [home.frame_of(time) for time in grid.times]
    markers.show_beats(scene, frames, grid.downbeats, bars_only=bars_only)


def of_file(path: Path) -> beat_grid.Grid:
    """The beats of a BEATS.json, in seconds of the song's file, whose sound begins at 0 in a sequencer.
    Raises UserError when it is none."""
    try:
        return beats_file.from_json(path.read_bytes(), lambda: 0.0)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}). Choose another file.") from None
    except FootlightError as error:
        raise UserError(f"{path.name}: {error}.") from None


def text(grid: beat_grid.Grid, sound_begins: float | None = None) -> str:
    """A BEATS.json of the beats, without those before second 0.

    sound_begins: as of ``beats_file.to_json``.
    """
    first = sum(time < 0 for time in grid.times)
    return beats_file.to_json(beat_grid.Grid.of(grid.times[first:], grid.downbeats[first:]), sound_begins)


def words(grid: beat_grid.Grid, confidence: float | None = None) -> str:
    """Tempo and metre in a few words.

    confidence: of tracked beats; where they are a guess, there is no word of a metre.
    """
    metre = beat_grid.told_metre(grid.metre, confidence)
    return f"{grid.tempo:.0f} bpm" + (f", {metre} beats a bar" if metre else "")
