"""Repairs captured motion: frames where tracking failed, noise, the floor, and planted feet that slide.

A frame is bad when a joint turns, or the root moves, with an acceleration that no body has. Bad frames are
interpolated. A clip is dropped when some joint needs that for more than ``MOST_REPAIRED`` of the frames or for longer
than ``LONGEST_GAP``, or when the clip is shorter than ``SHORTEST``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import torch
from scipy.interpolate import PchipInterpolator
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

from core.motion import contact, kinematics, rotation
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS, LEFT_LEG, RIGHT_LEG, SMPL22
from core.postprocess.banded import smoothest
from core.postprocess.hold import runs
from core.types import Motion

# The three limits say how far a frame may lie from half way between its neighbours, at 60 frames a second.
TURN_LIMIT = 0.3  # radians, of a joint's rotation: an angular acceleration of 2200 rad/s^2
HINGE_LIMIT = 0.2  # radians, of a robot's hinge
ROOT_LIMIT = 0.03  # metres, of the pelvis: 22 g
_JOIN = 0.17  # seconds; failures of one joint that are no farther apart count as one
CUTOFF = 10.0  # Hz; fast movements keep their shape below, capture noise lies above
MOST_REPAIRED = 0.1  # of a clip's frames
LONGEST_GAP = 0.75  # seconds
SHORTEST = 2.0  # seconds
SHORTEST_HELD = 0.3  # seconds of equal frames; tracked joints tremble, and never stand so still
UNTOUCHED = {"repaired_frames": 0, "repaired_share": 0.0, "longest_gap": 0.0}
"""The report of ``repair`` for a motion without bad frames."""

# The smoothness of the correction that holds planted feet. In contact it follows within a frame. Between contacts it
# dies away over about a fifth of a second.
_BENDING = 0.2
_RESTORING = 2e-4
_SINKS = 0.01  # metres that a foot may sink: soles are soft
_CREEPS = 0.06  # metres that a standing foot may be away from its place
_COCKED = 0.5  # radians of an ankle that is drawn up
_SOFT = 0.004  # metres that a leg stays short of straight
_MOST_LOWERED = 0.06  # metres that the pelvis may sink for the feet


def repair(
    local: Tensor,
    root: Tensor,
    fps: float,
    marked: Iterable[int] = (),
    unit: float = 1.0,
    joints: Iterable[int] | None = None,
) -> tuple[Tensor, Tensor, dict]:
    """Interpolate the frames where a joint's rotation or the root jumps.

    local: (t, j, 4) local rotations.
    root: (t, 3).
    marked: frames known to be bad. There half the usual jump counts.
    unit: metres for one unit of ``root``.
    joints: those that matter, since fingers and toes are noisy. None takes all.

    Returns rotations, root, and a report of ``repaired_frames`` (of the worst joint), ``repaired_share`` and
    ``longest_gap`` (seconds).
    """
    looser = _looser(local.shape[0], fps, marked)
    middle = rotation.slerp(local[:-2], local[2:], 0.5)
    turn = _padded(rotation.angle(local[1:-1], middle))
    shift = _padded((root[1:-1] - (root[:-2] + root[2:]) / 2).norm(dim=-1)[:, None]) * unit
    bad = _joined(turn > TURN_LIMIT * looser[:, None], fps)
    bad_root = _joined(shift > ROOT_LIMIT * looser[:, None], fps)[:, 0]
    if joints is not None:
        kept = torch.zeros(local.shape[1], dtype=torch.bool)
        kept[list(joints)] = True
        bad &= kept
    # a root that jumps takes its rotation along
    bad[:, 0] |= bad_root
    made = local.clone()
    for joint in bad.any(0).nonzero()[:, 0].tolist():
        made[:, joint] = _bridged_turns(local[:, joint], bad[:, joint])
    return made, _bridged(root, bad_root), _gaps(bad, fps)


def held(local: Tensor, root: Tensor, fps: float) -> list[tuple[int, int]]:
    """The stretches of frames [first, last) that repeat the one before them to the last digit for ``SHORTEST_HELD``
    or longer, as captures do where frames were lost. A capture of nothing else has none.

    local: (t, j, 4) local rotations.
    root: (t, 3).
    """
    still = torch.zeros(len(root), dtype=torch.bool)
    still[1:] = (local[1:] == local[:-1]).flatten(1).all(1) & (root[1:] == root[:-1]).all(1)
    if bool(still[1:].all()):
        return []
    return [(first, last) for first, last in runs(still) if last - first >= SHORTEST_HELD * fps]


def repair_hinges(angles: Tensor, fps: float, marked: Iterable[int] = ()) -> tuple[Tensor, dict]:
    """Interpolate the frames where hinge angles (t, n) jump. See ``repair``."""
    looser = _looser(angles.shape[0], fps, marked)
    turn = _padded((angles[1:-1] - (angles[:-2] + angles[2:]) / 2).abs())
    bad = _joined(turn > HINGE_LIMIT * looser[:, None], fps)
    made = angles.clone()
    for hinge in bad.any(0).nonzero()[:, 0].tolist():
        made[:, hinge] = _bridged(angles[:, hinge : hinge + 1], bad[:, hinge])[:, 0]
    return made, _gaps(bad, fps)


def smoothed(motion: Motion, cutoff: float = CUTOFF) -> Motion:
    """The motion without what lies above ``cutoff`` Hz, with no delay (fourth-order Butterworth, forwards and
    backwards).
    """
    if motion.frames < 16 or cutoff >= 0.45 * motion.fps:
        return motion
    filter_ = butter(2, cutoff, fs=motion.fps, output="sos")

    def low(values: Tensor) -> Tensor:
        return torch.from_numpy(sosfiltfilt(filter_, values.double().numpy(), axis=0).copy()).to(values.dtype)

    rotations = rotation.normalise(low(rotation.continuous(motion.rotations)))
    return replace(motion, rotations=rotations, root=low(motion.root))


def grounded(motion: Motion) -> tuple[Motion, dict]:
    """Put the floor at y = 0, label contacts and hold planted feet where they stand.

    Returns the motion and a report: ``floor`` is the height that was found in metres, ``skate`` the value before and
    after.
    """
    height = contact.floor_height(_positions(motion), motion.fps)
    motion = replace(motion, root=motion.root - height * motion.root.new_tensor((0.0, 1.0, 0.0)))
    before = skate(motion)
    motion = planted(motion)
    return motion, {"floor": round(float(height), 4), "skate": [round(before, 4), round(skate(motion), 4)]}


def planted(motion: Motion) -> Motion:
    """Hold every foot still while it stands, and label contacts again.

    A standing toe is held at one place on the floor, the median of its positions. So is a heel when its toe does not
    stand. A foot that stands on both keeps its direction. One that stands on its heel with the ankle bent too far is
    laid flat. A foot that creeps is cut into shorter stretches.

    The correction is the smoothest in time that does all this. Where a straight leg is too short for it the pelvis
    sinks, and the legs follow by inverse kinematics.
    """
    positions = _positions(motion)
    contacts = contact.label(positions, motion.fps) > 0.5
    turns, targets = [], []
    for side, chain in enumerate((LEFT_LEG, RIGHT_LEG)):
        heel, toe = positions[:, chain[2]], positions[:, FOOT_JOINTS[2 * side + 1]]
        on_heel, on_toe = contacts[:, 2 * side], contacts[:, 2 * side + 1]
        wanted, known = torch.zeros_like(heel), torch.zeros_like(on_heel)
        for point, stands, height in ((heel, on_heel, FOOT_HEIGHTS[0]), (toe, on_toe, FOOT_HEIGHTS[1])):
            held = _held(point, stands, height)
            wanted, known = torch.where(stands[:, None], held[0], wanted), torch.where(stands, held[1], known)
        sole = toe - heel
        wanted_sole, known_sole = _held(sole, on_heel & on_toe, None)
        cocked = _cocked(motion.rotations[:, chain[2]], on_heel & ~on_toe, motion.fps)
        laid = torch.where(cocked[:, None], _flat(sole) - sole, 0.0)
        wanted, wanted_sole = wanted + laid, torch.where(cocked[:, None], laid, wanted_sole)  # the heel stays
        turned = sole + _smoothest(wanted_sole, known_sole | cocked)
        turns.append(rotation.between(sole, turned))
        toe = toe + _smoothest(wanted, known)
        heel = toe - turned * (sole.norm(dim=-1, keepdim=True) / turned.norm(dim=-1, keepdim=True))
        sunk = torch.maximum(FOOT_HEIGHTS[1] - toe[:, 1], FOOT_HEIGHTS[0] - heel[:, 1]) - _SINKS
        heel[:, 1] += sunk.clamp_min(0)
        targets.append(heel)
    root = _lowered(motion, positions, targets)
    world, _ = kinematics.forward_global(motion.rotations, root)
    world = list(world.unbind(1))
    for side, chain in enumerate((LEFT_LEG, RIGHT_LEG)):
        for joint in (chain[2], FOOT_JOINTS[2 * side + 1]):
            world[joint] = rotation.mul(turns[side], world[joint])
    rotations = kinematics.local_rotations(torch.stack(world, 1))
    for target, chain in zip(targets, (LEFT_LEG, RIGHT_LEG), strict=True):
        rotations = kinematics.two_bone_ik(rotations, root, target, chain, softness=_SOFT)
    motion = replace(motion, rotations=rotation.continuous(rotations), root=root)
    return replace(motion, contacts=contact.label(_positions(motion), motion.fps))


def _cocked(ankle: Tensor, on_heel: Tensor, fps: float) -> Tensor:
    """Where (t,) a foot stands on its heel for a while with the toes drawn up farther than an ankle bends.

    A heel that is dug into the floor ahead of the body does not count, because its shin slopes.

    ankle: (t, 4) local rotation.
    on_heel: (t,) where the foot stands on its heel alone.
    """
    ahead = rotation.rotate(ankle, ankle.new_tensor((0.0, 0.0, 1.0)).expand(*ankle.shape[:-1], 3))
    bent = torch.atan2(ahead[:, 1], ahead[:, 2].clamp_min(1e-6))
    cocked = torch.zeros_like(on_heel)
    for start, end in runs(on_heel & (bent > _COCKED)):
        cocked[start:end] = end - start >= 0.25 * fps
    return cocked


def _flat(sole: Tensor) -> Tensor:
    """Vectors from heel to toe (t, 3), laid flat. They keep their heading."""
    heading = sole * sole.new_tensor((1.0, 0.0, 1.0))
    heading = heading / heading.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    height = FOOT_HEIGHTS[1] - FOOT_HEIGHTS[0]
    length = (sole.norm(dim=-1, keepdim=True) ** 2 - height**2).clamp_min(1e-6).sqrt()
    return heading * length + sole.new_tensor((0.0, height, 0.0))


def _held(points: Tensor, stands: Tensor, height: float | None) -> tuple[Tensor, Tensor]:
    """The corrections that hold points (t, 3) in one place while they stand, and where those apply.

    stands: (t,) bool. A stretch that creeps is cut in two.
    height: of the place, or None for the stretch's own.

    Returns (t, 3) and (t,).
    """
    wanted, known = torch.zeros_like(points), torch.zeros_like(stands)
    todo = runs(stands)
    while todo:
        start, end = todo.pop()
        stretch = points[start:end]
        spot = stretch.median(0).values
        if end - start >= 4 and float((stretch - spot)[:, (0, 2)].norm(dim=-1).max()) > _CREEPS:
            middle = (start + end) // 2
            todo += [(start, middle), (middle, end)]
            continue
        if height is not None:
            spot[1] = height
        wanted[start:end], known[start:end] = spot - stretch, True
    return wanted, known


def _lowered(motion: Motion, positions: Tensor, targets: list[Tensor]) -> Tensor:
    """The root (t, 3), lower wherever a planted foot would be out of its leg's reach."""
    lack = torch.zeros(motion.frames)
    for target, (hip, knee, ankle) in zip(targets, (LEFT_LEG, RIGHT_LEG), strict=True):
        leg = float(SMPL22.offsets[knee].norm() + SMPL22.offsets[ankle].norm())
        gap = target - positions[:, hip]
        reach = (leg - _SOFT) ** 2 - gap[:, 0] ** 2 - gap[:, 2] ** 2
        lack = torch.maximum(lack, torch.where(reach > 0, -gap[:, 1] - reach.clamp_min(0).sqrt(), lack))
    lack = lack.clamp(0, _MOST_LOWERED)
    wide = 2 * round(0.1 * motion.fps) + 1
    reached = torch.nn.functional.max_pool1d(lack[None], wide, 1, wide // 2)
    padded = torch.nn.functional.pad(reached, (wide // 2, wide // 2), mode="replicate")
    window = torch.hann_window(wide + 2, periodic=False)[1:-1]
    lack = torch.nn.functional.conv1d(padded[None], (window / window.sum())[None, None])[0, 0]
    return motion.root - lack[:, None] * motion.root.new_tensor((0.0, 1.0, 0.0))


def skate(motion: Motion) -> float:
    """The share of frames in which a toe moves faster than 0.2 m/s while it stays below 5 cm."""
    toes = _positions(motion)[:, (FOOT_JOINTS[1], FOOT_JOINTS[3])]
    speed = (toes[1:] - toes[:-1]).norm(dim=-1) * motion.fps
    low = (toes[1:, :, 1] < 0.05) & (toes[:-1, :, 1] < 0.05)
    return float((low & (speed > 0.2)).sum() / low.sum().clamp_min(1))


def reason_to_drop(motion: Motion, report: dict) -> str | None:
    """Why a loaded clip should not be used, or None when it can be."""
    share = report["repaired_share"]
    if motion.seconds < SHORTEST:
        return f"{motion.seconds:.1f} s long, at least {SHORTEST:g} s are needed"
    if share > MOST_REPAIRED:
        return f"{share:.1%} of the frames had to be repaired, at most {MOST_REPAIRED:.0%} may"
    if report["longest_gap"] > LONGEST_GAP:
        return f"a gap of {report['longest_gap']:.2f} s, at most {LONGEST_GAP:g} s can be bridged"
    if not bool(torch.isfinite(motion.root).all() and torch.isfinite(motion.rotations).all()):
        return "values that are not finite"
    return None


def _positions(motion: Motion) -> Tensor:
    return kinematics.forward(motion.rotations, motion.root)


def _looser(frames: int, fps: float, marked: Iterable[int]) -> Tensor:
    """Factors (t,) of the limits. A slower camera sees larger steps. Marked frames need only half."""
    factor = torch.full((frames,), max(1.0, 60.0 / fps), dtype=torch.float64)
    near = torch.tensor([f + d for f in marked for d in (-1, 0, 1, 2)], dtype=torch.long)
    factor[near[(near >= 0) & (near < frames)]] *= 0.5
    return factor


def _padded(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values, (0, 0, 1, 1))


def _joined(bad: Tensor, fps: float) -> Tensor:
    """A mask (t, n) whose gaps of up to ``_JOIN`` seconds are filled."""
    width = int(_JOIN * fps)
    made = bad.clone()
    for column in bad.any(0).nonzero()[:, 0].tolist():
        ends = runs(bad[:, column])
        for (_, a), (b, _) in pairwise(ends):
            if b - a <= width:
                made[a:b, column] = True
    return made


def _bridged(values: Tensor, bad: Tensor) -> Tensor:
    """Values (t, c) with bad frames replaced by a monotone cubic through the good ones."""
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
    worst = int(bad.sum(0).max())
    longest = max((end - start for column in bad.unbind(1) for start, end in runs(column)), default=0)
    share = round(worst / len(bad), 4)
    return {"repaired_frames": worst, "repaired_share": share, "longest_gap": round(longest / fps, 3)}


def _smoothest(wanted: Tensor, known: Tensor) -> Tensor:
    """The correction (t, 3) that is close to ``wanted`` where ``known`` (t,), bends least, and is small elsewhere.

    It minimises |x - wanted|^2 over known frames + bending |x''|^2 + restoring |x|^2.
    """
    if known.shape[0] < 3 or not bool(known.any()):
        return torch.where(known[:, None], wanted, torch.zeros_like(wanted))
    held = torch.where(known[:, None], wanted, torch.zeros_like(wanted)).double()
    return smoothest(held, known.double() / _RESTORING, (_BENDING / _RESTORING) ** 0.25).to(wanted.dtype)
