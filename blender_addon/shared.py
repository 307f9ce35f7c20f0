"""The one door to what the add-on shares with the engine: ``core.rig``, ``core.containers``, ``core.protocol`` and what
they need. None of it starts torch.

Installed, ``core`` lies beside this folder inside the extension; in a checkout both are packages of their own.
"""

from __future__ import annotations

if "." in (__package__ or ""):
    from ..core import arguments, protocol
    from ..core.containers import kinds, surveying
    from ..core.containers.types import MISSED_SECONDS
    from ..core.errors import FootlightError
    from ..core.rig import calibration, humanoid, mapping, quaternion, rest, retarget, sharing, skeleton, stepping
else:
    from core import arguments, protocol
    from core.containers import kinds, surveying
    from core.containers.types import MISSED_SECONDS
    from core.errors import FootlightError
    from core.rig import calibration, humanoid, mapping, quaternion, rest, retarget, sharing, skeleton, stepping

__all__ = [
    "MISSED_SECONDS",
    "FootlightError",
    "arguments",
    "calibration",
    "humanoid",
    "kinds",
    "mapping",
    "protocol",
    "quaternion",
    "rest",
    "retarget",
    "sharing",
    "skeleton",
    "stepping",
    "surveying",
]
