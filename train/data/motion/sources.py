"""Any motion file of a data set, or any humanoid BVH, as a clean motion of ``SMPL22`` at the rate of the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import FootlightError, warn
from core.formats import array_files, bvh, foreign, published, smpl
from core.formats.motion import is_own, read_motion
from core.motion import fit, rotation
from core.motion.resample import resample
from core.rig import rest
from core.types import Motion
from train.data.motion import clean, flight, g1
from train.data.rates import MOTION_FPS

PINNED = "reconstructed from feet"
"""The ``root`` of an entry whose path was rebuilt by holding the lower foot on the floor."""


@dataclass(frozen=True)
class Source:
    """A loaded file.

    motion: SMPL22 at ``MOTION_FPS`` with contacts, the floor at y = 0.
    report: what was done to it. Its ``dropped`` is the reason not to use the motion, or None.
    """

    motion: Motion
    report: dict


def load(path: str | Path, entry: dict | None = None) -> Source:
    """Load one file onto our skeleton.

    entry: its line of ``index.jsonl``. ``fps`` (of files that do not say theirs), ``rest`` (of a BVH file),
        ``glitch_frames``, ``up`` and ``root`` are read where they are given.

    Raises FootlightError for files that cannot be read or are no humanoid.
    """
    path, entry = Path(path), entry or {}
    kind = path.suffix.lower()
    if kind == ".npz" and is_own(path):
        motion, report = _load_own(path, entry)
    else:
        by_kind = {".csv": _load_g1} | dict.fromkeys(array_files.SUFFIXES, _load_published)
        captured, report = by_kind.get(kind, _load_bvh)(path, entry)
        motion, scale = fit.fit(captured)
        report |= {"scale": scale, "error_cm": fit.errors(captured, motion, scale)}
    motion = resample(clean.smoothed(motion), MOTION_FPS)
    if entry.get("root") == PINNED:
        motion, report["flights"] = flight.restored(motion)
    motion, more = clean.grounded(motion)
    report |= more
    report["dropped"] = clean.reason_to_drop(motion, report)
    return Source(motion, report)


def _load_bvh(path: Path, entry: dict) -> tuple[fit.Capture, dict]:
    skeleton, motion = bvh.read(path, entry.get("fps"))
    if motion.frames < 2:
        raise FootlightError(f"{path}: {motion.frames} frame; expected a motion of at least one second")
    _warn_of_held(path, motion)
    body = foreign.body_of(path, skeleton, motion, entry.get("rest"))
    marked = entry.get("glitch_frames", ())
    local, root, repaired = clean.repair(motion.rotations, motion.root, motion.fps, marked, body.unit, body.used)
    body = replace(body, motion=replace(motion, rotations=local, root=root))
    up = {"X": 0, "Y": 1, "Z": 2}.get(entry.get("up", ""))
    return foreign.capture(body, up), {"rule": body.match.rule, **repaired}


def _warn_of_held(path: Path, motion: Motion) -> None:
    found = clean.held(motion.rotations, motion.root, motion.fps)
    if found:
        first, last = max(found, key=lambda one: one[1] - one[0])
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        warn(
            f"{path}: nothing moves at all from frame {first - 1} to {last - 1}{more}, as where a recorder lost the "
            "body; a model learns to stand so still: cut the capture there"
        )


def _load_published(path: Path, entry: dict) -> tuple[fit.Capture, dict]:
    """A file of AMASS, AIST++ and their like. Places of joints alone are not repaired."""
    found = published.read(path, entry.get("fps"))
    if isinstance(found, published.Places):
        return foreign.capture_of_positions(found.positions, found.fps), {"rule": "joints", **clean.UNTOUCHED}
    _warn_of_held(path, found)
    marked = entry.get("glitch_frames", ())
    local, root, repaired = clean.repair(found.rotations, found.root, found.fps, marked)
    return smpl.capture(replace(found, rotations=local, root=root)), {"rule": "smpl", **repaired}


def _load_own(path: Path, entry: dict) -> tuple[Motion, dict]:
    """A dance of ours. Its rotations are kept, so there are no foreign joints to measure errors against."""
    motion = read_motion(path, entry.get("fps")).motion
    if motion is None:
        raise FootlightError(f"{path}: holds a flat body; expected a motion in space")
    local, root, repaired = clean.repair(motion.rotations, motion.root, motion.fps, entry.get("glitch_frames", ()))
    motion = Motion(rotation.continuous(local).float(), root.float(), motion.fps)
    return motion, {"rule": "own", "scale": 1.0, "error_cm": {}, **repaired}


def _load_g1(path: Path, entry: dict) -> tuple[fit.Capture, dict]:
    robot = g1.read_robot(path.with_name("g1.xml"))
    base, base_turns, angles = g1.read_motion(path)
    marked = entry.get("glitch_frames", ())
    base_turns, base, repaired = clean.repair(base_turns[:, None], base, g1.FPS, marked)
    angles, more = clean.repair_hinges(angles, g1.FPS, marked)
    places_at, turns_at, spine = g1.joints(robot)
    turns, places = g1.forward(robot, base, base_turns[:, 0], g1.upright(robot, angles))
    joints = rest.Joints(places_at, turns_at, spine)
    t_pose = rest.Pose(*(values.numpy() for values in g1.t_pose(robot)))
    captured = fit.capture(joints, turns, places, t_pose, g1.FPS, up=2)
    repaired = {key: max(value, more[key]) for key, value in repaired.items()}
    return captured, {"rule": "g1", **repaired}
