"""T-poses found from movement. The oracle is the orientation that every bone was given."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import FootlightError
from core.rig import calibration
from core.rig import quaternion as quat
from core.rig.skeleton import BODY, JOINTS, PARENTS, SIDES, other_side
from tests.core.motion.rigs import steps

STEPS = steps(6.0, 30.0)[0]
MOVING = STEPS.rotations.double().numpy(), STEPS.root.double().numpy()
Named = dict[str, np.ndarray]


def body(local: np.ndarray, root: np.ndarray, seed: int = 0) -> tuple[Named, Named, Named]:
    """Places (t, 3), turns (t, 4) and the T-pose (4,) of a body whose bones are turned by anything against ours.

    local: (t, 22, 4).
    root: (t, 3).
    """
    posed = quat.unit(np.random.default_rng(seed).normal(size=(len(JOINTS), 4)))
    world, at = [], []
    for joint, parent in enumerate(PARENTS):
        world.append(local[:, joint] if parent < 0 else quat.mul(world[parent], local[:, joint]))
        at.append(root if parent < 0 else at[parent] + quat.rotate(world[parent], BODY.offsets[joint]))
    turns = {name: quat.mul(world[i], posed[i]) for i, name in enumerate(JOINTS)}
    return dict(zip(JOINTS, at, strict=True)), turns, dict(zip(JOINTS, posed, strict=True))


def off(found: dict[str, np.ndarray], posed: dict[str, np.ndarray]) -> dict[str, float]:
    """Degrees by which orientations are off the ones that bones were given."""
    apart = {name: quat.mul(quat.conjugate(found[name]), turn) for name, turn in posed.items()}
    return {name: float(np.degrees(np.linalg.norm(quat.to_vector(turn)))) for name, turn in apart.items()}


@pytest.mark.parametrize("seed", range(3))
def test_bones_of_any_orientation_are_found_from_a_dance(seed):
    """The head is told less exactly: it is taken to be level on average, and this dancer's is not quite."""
    places, turns, posed = body(*MOVING, seed)
    found = off(calibration.t_pose(places, turns), posed)
    assert found.keys() == set(JOINTS)
    assert found.pop("head") < 10.0
    assert max(found.values()) < 1.0, found


def test_arms_that_never_bend_are_told_by_the_chest():
    """A straight elbow says nothing about the roll of upper arm and forearm."""
    local, root = MOVING[0].copy(), MOVING[1]
    local[:, [JOINTS.index("left_elbow"), JOINTS.index("right_elbow")]] = quat.IDENTITY
    places, turns, posed = body(local, root)
    found = off(calibration.t_pose(places, turns), posed)
    assert max(found[f"{side}_{part}"] for side in SIDES for part in ("shoulder", "elbow", "wrist")) < 1.0, found


def test_a_body_without_width_is_refused():
    places, turns, _ = body(*MOVING)
    places["left_hip"] = places["right_hip"]
    with pytest.raises(FootlightError, match="hips that have no width"):
        calibration.t_pose(places, turns)


def test_left_and_right_are_what_they_are_called():
    places, _, _ = body(*MOVING)
    assert calibration.sides_agree(places)
    assert not calibration.sides_agree({name: places[other_side(name)] for name in places}), "knees bend to the back"
    arms = {name for name in places if name.endswith(("shoulder", "elbow", "wrist"))}
    assert not calibration.sides_agree({name: places[other_side(name) if name in arms else name] for name in places})
