"""Fréchet distances and motion features against closed forms, scipy and motions whose energies are known."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from core.errors import FootlightError
from core.metrics import frechet
from core.motion import kinematics, rotation
from core.motion.kinematics import mirror
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "frechet.json").read_text())


def gaussian_rows(mean, root, count=400, seed=0):
    """Rows (count, d) whose sample mean is ``mean`` and whose sample covariance is exactly root root^T."""
    mean, root = torch.tensor(mean, dtype=torch.float64), torch.tensor(root, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, len(mean), generator=generator, dtype=torch.float64)
    white = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False).U * math.sqrt(count - 1)
    white = white - white.mean(dim=0)
    return mean + white @ root.T


def standing(frames=300, fps=60.0):
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    return Motion(rotation.identity(frames, 22), root, fps)


def wandering(seed, frames=400, fps=60.0, size=0.04):
    generator = torch.Generator().manual_seed(seed)
    angles = torch.randn(frames, 22, 3, generator=generator).cumsum(0) * size
    path = torch.randn(frames, 3, generator=generator).cumsum(0) * 0.01
    path[:, 1] = REST_HEIGHT
    return Motion(rotation.from_axis_angle(angles), path, fps)


def seen(motion):
    return kinematics.forward(motion.rotations.double(), motion.root.double())


def joint(name):
    return SMPL22.index(name)


@pytest.mark.parametrize("case", GOLDEN["gaussians"], ids=lambda c: c["why"])
def test_distance_of_known_gaussians(case):
    a, b = (gaussian_rows(side["mean"], side["root"], seed=seed) for seed, side in enumerate((case["a"], case["b"])))
    assert frechet.frechet_distance(a, b) == pytest.approx(case["distance"], abs=1e-9)


def test_distance_is_that_of_scipys_matrix_root():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(300, 12, generator=generator, dtype=torch.float64) @ torch.randn(
        12, 12, generator=generator, dtype=torch.float64
    )
    b = 1 + torch.randn(200, 12, generator=generator, dtype=torch.float64)
    cov_a, cov_b = np.cov(a.numpy().T), np.cov(b.numpy().T)
    apart = (a.mean(0) - b.mean(0)).square().sum().item()
    expected = apart + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert frechet.frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet.frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_fewer_rows_than_features_lose_no_digits():
    """Rank-deficient covariances: the same rows cost nothing, and moved ones exactly their way."""
    rows = torch.randn(9, 72, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert frechet.frechet_distance(rows, rows) == pytest.approx(0, abs=1e-10)
    assert frechet.frechet_distance(rows, rows + 0.5) == pytest.approx(72 * 0.25, abs=1e-10)
    spread = (rows - rows.mean(0)).square().sum().item() / 8
    assert frechet.frechet_distance(rows, rows.mean(0) + 3 * (rows - rows.mean(0))) == pytest.approx(4 * spread)


@pytest.mark.parametrize("fps", [60.0, 31.25])
def test_gliding_has_the_energy_of_its_speed(fps):
    """Moved evenly by (0.6, 0.25, -0.8) m/s every joint has 1 and 0.0625 (m/s)^2 and no acceleration."""
    velocity = torch.tensor([0.6, 0.25, -0.8], dtype=torch.float64)
    times = torch.arange(200, dtype=torch.float64) / fps
    path = seen(standing(1)) + (times[:, None] * velocity)[:, None]
    table = frechet.kinetic(path, fps).reshape(24, 3)
    assert torch.allclose(table[:, 0], torch.ones(24).double(), atol=1e-8)
    assert torch.allclose(table[:, 1], torch.full((24,), 0.0625).double(), atol=1e-8)
    assert torch.allclose(table[:, 2], torch.zeros(24).double(), atol=1e-5)


def test_falling_has_the_acceleration_of_gravity():
    times = torch.arange(120, dtype=torch.float64) / 60
    path = seen(standing(1)) + torch.stack((times * 0, -4.905 * times**2, times * 0), dim=-1)[:, None]
    table = frechet.kinetic(path, 60.0).reshape(24, 3)
    assert torch.allclose(table[:, 2], torch.full((24,), 9.81).double(), atol=1e-6)
    # v = -g t, averaged over five steps between frames, which leaves v at their middle
    steps = -9.81 * (times[1:] - 1 / 120)
    mean = torch.stack([steps[max(0, i - 2) : i + 3].mean() for i in range(len(steps))])
    assert torch.allclose(table[:, 1], mean.square().mean(), atol=1e-6)


def test_only_what_moves_has_energy_and_hands_continue_the_forearms():
    path = seen(standing(120))
    times = torch.arange(120, dtype=torch.float64) / 60
    path[:, joint("left_wrist"), 2] += 0.3 * times
    table = frechet.kinetic(path, 60.0).reshape(24, 3)
    moving = {joint("left_wrist"): 0.09, 22: (0.3 * 4 / 3) ** 2}
    for i in range(24):
        assert table[i, 0].item() == pytest.approx(moving.get(i, 0.0), abs=1e-9)


def test_features_do_not_depend_on_place_and_hardly_on_the_frame_rate():
    motion = wandering(0, frames=601, fps=120.0, size=0.01)
    path = seen(motion)
    moved = path + torch.tensor([5.0, 0.0, -3.0])
    assert torch.allclose(frechet.kinetic(moved, 120.0), frechet.kinetic(path, 120.0))
    assert torch.equal(frechet.geometric(moved, 120.0), frechet.geometric(path, 120.0))
    times = torch.arange(301, dtype=torch.float64)[:, None, None] / 60
    smooth = seen(standing(1)) + 0.2 * torch.sin(3 * times)
    coarse = seen(standing(1)) + 0.2 * torch.sin(3 * torch.arange(151, dtype=torch.float64)[:, None, None] / 30)
    assert torch.allclose(frechet.kinetic(smooth, 60.0), frechet.kinetic(coarse, 30.0), rtol=2e-3)


def test_relations_hold_in_poses_that_show_them():
    """The T-pose, then one pose for each relation of places and angles."""

    def pose(**turns):
        motion = standing(8)
        for name, (axis, degrees) in turns.items():
            motion.rotations[:, joint(name)] = rotation.about(axis, torch.tensor(math.radians(degrees)))
        return {name for name, held in frechet.relations(seen(motion), 60.0).items() if held.all()}

    rest = pose()
    # A flat foot's ankle lies behind the plane through the other leg's toes; the arms are spread.
    sides = {f"{s} {what}" for s in ("left", "right") for what in ("arm abducted", "foot behind other leg")}
    assert rest == sides | {"hands far apart"}
    assert "left elbow bent" in pose(left_elbow=("y", -100)) and "left elbow bent" not in pose(left_elbow=("y", -60))
    assert "right knee bent" in pose(right_knee=("x", 100)) and "right knee bent" not in pose(right_knee=("x", 60))
    assert "left hand above neck" in pose(left_shoulder=("z", 60))
    assert "left hand lowered" not in pose(left_shoulder=("z", -80))
    assert "left arm abducted" not in pose(left_shoulder=("z", -75))
    assert "right leg abducted" in pose(right_hip=("x", -60))
    assert "right foot raised" in pose(right_hip=("x", -70))
    assert "right foot behind other leg" not in pose(right_hip=("x", -20))
    assert "feet far apart" in pose(left_hip=("z", 20), right_hip=("z", -20))
    assert "spine horizontal" in pose(pelvis=("x", 85))
    assert "root behind feet" in pose(left_hip=("x", -40), right_hip=("x", -40))
    bowed = pose(pelvis=("x", 85), left_shoulder=("y", -90), right_shoulder=("y", 90))
    assert {"left hand lowered", "right hand lowered"} <= bowed
    assert "hands far apart" not in pose(left_shoulder=("z", -65), right_shoulder=("z", 65))


def test_relations_of_speed_have_their_thresholds_and_directions():
    humerus = frechet.HUMERUS
    assert humerus == pytest.approx(0.27) and pytest.approx(0.35) == frechet.SHOULDERS

    def moving(speed, *names):
        path = seen(standing(20))
        step = torch.tensor(speed, dtype=torch.float64) * torch.arange(20, dtype=torch.float64)[:, None] / 60
        for name in names:
            path[:, joint(name)] += step
        return {name for name, held in frechet.relations(path, 60.0).items() if held.all()}

    assert "left hand forwards" in moving((0, 0, 1.85 * humerus), "left_wrist")
    assert "left hand forwards" not in moving((0, 0, 1.75 * humerus), "left_wrist")
    assert "left hand forwards" not in moving((0, 0, -3 * humerus), "left_wrist")
    assert "right hand forwards" in moving((0, 0, 1.85 * humerus), "right_wrist")
    assert "right hand upwards" in moving((0, 1.85 * humerus, 0), "right_wrist")
    assert "right hand upwards" not in moving((0, 1.85 * humerus, 0), *SMPL22.names)  # the chest rises with it
    assert "left hand fast" in moving((2.6 * humerus, 0, 0), "left_wrist")
    assert "left hand away from root" in moving((1.8 * humerus, 0, 0), "left_wrist")
    assert "hands approaching" in moving((-1.45 * humerus, 0, 0), "left_wrist")
    assert "hands approaching" not in moving((1.45 * humerus, 0, 0), "left_wrist")
    assert "right foot fast" in moving((0, 0, 2.6 * humerus), "right_ankle")
    assert "root fast" in moving((2.4 * humerus, 0, 0), *SMPL22.names)
    assert "root fast" not in moving((2.2 * humerus, 0, 0), *SMPL22.names)


def test_a_mirror_exchanges_the_sides():
    motion = wandering(3)
    plain, mirrored = (frechet.relations(seen(m), 60.0) for m in (motion, mirror(motion)))
    assert len(plain) == 32 and len(frechet.geometric(seen(motion), 60.0)) == 32
    for name, held in plain.items():
        side = {"left": "right", "right": "left"}.get(name.split()[0])
        other = name if side is None else " ".join([side, *name.split()[1:]])
        assert (held == mirrored[other]).double().mean() > 0.999, name


def test_a_set_against_itself_is_zero_and_worse_sets_are_farther():
    clips = [(seen(wandering(seed)), 60.0) for seed in range(6)]
    same = frechet.evaluate(clips, clips, seconds=2.0)
    assert same["fid_k"] == pytest.approx(0, abs=1e-9) and same["fid_g"] == pytest.approx(0, abs=1e-9)
    assert same["dist_k"] == same["dist_k_real"] > 0 and same["dist_g"] == same["dist_g_real"] > 0
    assert same["fps"] == 60 and same["windows"] == same["windows_real"] == 6 * 5
    shaken = [(path + 0.01 * torch.randn_like(path), fps) for path, fps in clips]
    frozen = [(seen(standing(400)), 60.0)] * 3
    near = frechet.evaluate([(seen(wandering(seed)), 60.0) for seed in range(6, 12)], clips, 2.0)
    assert near["fid_k"] < frechet.evaluate(shaken, clips, 2.0)["fid_k"]
    still = frechet.evaluate(frozen, clips, 2.0)
    assert near["fid_k"] < still["fid_k"] and near["fid_g"] < still["fid_g"]
    assert still["dist_k"] == pytest.approx(0, abs=1e-6)


def test_short_clips_are_left_out_and_too_few_refused():
    clips = [(seen(wandering(seed)), 60.0) for seed in range(3)]
    result = frechet.evaluate([*clips, (seen(wandering(9, frames=60)), 60.0)], clips, 3.0)
    assert result["windows"] == result["windows_real"] == 9
    with pytest.raises(FootlightError, match="windows of 5 s"):
        frechet.evaluate([(seen(wandering(9, frames=60)), 60.0)], clips)
    with pytest.raises(FootlightError, match="too few"):
        frechet.kinetic(seen(standing(3)), 60.0)
    with pytest.raises(FootlightError, match="22"):
        frechet.kinetic(torch.zeros(100, 14, 3), 60.0)
    with pytest.raises(FootlightError, match="one width"):
        frechet.frechet_distance(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(FootlightError, match="finite"):
        frechet.frechet_distance(torch.full((5, 3), math.nan), torch.zeros(5, 3))
