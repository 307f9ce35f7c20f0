"""Captures whose zero pose is no T-pose. The oracle is where the joints are, which no zero pose changes."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.errors import FootlightError, FootlightWarning
from core.formats import bvh
from core.formats.motion import MotionClip, read_motion
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22, Skeleton
from tests.core.motion import disguise
from tests.core.motion.rigs import RIGS, Y_TO_Z, Foreign, a_pose, bvh_text, dance

LIMBS = (("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("shoulder", "elbow"), ("elbow", "wrist"))
ZERO_POSES = {
    "along x": disguise.along,
    "along -y": lambda skeleton: disguise.along(skeleton, (0.0, -1.0, 0.0)),
    "along z": lambda skeleton: disguise.along(skeleton, (0.0, 0.0, 1.0)),
    "any which way": disguise.any_which_way,
    "askew": lambda skeleton: disguise.askew(skeleton, 15.0),
}

pytestmark = pytest.mark.filterwarnings("ignore::core.errors.FootlightWarning")


def told(folder: Path, foreign: Foreign, seconds: float = 3.0) -> tuple[Skeleton, bvh.BvhMotion]:
    """Our dance as a file of a foreign rig whose zero pose stands."""
    ours, path = dance(seconds), folder / "told.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, foreign))
    return bvh.read(path)


def save(path: Path, skeleton: Skeleton, motion: bvh.BvhMotion, turns: Tensor) -> Path:
    path.write_text(disguise.text(*disguise.rezeroed(skeleton, motion, turns)))
    return path


def places(skeleton: Skeleton, motion: bvh.BvhMotion, names: dict[str, str]) -> dict[str, Tensor]:
    """Where the joints truly are, by our names."""
    at = kinematics.forward(motion.rotations, motion.root, skeleton)
    return {joint: at[:, skeleton.index(name)] for joint, name in names.items()}


def of_clip(clip: MotionClip) -> dict[str, Tensor]:
    return dict(zip(SMPL22.names, clip.positions.unbind(1), strict=True))


def off(found: dict[str, Tensor], true: dict[str, Tensor]) -> dict[str, float]:
    """Largest angles in degrees between the limbs, trunks and sides of two bodies."""

    def vectors(at: dict[str, Tensor]) -> dict[str, Tensor]:
        hips, shoulders = ((at[f"left_{part}"] + at[f"right_{part}"]) / 2 for part in ("hip", "shoulder"))
        made = {f"{side} {b}": at[f"{side}_{b}"] - at[f"{side}_{a}"] for side in ("left", "right") for a, b in LIMBS}
        made |= {"trunk": shoulders - hips, "head": at["head"] - at["neck"]}
        return made | {part: at[f"left_{part}"] - at[f"right_{part}"] for part in ("hip", "shoulder")}

    one, other = vectors(found), vectors(true)
    cosines = {name: torch.cosine_similarity(one[name], other[name], dim=-1) for name in one}
    return {name: math.degrees(math.acos(min(1.0, float(cosine.min())))) for name, cosine in cosines.items()}


@pytest.mark.parametrize("zero", ZERO_POSES.values(), ids=ZERO_POSES.keys())
@pytest.mark.parametrize("rig", ["mixamo", "smpl", "unreal"])
def test_limbs_are_where_the_joints_are_whatever_zero_is(zero, rig, tmp_path):
    skeleton, motion = told(tmp_path, Foreign(RIGS[rig], rest=a_pose() if rig == "unreal" else None))
    path = save(tmp_path / "odd.bvh", skeleton, motion, zero(skeleton))
    worst = off(of_clip(read_motion(path)), places(skeleton, motion, RIGS[rig]))
    assert max(worst.values()) < 5.0, worst


def test_zero_poses_do_not_matter_at_all(tmp_path):
    """Whatever zero is, the same body is read."""
    skeleton, motion = told(tmp_path, Foreign(RIGS["mixamo"]))
    one, other = (
        read_motion(save(tmp_path / f"{seed}.bvh", skeleton, motion, disguise.any_which_way(skeleton, seed))).motion
        for seed in (1, 2)
    )
    assert one is not None and other is not None
    assert rotation.angle(one.rotations, other.rotations).max() < 0.01
    torch.testing.assert_close(one.root, other.root, atol=1e-3, rtol=0)


def test_z_up(tmp_path):
    skeleton, motion = told(tmp_path, Foreign(RIGS["mixamo"]))
    turned = disguise.turned(motion, Y_TO_Z)
    path = save(tmp_path / "odd.bvh", skeleton, turned, disguise.any_which_way(skeleton))
    worst = off(of_clip(read_motion(path)), places(skeleton, motion, RIGS["mixamo"]))
    assert max(worst.values()) < 5.0, worst


def test_rolls_are_those_that_a_t_pose_would_have_told(tmp_path):
    """Of trunk, thighs and feet; hands, head and forearms only on average over the motion."""
    skeleton, motion = told(tmp_path, Foreign(RIGS["mixamo"]))
    known, found = (
        read_motion(path).motion
        for path in (tmp_path / "told.bvh", save(tmp_path / "odd.bvh", skeleton, motion, disguise.along(skeleton)))
    )
    assert known is not None and found is not None
    one, other = (kinematics.forward_global(m.rotations, m.root)[0] for m in (known, found))
    angle = rotation.angle(one, other).rad2deg().mean(0)
    firm = ("pelvis", "spine1", "spine2", "spine3", "hip", "knee", "ankle", "collar", "shoulder")
    assert max(float(angle[j]) for j, name in enumerate(SMPL22.names) if name.split("_")[-1] in firm) < 5.0
    assert float(angle.max()) < 30.0


def with_a_t_pose(skeleton: Skeleton, motion: bvh.BvhMotion, bow: float = 0.0) -> bvh.BvhMotion:
    """A first frame in the T-pose, the head bowed by radians."""
    still = rotation.identity(1, skeleton.joints)
    still[:, skeleton.index(RIGS["mixamo"]["head"])] = rotation.about("x", torch.tensor(bow))
    return replace(
        motion, rotations=torch.cat((still, motion.rotations)), root=torch.cat((motion.root[:1], motion.root))
    )


def test_a_first_frame_in_a_t_pose_is_taken_for_it(tmp_path):
    """It tells what movement alone cannot: how a head is turned that always looks down."""
    skeleton, motion = told(tmp_path, Foreign(RIGS["mixamo"]))
    bowed = motion.rotations.clone()
    head = skeleton.index(RIGS["mixamo"]["head"])
    bowed[:, head] = rotation.mul(bowed[:, head], rotation.about("x", torch.tensor(0.5)))
    motion = replace(motion, rotations=bowed)
    plain = tmp_path / "plain.bvh"
    plain.write_text(disguise.text(skeleton, motion))
    odd = save(tmp_path / "odd.bvh", skeleton, with_a_t_pose(skeleton, motion), disguise.along(skeleton))
    known, found = read_motion(plain).motion, read_motion(odd).motion
    assert known is not None and found is not None
    assert rotation.angle(found.rotations[1:], known.rotations).rad2deg().max() < 1.0


def test_the_rest_pose_can_be_chosen(tmp_path):
    skeleton, motion = told(tmp_path, Foreign(RIGS["mixamo"]))
    true = places(skeleton, motion, RIGS["mixamo"])
    odd = disguise.any_which_way(skeleton)
    path = save(tmp_path / "odd.bvh", skeleton, motion, odd)
    with pytest.raises(FootlightError, match=r"odd\.bvh: the .* of the body that was read is \d+ degrees from where"):
        read_motion(path, rest="zero")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FootlightWarning)
        assert max(off(of_clip(read_motion(path, rest="motion")), true).values()) < 5.0
        pose = save(tmp_path / "t.bvh", skeleton, with_a_t_pose(skeleton, motion), odd)
        assert max(off(of_clip(read_motion(path, rest=str(pose))), true).values()) < 5.0
        first = {joint: at[1:] for joint, at in of_clip(read_motion(pose, rest="first-frame")).items()}
        assert max(off(first, true).values()) < 5.0
    with pytest.raises(FootlightError, match=r"t\.bvh: its skeleton is not that of .*told\.bvh"):
        read_motion(tmp_path / "told.bvh", rest=str(pose))
    with pytest.warns(FootlightWarning, match=r"odd\.bvh: its zero rotations are no T-pose"):
        read_motion(path)


def exchanged(names: dict[str, str], parts: tuple[str, ...]) -> dict[str, str]:
    """Joint names with left and right exchanged in some parts."""
    other = {"left": "right", "right": "left"}
    return {
        joint: names[f"{other[joint.split('_')[0]]}_{joint.split('_')[1]}"] if joint.endswith(parts) else name
        for joint, name in names.items()
    }


def test_what_is_no_body_is_refused_in_one_line(tmp_path):
    arms = exchanged(RIGS["smpl"], ("collar", "shoulder", "elbow", "wrist"))
    told(tmp_path, Foreign(arms))
    with pytest.raises(FootlightError, match=r"the left shoulder is on the side of the right hip"):
        read_motion(tmp_path / "told.bvh")


def test_sides_that_are_exchanged_in_all_names_go_by_the_feet(tmp_path):
    """Names may mean the viewer's left."""
    sides = tuple(joint.split("_")[1] for joint in SMPL22.names if joint.startswith("left"))
    names = exchanged(RIGS["smpl"], sides)
    skeleton, motion = told(tmp_path, Foreign(names))
    assert max(off(of_clip(read_motion(tmp_path / "told.bvh")), places(skeleton, motion, names)).values()) < 5.0


