"""The beats of a song, kept with it: as they were tracked last, and as the user put them right.

They stand on the song's strip, in seconds from where its content begins, so that they stay with the music when the
strip is moved or trimmed. Where all sound of a scene is the song they stand on the scene, in seconds from frame 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..errors import UserError
from ..names import PREFIX
from ..shared import FootlightError, beat_grid
from . import markers, strips, versions

# Custom properties of a strip or a scene: groups of ``times``, ``downbeats`` and, of tracked ones, ``confidence``.
CORRECTED = f"{PREFIX}beats"
TRACKED = f"{PREFIX}beats_tracked"

UNKNOWN = "The beats of this song are not known yet. Press Show Beats first."


@dataclass(frozen=True)
class Home:
    """Where the beats of a song are kept.

    strip: the song's; None where all sound of ``scene`` is.
    """

    scene: bpy.types.Scene
    strip: bpy.types.Strip | None = None

    @property
    def kept(self) -> bpy.types.Scene | bpy.types.Strip:
        return self.scene if self.strip is None else self.strip

    @property
    def origin(self) -> float:
        """The frame of second 0."""
        return 0.0 if self.strip is None else versions.content_start(self.strip)

    @property
    def seconds(self) -> tuple[float, float]:
        """From when to when the song is heard."""
        first, end = (
            (self.scene.frame_start, self.scene.frame_end + 1) if self.strip is None else versions.handles(self.strip)
        )
        return self.second_of(first), self.second_of(end)

    def second_of(self, frame: float) -> float:
        return (frame - self.origin) / strips.frame_rate(self.scene)

    def frame_of(self, second: float) -> float:
        return self.origin + second * strips.frame_rate(self.scene)


def home_of(scene: bpy.types.Scene, song: strips.Song) -> Home | None:
    """Where the beats of a song are kept; None of one that is in no sequencer.

    scene: that it is heard in.
    """
    if song.strip:
        strip = strips.strip_of(scene, song)
        return Home(scene, strip) if strip else None
    return None if song.frames is None else Home(scene)


def tracked(home: Home) -> beat_grid.Grid | None:
    """The beats as they were tracked last."""
    return _read(home, TRACKED)


def confidence(home: Home) -> float | None:
    """How sure the tracked beats are, 0 to 1."""
    group = home.kept.get(TRACKED)
    return None if group is None else group.get("confidence")


def corrected(home: Home) -> beat_grid.Grid | None:
    """The beats as the user put them right."""
    return _read(home, CORRECTED)


def is_corrected(home: Home) -> bool:
    """Whether the user put the beats right, without reading them."""
    return CORRECTED in home.kept


def is_known(home: Home) -> bool:
    """Whether any beats are known, without reading them: buttons ask this whenever they are drawn."""
    return is_corrected(home) or TRACKED in home.kept


def known(home: Home) -> beat_grid.Grid | None:
    """The beats that a dance follows, as far as they are known: the corrected ones, else the tracked ones."""
    return corrected(home) or tracked(home)


def keep_tracked(home: Home, grid: beat_grid.Grid, confidence: float | None = None) -> None:
    """Remember beats that were tracked."""
    _write(home, TRACKED, grid, {} if confidence is None else {"confidence": confidence})


def correct(home: Home, grid: beat_grid.Grid) -> None:
    """Let the song have these beats from now on."""
    _write(home, CORRECTED, grid, {})


def clear(home: Home) -> bool:
    """Go back to the tracked beats. Returns whether there were others."""
    if not is_corrected(home):
        return False
    del home.kept[CORRECTED]
    return True


def from_markers(home: Home) -> beat_grid.Grid:
    """The user's markers as beats, which go on at their own spacing to both ends of the song.

    A marker whose name is "1" or "one" begins a bar. Where none does, the first one begins one, and bars are as long as
    they were known to be.

    Raises UserError for fewer than two markers, and for two that are too close to each other.
    """
    own = sorted((marker.frame, marker.name.strip().lower()) for marker in markers.users(home.scene))
    frames = list(dict(own))
    if len(frames) < 2:
        raise UserError(
            f"There are {len(frames)} markers of yours in {home.scene.name!r}. Set one on each of two or more beats (M "
            "in the timeline, also while it plays)."
        )
    ones = {frame for frame, name in own if name in ("1", "one")}
    grid = beat_grid.Grid.of((home.second_of(frame) for frame in frames), (frame in ones for frame in frames))
    if grid.metre:
        return heard(home, grid)
    before = known(home)
    metre = (before.metre if before else 0) or beat_grid.USUAL_METRE
    longer = heard(home, grid)
    return beat_grid.with_metre(longer, metre, longer.nearest(home.second_of(min(ones or frames))))


def heard(home: Home, grid: beat_grid.Grid) -> beat_grid.Grid:
    """Beats over all that is heard of the song, at their own spacing where there were none.

    Raises UserError where these are fewer than two.
    """
    try:
        return beat_grid.continued(grid, *home.seconds)
    except FootlightError as error:
        raise UserError(f"These beats do not fit the song: {error}.") from None


def _read(home: Home, key: str) -> beat_grid.Grid | None:
    group = home.kept.get(key)
    if group is None:
        return None
    values = group.to_dict()
    return beat_grid.Grid.of(values["times"], values["downbeats"])


def _write(home: Home, key: str, grid: beat_grid.Grid, more: dict) -> None:
    home.kept[key] = {"times": list(grid.times), "downbeats": [int(one) for one in grid.downbeats], **more}
