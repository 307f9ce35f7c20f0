"""Repairs of captured motion: frames at which tracking failed, noise, the floor, and planted feet that slide.

What is repaired and when a clip is given up: joints that turn, or a root that moves, with an acceleration no body has
are interpolated over those frames; a clip in which that concerns more than ``MOST_REPAIRED`` of its frames, or one gap
of more than ``LONGEST_GAP``, is dropped, as is one shorter than ``SHORTEST``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from scipy.linalg import solveh_banded
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

from core.motion import contact, kinematics, rotation
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS, LEFT_LEG, RIGHT_LEG
from core.types import Motion

# How far a joint may lie from half way between its neighbouring frames, at 60 frames a second: radians and metres.
# That is an angular acceleration of 2200 rad/s^2 and a pelvis at 22 g.
TURN_LIMIT, HINGE_LIMIT, ROOT_LIMIT = 0.3, 0.2, 0.03
_JOIN = 0.17  # seconds; failures of one joint no farther apart are one
CUTOFF = 10.0  # Hz; fast hits keep their shape below, capture noise lies above
MOST_REPAIRED, LONGEST_GAP, SHORTEST = 0.05, 0.75, 2.0  # share of frames, seconds, seconds

# Smoothness of the correction that holds planted feet: in contact it follows within a frame, in between it dies away
# over about a fifth of a second.
_BENDING, _RESTORING = 0.2, 2e-4
_SINKS = 0.01  # metres; soft soles


def repair(
    local: Tensor, root: Tensor, fps: float, marked: Iterable[int] = (), unit: float = 1.0
) -> tuple[Tensor, Tensor, dict]:
    """Interpolate the frames at which a joint's rotation (t, j, 4) or the root (t, 3) jumps.

    marked: frames known to be bad, at which half the usual jump counts.  unit: metres per unit of ``root``.
    Also returns "repaired_frames" and "longest_gap" (seconds).
    """
    looser = _looser(local.shape[0], fps, marked)
    middle = rotation.slerp(local[:-2], local[2:], 0.5)
    turn = _padded(rotation.angle(local[1:-1], middle))
    shift = _padded((root[1:-1] - (root[:-2] + root[2:]) / 2).norm(dim=-1)[:, None]) * unit
    bad = _joined(turn > TURN_LIMIT * looser[:, None], fps)
    bad_root = _joined(shift > ROOT_LIMIT * looser[:, None], fps)[:, 0]
    # a root that jumps takes its rotation along
    bad[:, 0] |= bad_root
    made = local.clone()
    for joint in bad.any(0).nonzero()[:, 0].tolist():
        made[:, joint] = _bridged_turns(local[:, joint], bad[:, joint])
    return made, _bridged(root, bad_root), _gaps(bad, fps)


def repair_hinges(angles: Tensor, fps: float, marked: Iterable[int] = ()) -> tuple[Tensor, dict]:
    """Interpolate the frames at which hinge angles (t, n) jump; see ``repair``."""
    looser = _looser(angles.shape[0], fps, marked)
    turn = _padded((angles[1:-1] - (angles[:-2] + angles[2:]) / 2).abs())
    bad = _joined(turn > HINGE_LIMIT * looser[:, None], fps)
    made = angles.clone()
    for hinge in bad.any(0).nonzero()[:, 0].tolist():
        made[:, hinge] = _bridged(angles[:, hinge : hinge + 1], bad[:, hinge])[:, 0]
    return made, _gaps(bad, fps)


def smoothed(motion: Motion, cutoff: float = CUTOFF) -> Motion:
    """Without what lies above ``cutoff`` Hz, no frame delayed (Butterworth, fourth order, forth and back)."""
    if motion.frames < 16 or cutoff >= 0.45 * motion.fps:
        return motion
    filter_ = butter(2, cutoff, fs=motion.fps, output="sos")

    def low(values: Tensor) -> Tensor:
        return torch.from_numpy(sosfiltfilt(filter_, values.double().numpy(), axis=0).copy()).to(values.dtype)

    rotations = rotation.normalise(low(rotation.continuous(motion.rotations)))
    return replace(motion, rotations=rotations, root=low(motion.root))


def grounded(motion: Motion) -> tuple[Motion, dict]:
    """The motion with its floor at y = 0, contacts labelled and planted feet held where they stand.

    Also returns "floor" (the height found, metres) and "skate" before and after.
    """
    height = contact.floor_height(_positions(motion), motion.fps)
    motion = replace(motion, root=motion.root - height * motion.root.new_tensor((0.0, 1.0, 0.0)))
    before = skate(motion)
    motion = planted(motion)
    return motion, {"floor": round(float(height), 4), "skate": [round(before, 4), round(skate(motion), 4)]}


def planted(motion: Motion) -> Motion:
    """The motion with every foot held still while it stands, and its contacts.

    A toe that stands is held at one place of the floor (its median), a heel where no toe stands; the correction of the
    foot is the smoothest in time that does so, the leg follows by inverse kinematics, and the foot keeps its rotation.
    """
    positions = _positions(motion)
    contacts = contact.label(positions, motion.fps)
    rotations = motion.rotations
    for side, chain in enumerate((LEFT_LEG, RIGHT_LEG)):
        heel, toe = 2 * side, 2 * side + 1
        wanted, known = torch.zeros_like(motion.root), torch.zeros(motion.frames, dtype=torch.bool)
        for point in (heel, toe):  # toes overrule heels
            place = positions[:, FOOT_JOINTS[point]]
            for start, end in runs(contacts[:, point] > 0.5):
                spot = place[start:end].median(0).values
                spot[1] = FOOT_HEIGHTS[point]
                wanted[start:end], known[start:end] = spot - place[start:end], True
        shift = _smoothest(wanted, known)
        shift[:, 1] += _sunk(positions, shift, (FOOT_JOINTS[heel], FOOT_JOINTS[toe]))
        target = positions[:, chain[2]] + shift
        rotations = kinematics.two_bone_ik(rotations, motion.root, target, chain, softness=0.004)
    motion = replace(motion, rotations=rotation.continuous(rotations))
    return replace(motion, contacts=contact.label(_positions(motion), motion.fps))


def skate(motion: Motion) -> float:
    """Share of the frames with a toe below 5 cm, now and one frame before, in which it moves faster than 0.2 m/s."""
    toes = _positions(motion)[:, (FOOT_JOINTS[1], FOOT_JOINTS[3])]
    speed = (toes[1:] - toes[:-1]).norm(dim=-1) * motion.fps
    low = (toes[1:, :, 1] < 0.05) & (toes[:-1, :, 1] < 0.05)
    return float((low & (speed > 0.2)).sum() / low.sum().clamp_min(1))


def reason_to_drop(motion: Motion, report: dict) -> str | None:
    """Why a loaded clip should not be used, or None."""
    share = report["repaired_frames"] / max(1, report["frames"])
    if motion.seconds < SHORTEST:
        return f"{motion.seconds:.1f} s long, at least {SHORTEST:g} s are needed"
    if share > MOST_REPAIRED:
        return f"{share:.1%} of the frames had to be repaired, at most {MOST_REPAIRED:.0%} may"
    if report["longest_gap"] > LONGEST_GAP:
        return f"a gap of {report['longest_gap']:.2f} s, at most {LONGEST_GAP:g} s can be bridged"
    if not bool(torch.isfinite(motion.root).all() and torch.isfinite(motion.rotations).all()):
        return "values that are not finite"
    return None


def runs(mask: Tensor) -> list[tuple[int, int]]:
    """The stretches (first, one past the last) in which a mask (t,) holds."""
    edges = torch.diff(torch.nn.functional.pad(mask.int(), (1, 1)))
    return list(zip((edges > 0).nonzero()[:, 0].tolist(), (edges < 0).nonzero()[:, 0].tolist(), strict=True))


def _positions(motion: Motion) -> Tensor:
    return kinematics.forward(motion.rotations, motion.root)


def _looser(frames: int, fps: float, marked: Iterable[int]) -> Tensor:
    """(t,) factors of the limits: a slower camera sees larger steps, and marked frames need only half."""
    factor = torch.full((frames,), max(1.0, 60.0 / fps), dtype=torch.float64)
    near = torch.tensor([f + d for f in marked for d in (-1, 0, 1, 2)], dtype=torch.long)
    factor[near[(near >= 0) & (near < frames)]] *= 0.5
    return factor


def _padded(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values, (0, 0, 1, 1))


def _joined(bad: Tensor, fps: float) -> Tensor:
    """A mask (t, n) with its gaps of up to ``_JOIN`` seconds filled."""
    width = int(_JOIN * fps)
    made = bad.clone()
    for column in bad.any(0).nonzero()[:, 0].tolist():
        ends = runs(bad[:, column])
        for (_, a), (b, _) in zip(ends, ends[1:], strict=False):
            if b - a <= width:
                made[a:b, column] = True
    return made


def _bridged(values: Tensor, bad: Tensor) -> Tensor:
    """Values (t, c) with the bad frames replaced by a monotone cubic through the good ones."""
    good = (~bad).nonzero()[:, 0].numpy()
    if not bool(bad.any()) or len(good) < 2:
        return values
    curve = PchipInterpolator(good, values[~bad].double().numpy(), axis=0, extrapolate=False)
    made = values.clone()
    at = bad.nonzero()[:, 0].numpy().clip(good[0], good[-1])
    made[bad] = torch.from_numpy(curve(at)).to(values.dtype)
    return made


def _bridged_turns(turns: Tensor, bad: Tensor) -> Tensor:
    made = turns.clone()
    made[~bad] = rotation.continuous(turns[~bad])
    return rotation.normalise(_bridged(made, bad))


def _gaps(bad: Tensor, fps: float) -> dict:
    any_bad = bad.any(1)
    longest = max((end - start for column in bad.unbind(1) for start, end in runs(column)), default=0)
    return {"frames": len(bad), "repaired_frames": int(any_bad.sum()), "longest_gap": round(longest / fps, 3)}


def _smoothest(wanted: Tensor, known: Tensor) -> Tensor:
    """(t, 3) close to ``wanted`` where ``known`` (t,), of least bending, and small elsewhere.

    Minimises |x - wanted|^2 over known frames + bending |x''|^2 + restoring |x|^2: a banded linear system.
    """
    frames = known.shape[0]
    if frames < 3 or not bool(known.any()):
        return torch.where(known[:, None], wanted, torch.zeros_like(wanted))
    weight = known.double().numpy()
    bands = np.zeros((3, frames))  # upper form: second, first and main diagonal
    bands[2] = weight + _RESTORING
    for offset, value in ((0, 1.0), (1, 4.0), (2, 1.0)):  # squares of (1, -2, 1)
        bands[2, offset : frames - 2 + offset] += _BENDING * value
    bands[1, 1 : frames - 1] += _BENDING * -2.0
    bands[1, 2:frames] += _BENDING * -2.0
    bands[0, 2:frames] += _BENDING
    solved = solveh_banded(bands, weight[:, None] * wanted.double().numpy())
    return torch.from_numpy(solved).to(wanted.dtype)


def _sunk(positions: Tensor, shift: Tensor, joints: tuple[int, int]) -> Tensor:
    """(t,) how far a foot must rise so that neither heel nor toe sinks into the floor."""
    low = torch.zeros(positions.shape[0], dtype=positions.dtype)
    for joint, height in zip(joints, FOOT_HEIGHTS[:2], strict=True):
        low = torch.maximum(low, height - _SINKS - positions[:, joint, 1] - shift[:, 1])
    return low
