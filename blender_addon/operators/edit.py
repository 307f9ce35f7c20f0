"""Make a part of the dance anew: a range, a part of the body, between the user's own keys."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import edit
from ..errors import UserError
from ..scene import grids, strips, takes
from ..shared import ranges
from .job_operator import JobOperator, ask
from .seed import NewSeed
from .settings import find_dancer, find_song, sampling, settings_of


class FOOTLIGHT_OT_edit_dance(NewSeed, JobOperator, bpy.types.Operator):
    """Make a part of the dance anew, as a new take. Everything else stays as it is"""

    bl_idname = about = names.EDIT
    bl_label = "Regenerate"
    bl_options = frozenset({"UNDO"})

    def start(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the edit that the scene's settings describe. Raises UserError when something is missing."""
    folder = session.prepare()
    settings, armature = settings_of(context.scene), find_dancer(context)
    song = find_song(context, folder)
    frames = edit_frames(context, song)
    target, preparation = edit.request(
        context.scene,
        armature,
        song,
        folder,
        frames=frames,
        joints=settings.edit_joints,
        keys=selected_keys(armature, frames) if settings.edit_keep_keys else (),
        path=settings.edit_path,
        facing=settings.edit_facing,
        variation=settings.edit_variation,
        beat_snap=settings.beat_snap,
        **sampling(context.scene, names.EDIT),
    )
    ask(context, names.EDIT, target, preparation, edit.write)


def edit_frames(context: bpy.types.Context, song: strips.Song) -> tuple[int, int]:
    """The first and the last frame that are made anew. Raises UserError where the settings name none."""
    scene, settings = context.scene, settings_of(context.scene)
    if settings.edit_range == "PREVIEW":
        if not scene.use_preview_range:
            raise UserError("There is no preview range. Press P in the timeline and drag over the frames to make anew.")
        return scene.frame_preview_start, scene.frame_preview_end
    home = grids.home_of(scene, song)
    grid = grids.known(home) if home else None
    if grid is not None and home is not None:
        grid = grids.heard(home, grid).shifted(home.second_of(song.frame_start))
    rate = strips.frame_rate(scene)
    first, end = ranges.parse(settings.edit_counts, grid, rate).frames(rate)
    return song.frame_start + first, song.frame_start + end - 1


def selected_keys(armature: bpy.types.Object, frames: tuple[int, int]) -> tuple[int, ...]:
    """The frames of the range with a selected key. Raises UserError where there is none."""
    action = takes.shown(armature)
    found = set()
    if action is not None and action.layers:
        for channels in action.layers[0].strips[0].channelbags:
            for curve in channels.fcurves:
                found |= {round(p.co.x) for p in curve.keyframe_points if p.select_control_point}
    kept = tuple(sorted(frame for frame in found if frames[0] <= frame <= frames[1]))
    if not kept:
        raise UserError(
            "No key of the range is selected. Select your keys in the Dope Sheet, or switch Keep My Keys off."
        )
    if len(kept) > (frames[1] - frames[0]) / 2:
        raise UserError(
            "Most frames of the range have a selected key, so nothing would change. Select your own keys alone."
        )
    return kept
