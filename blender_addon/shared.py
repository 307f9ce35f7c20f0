"""The one door to what the add-on shares with the engine: ``core.rig``, ``core.grid``, ``core.containers``,
``core.protocol`` and what they need. None of it starts torch.

Installed, ``core`` lies beside this folder inside the extension; in a checkout both are packages of their own.
"""

from __future__ import annotations

if "." in (__package__ or ""):
    from ..core import arguments, protocol
    from ..core.containers import kinds, surveying
    from ..core.containers.types import MISSED_SECONDS
    from ..core.errors import FootlightError
    from ..core.grid import beat_grid, beats_file, counts, ranges
    from ..core.rig import (
        calibration,
        channels,
        humanoid,
        mapping,
        posing,
        quaternion,
        rest,
        retarget,
        sharing,
        skeleton,
        splines,
        stepping,
        thinning,
    )
else:
    from core import arguments, protocol
    from core.containers import kinds, surveying
    from core.containers.types import MISSED_SECONDS
    from core.errors import FootlightError
    from core.grid import beat_grid, beats_file, counts, ranges
    from core.rig import (
        calibration,
        channels,
        humanoid,
        mapping,
        posing,
        quaternion,
        rest,
        retarget,
        sharing,
        skeleton,
        splines,
        stepping,
        thinning,
    )

__all__ = [
    "MISSED_SECONDS",
    "FootlightError",
    "arguments",
    "beat_grid",
    "beats_file",
    "calibration",
    "channels",
    "counts",
    "humanoid",
    "kinds",
    "mapping",
    "posing",
    "protocol",
    "quaternion",
    "ranges",
    "rest",
    "retarget",
    "sharing",
    "skeleton",
    "splines",
    "stepping",
    "surveying",
    "thinning",
]
