"""The one door to what the add-on shares with the engine: ``core.rig``, ``core.edits``, ``core.show``,
``core.grid``, ``core.containers``, ``core.protocol``, ``core.files`` and what they need. None of it starts torch.

Installed, ``core`` lies beside this folder inside the extension; in a checkout both are packages of their own.
"""

from __future__ import annotations

if "." in (__package__ or ""):
    from ..core import arguments, protocol
    from ..core.containers import kinds, surveying
    from ..core.containers.types import MISSED_SECONDS
    from ..core.edits import keys_file, parts, path_file
    from ..core.errors import FootlightError
    from ..core.files import file_digest
    from ..core.grid import beat_grid, beats_file, counts, ranges
    from ..core.rig import (
        calibration,
        channels,
        ends,
        mapping,
        named_limbs,
        posing,
        proportions,
        quaternion,
        residual,
        rest,
        retarget,
        sharing,
        skeleton,
        splines,
        stepping,
        thinning,
    )
    from ..core.show import channels as show_channels
    from ..core.show import colour, flashes
    from ..core.show import file as show_file
    from ..core.show.show import Show
else:
    from core import arguments, protocol
    from core.containers import kinds, surveying
    from core.containers.types import MISSED_SECONDS
    from core.edits import keys_file, parts, path_file
    from core.errors import FootlightError
    from core.files import file_digest
    from core.grid import beat_grid, beats_file, counts, ranges
    from core.rig import (
        calibration,
        channels,
        ends,
        mapping,
        named_limbs,
        posing,
        proportions,
        quaternion,
        residual,
        rest,
        retarget,
        sharing,
        skeleton,
        splines,
        stepping,
        thinning,
    )
    from core.show import channels as show_channels
    from core.show import colour, flashes
    from core.show import file as show_file
    from core.show.show import Show

__all__ = [
    "MISSED_SECONDS",
    "FootlightError",
    "Show",
    "arguments",
    "beat_grid",
    "beats_file",
    "calibration",
    "channels",
    "colour",
    "counts",
    "ends",
    "file_digest",
    "flashes",
    "keys_file",
    "kinds",
    "mapping",
    "named_limbs",
    "parts",
    "path_file",
    "posing",
    "proportions",
    "protocol",
    "quaternion",
    "ranges",
    "residual",
    "rest",
    "retarget",
    "sharing",
    "show_channels",
    "show_file",
    "skeleton",
    "splines",
    "stepping",
    "surveying",
    "thinning",
]
