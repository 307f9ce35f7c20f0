"""Put the beats of the song right: half, double, another one, another metre, the user's markers, a file."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
from bpy.props import EnumProperty, IntProperty

from .. import names, session
from ..api import beats
from ..errors import UserError
from ..scene import grids, markers
from ..shared import beat_grid
from .at_once import AtOnce
from .json_file import JsonFile
from .polling import SaysWhy
from .settings import check_editable, chosen_strip, settings_of


@dataclass(frozen=True)
class Change:
    """A correction of the beats.

    label: of the button.
    about: its tooltip.
    change: takes the grid, its home and the operator.
    """

    label: str
    about: str
    change: Callable[[beat_grid.Grid, grids.Home, FOOTLIGHT_OT_correct_beats], beat_grid.Grid]


def _one_here(grid: beat_grid.Grid, home: grids.Home, _operator: bpy.types.Operator) -> beat_grid.Grid:
    return beat_grid.with_one(grid, grid.nearest(home.second_of(home.scene.frame_current_final)))


CHANGES = {
    "HALF": Change("Half", "Take every second beat: the song is slower", lambda grid, *_: beat_grid.halved(grid)),
    "DOUBLE": Change(
        "Double", "Put a beat between every two: the song is faster", lambda grid, *_: beat_grid.doubled(grid)
    ),
    "LATER": Change(
        "Half a Beat Later", "Move all beats by half a beat", lambda grid, *_: beat_grid.shifted_half(grid)
    ),
    "ONE": Change("The One Is Here", "The beat at the current frame begins a bar", _one_here),
    "METRE": Change(
        "Beats a Bar",
        "Count so many beats to the bar, from the first one on",
        lambda grid, _home, operator: beat_grid.with_metre(grid, operator.metre),
    ),
}


class _Beats(SaysWhy, AtOnce, bpy.types.Operator):
    """What the operators have in common: a song that can be found."""

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        session.check_idle()
        check_editable(context.scene)
        return cls.lack_of(home_of(context))

    @classmethod
    def lack_of(cls, home: grids.Home) -> str:
        """Why there is nothing to do for a song; empty where there is."""
        return "" if grids.is_known(home) else grids.UNKNOWN

    def act(self, context: bpy.types.Context) -> str:
        return self.act_on(context, home_of(context))

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        """Do it to a song, as of ``act``."""
        raise NotImplementedError


class FOOTLIGHT_OT_correct_beats(_Beats):
    """Put the beats of the song right. They are kept with it, and the next dance follows them"""

    bl_idname = names.CORRECT_BEATS
    bl_label = "Correct Beats"
    bl_options = frozenset({"REGISTER", "UNDO"})

    change: EnumProperty(items=[(name, change.label, change.about) for name, change in CHANGES.items()], default="HALF")
    metre: IntProperty(name="Beats a Bar", description="Of Beats a Bar", min=1, max=beat_grid.LARGEST_METRE, default=4)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return CHANGES[properties.change].about

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        change = CHANGES[self.change].change
        grid = beats.correct(home, lambda grid: change(grid, home, self), bars_only=_bars_only(context))
        return _followed(grid)


class FOOTLIGHT_OT_use_markers(_Beats):
    """Take your own markers on the timeline as the beats. They go on at their own spacing. A marker named 1 begins a
    bar"""

    bl_idname = names.USE_MARKERS
    bl_label = "Use My Markers"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack_of(cls, home: grids.Home) -> str:
        return "" if len(markers.users(home.scene)) >= 2 else "Set a marker on each of two or more beats first"

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        grid = beats.use(home, grids.from_markers(home), bars_only=_bars_only(context))
        return _followed(grid)


class FOOTLIGHT_OT_clear_beats(_Beats):
    """Forget how the beats were corrected, and go back to those that were tracked"""

    bl_idname = names.CLEAR_BEATS
    bl_label = "Clear Beats"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack_of(cls, home: grids.Home) -> str:
        return "" if grids.is_corrected(home) else "The beats are as they were tracked"

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        beats.clear(home, bars_only=_bars_only(context))
        return "The beats are as they were tracked again."


class _File(JsonFile, _Beats):
    """Those with a file."""

    def suggested(self, context: bpy.types.Context) -> str:
        return "BEATS.json"


class FOOTLIGHT_OT_import_beats(_File):
    """Take the beats of the song from a file, in seconds from the beginning of the song's file"""

    bl_idname = names.IMPORT_BEATS
    bl_label = "Import Beats"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack_of(cls, home: grids.Home) -> str:
        return ""

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        grid = grids.heard(home, beats.of_file(self.path))
        beats.use(home, grid, bars_only=_bars_only(context))
        return _followed(grid)


class FOOTLIGHT_OT_export_beats(_File):
    """Write the beats of the song to a file, as the command line takes them"""

    bl_idname = names.EXPORT_BEATS
    bl_label = "Export Beats"
    bl_options = frozenset({"REGISTER"})

    def act_on(self, context: bpy.types.Context, home: grids.Home) -> str:
        grid, path = grids.known(home), self.path.with_suffix(".json")
        assert grid is not None
        try:
            path.write_text(beats.text(grid, sound_begins=0.0), encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path} cannot be written ({error.strerror}). Choose another place.") from None
        return f"{len(grid.times)} beats were written to {path}."


def home_of(context: bpy.types.Context) -> grids.Home:
    """Where the beats of the panel's song are kept. Raises UserError where it is not clear which song that is."""
    if settings_of(context.scene).source == "MIX":
        return grids.Home(context.scene)
    return grids.Home(context.scene, chosen_strip(context))


def _bars_only(context: bpy.types.Context) -> bool:
    return settings_of(context.scene).bars_only


def _followed(grid: beat_grid.Grid) -> str:
    """What is said when a song has other beats."""
    return f"{beats.words(grid)}. The next dance follows these beats."
