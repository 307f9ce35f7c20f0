"""Whether a body that was read is one: not folded, not inside out, and where its source was.

A wrong rest pose, or joints taken for others, give a folded body without any other sign. People do fold themselves, so
only what holds for most of a motion counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from core.errors import FootlightError

_MOST = 0.8  # of the frames
_FOLDED = 50.0  # degrees between trunk and thighs
_TWISTED = 110.0  # degrees between the lines through hips and shoulders
_BACKWARDS = 0.35  # sine of the bend of a knee to the wrong side
_OFF = 40.0  # degrees from where the source is


def check_body(places: Mapping[str, Tensor]) -> None:
    """Raises FootlightError, saying what is wrong, for joints that are not those of a body.

    places: positions (t, 3) by the names of ``SMPL22``; at least hips, knees, ankles and shoulders.
    """
    trunk = _middle(places, "shoulder") - _middle(places, "hip")
    thighs = _middle(places, "knee") - _middle(places, "hip")
    if _mostly(_degrees(trunk, thighs) < _FOLDED):
        raise FootlightError(
            "the body is folded, its head hangs by its knees; expected a rest pose that stands, and joints named for "
            "what they are"
        )
    if _mostly(_degrees(_across(places, "hip"), _across(places, "shoulder")) > _TWISTED):
        raise FootlightError(
            "the left shoulder is on the side of the right hip; expected left and right to be named alike on arms and "
            "legs"
        )
    if all(_bends_backwards(places, trunk, side) for side in ("left", "right")):
        raise FootlightError(
            "the knees bend backwards: left and right are exchanged or the body is mirrored; export it from "
            "right-handed axes, or exchange the names of its left and right joints"
        )


def check_agreement(source: Mapping[str, Tensor], body: Mapping[str, Tensor]) -> None:
    """Raises FootlightError, naming the part, for a body whose trunk or limbs are not where those of its source are.

    source, body: as in ``check_body``.
    """
    parts = {"trunk": lambda at: _middle(at, "shoulder") - _middle(at, "hip")}
    parts |= {f"line through the {part}s": lambda at, part=part: _across(at, part) for part in ("hip", "shoulder")}
    for side in ("left", "right"):
        for name, upper, lower in (("upper arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist")):
            if f"{side}_{lower}" in source:
                ends = f"{side}_{upper}", f"{side}_{lower}"
                parts[f"{side} {name}"] = lambda at, ends=ends: at[ends[1]] - at[ends[0]]
    for name, vector in parts.items():
        off = float(_degrees(vector(source), vector(body)).median())
        if off > _OFF:
            raise FootlightError(
                f"the {name} of the body that was read is {off:.0f} degrees from where its joints are; expected a rest "
                "pose that stands: give another one"
            )


def _bends_backwards(places: Mapping[str, Tensor], trunk: Tensor, side: str) -> bool:
    """Whether a knee bends to the front, and the toes, if they are known, point to the back."""
    hip, knee, ankle = (places[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
    left = _unit(_across(places, "hip"))
    bend = (torch.linalg.cross(_unit(knee - hip), _unit(ankle - knee)) * left).sum(-1)
    backwards = float(bend.median()) < -_BACKWARDS
    if f"{side}_foot" not in places:
        return backwards
    ahead = torch.linalg.cross(left, _unit(trunk))
    foot = _unit(places[f"{side}_foot"] - ankle)
    return float((foot * ahead).sum(-1).median()) < 0 and float(bend.median()) < 0.1


def _middle(places: Mapping[str, Tensor], part: str) -> Tensor:
    return (places[f"left_{part}"] + places[f"right_{part}"]) / 2


def _across(places: Mapping[str, Tensor], part: str) -> Tensor:
    return places[f"left_{part}"] - places[f"right_{part}"]


def _mostly(holds: Tensor) -> bool:
    return float(holds.double().mean()) > _MOST


def _unit(v: Tensor) -> Tensor:
    return v / torch.linalg.vector_norm(v, dim=-1, keepdim=True).clamp_min(1e-9)


def _degrees(a: Tensor, b: Tensor) -> Tensor:
    """Angles (t,) between vectors (t, 3)."""
    return (_unit(a) * _unit(b)).sum(-1).clamp(-1, 1).acos().rad2deg()