def test_a_folded_body_is_refused(tmp_path):
    """As rotations, of which nothing else is known."""
    ours = dance(2.0)
    rotations = ours.rotations.clone()
    rotations[:, 0] = rotation.mul(rotations[:, 0], rotation.about("x", torch.tensor(math.pi)))
    for hip in (1, 2):
        rotations[:, hip] = rotation.about("x", torch.tensor(-math.pi))
    path = tmp_path / "folded.npz"
    np.savez(path, rotations=rotations.numpy(), root=ours.root.numpy(), fps=ours.fps)
    with pytest.raises(FootlightError, match=r"folded\.npz: the body is folded, its head hangs by its knees"):
        read_motion(path)


def test_a_body_that_sits_or_bows_is_none(tmp_path):
    ours = dance(2.0)
    for name, hips, pelvis in (("sits", -1.5, 0.0), ("bows", -1.4, 1.4)):
        rotations = ours.rotations.clone()
        rotations[:, 0] = rotation.mul(rotations[:, 0], rotation.about("x", torch.tensor(pelvis)))
        for hip in (1, 2):
            rotations[:, hip] = rotation.about("x", torch.tensor(hips))
        np.savez(tmp_path / f"{name}.npz", rotations=rotations.numpy(), root=ours.root.numpy(), fps=ours.fps)
        read_motion(tmp_path / f"{name}.npz")
