"""Captures at any rate: the same movement, at a rate that the rest of the program knows, without aliases."""

import numpy as np
import pytest
import torch
from scipy.signal import freqz

from core.errors import FootlightError
from core.formats import bvh
from core.formats.capture_rate import divisor, slowed
from core.formats.dance import motion_arrays
from core.formats.motion import read_motion
from core.motion import kinematics, rotation
from core.motion.resample import decimate, resample
from core.motion.skeleton import SMPL22
from core.rhythm.accents import kinematic_beats
from core.types import Motion
from tests.core.formats.test_bvh import FOREIGN
from tests.core.motion.rigs import RIGS, Foreign, bvh_text, dance
from train.data.motion import sources

KEPT = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 50.0, 60000 / 1001, 90.0, 100.0, 120000 / 1001, 144.0, 200.0, 240.0)
SLOWED = {
    241.0: 120.5,
    250.0: 125.0,
    300.0: 100.0,
    360.0: 120.0,
    400.0: 100.0,
    480.0: 120.0,
    500.0: 125.0,
    1000.0: 125.0,
}


def written(tmp_path, motion: Motion, kind: str):
    """The motion as another rig's BVH, our BVH, our NPZ, or an NPZ of positions."""
    path = tmp_path / f"take.{'bvh' if 'bvh' in kind else 'npz'}"
    if kind == "another's bvh":
        path.write_text(bvh_text(motion.rotations, motion.root, motion.fps, Foreign(RIGS["mixamo"])))
    elif kind == "our bvh":
        bvh.write(path, motion, motion.fps)
    elif kind == "npz":
        np.savez(path, **motion_arrays(motion))
    else:
        np.savez(path, positions=kinematics.forward(motion.rotations, motion.root), fps=motion.fps)
    return path


@pytest.mark.parametrize("kind", ["another's bvh", "our bvh", "npz", "positions"])
@pytest.mark.parametrize("fps", [250.0, 360.0, 500.0, 1000.0])
def test_fast_captures_are_the_same_movement(fps, kind, tmp_path):
    found = read_motion(written(tmp_path, dance(2.0, fps), kind))
    assert found.fps == SLOWED[fps] and found.seconds == pytest.approx(2.0, abs=1 / found.fps)
    exact = dance(2.0, found.fps)
    known = kinematics.forward(exact.rotations, exact.root)[: found.frames]
    assert (found.positions - known)[5:-5].norm(dim=-1).max() < (
        0.01 if kind in ("another's bvh", "positions") else 1e-3
    )


@pytest.mark.parametrize("fps", KEPT)
def test_usual_rates_stay_as_they_are(fps, tmp_path):
    motion = dance(1.5, 240.0)
    motion = resample(motion, fps)
    found = read_motion(written(tmp_path, motion, "our bvh"))
    assert found.fps == pytest.approx(fps, rel=1e-9) and found.frames == motion.frames


@pytest.mark.parametrize(("fps", "result"), SLOWED.items())
def test_rates_after_decimation(fps, result):
    assert fps / divisor(fps) == result


def test_noise_between_the_frames_is_filtered_out_and_no_alias_is_left(tmp_path):
    """Mains hum of 118 Hz in a capture at 480 Hz would come back as a sway of 2 Hz at every fourth frame."""
    motion = dance(2.0, 480.0)
    hum = 0.01 * torch.sin(2 * torch.pi * 118 * torch.arange(960) / 480)
    shaken = Motion(motion.rotations, motion.root + hum[:, None], 480.0)
    for kind in ("another's bvh", "npz", "positions"):
        clean, found = (read_motion(written(tmp_path, m, kind)) for m in (motion, shaken))
        inner = slice(20, -20)
        assert (found.positions - clean.positions)[inner].norm(dim=-1).max() < 5e-4
        assert (shaken.root - motion.root)[::4][inner].norm(dim=-1).max() > 0.01


def test_beats_do_not_depend_on_the_rate(tmp_path):
    times = [
        kinematic_beats(found.positions, found.fps).times
        for fps in (60.0, 500.0)
        for found in [read_motion(written(tmp_path, dance(6.0, fps), "another's bvh"))]
    ]
    assert len(times[0]) == len(times[1]) and (times[0] - times[1]).abs().max() < 0.02


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_the_filter_passes_movement_and_stops_what_would_alias(factor):
    impulse = torch.zeros(60 * factor + 1)
    impulse[30 * factor] = 1.0
    taps = np.stack([decimate(impulse.roll(shift), factor)[30].numpy() for shift in range(-29 * factor, 29 * factor)])
    rates, gain = freqz(taps, worN=4000, fs=factor)  # the new rate is 1
    assert np.abs(np.abs(gain[rates < 0.3]) - 1).max() < 2e-3
    assert np.abs(gain[rates > 0.5]).max() < 2e-3


def test_ramps_and_ends_are_kept():
    ramp = torch.linspace(-1, 3, 97)[:, None].double()
    torch.testing.assert_close(decimate(ramp, 4), ramp[::4])


def test_bones_that_change_length_are_decimated_too(tmp_path):
    head = FOREIGN.split("MOTION")[0]
    rows = [f"0 0 0 0 0 0 0 0 0 {5 + t / 500} 4 0 0 0 0 0" for t in range(1000)]
    path = tmp_path / "stretch.bvh"
    path.write_text(head + "\n".join(["MOTION", "Frames: 1000", "Frame Time: 0.002", *rows]))
    _, motion = bvh.read(path)
    motion = slowed(motion)
    assert motion.fps == 125.0 and motion.offsets is not None
    torch.testing.assert_close(motion.offsets[:, 2, 0], 5 + torch.arange(250) * 4 / 500, atol=1e-4, rtol=0)


def test_training_reads_them_too(tmp_path):
    made = sources.load(written(tmp_path, dance(4.0, 500.0), "another's bvh"))
    known = dance(4.0, made.motion.fps)
    gap = rotation.angle(made.motion.rotations, known.rotations[: made.motion.frames])
    assert made.report["dropped"] is None and made.motion.seconds == pytest.approx(4.0, abs=0.05)
    assert gap[10:-10, SMPL22.index("left_elbow")].rad2deg().max() < 3.0


def test_a_rate_that_nothing_is_captured_at(tmp_path):
    np.savez(tmp_path / "a.npz", **{**motion_arrays(dance(1.5, 60.0)), "fps": 44100.0})
    with pytest.raises(FootlightError, match="fps is 44100; expected 1 to 2000"):
        read_motion(tmp_path / "a.npz")


def test_contacts_are_those_of_the_frames_that_stay():
    frames = 480
    contacts = torch.arange(frames)[:, None].expand(frames, 4) % 7 < 3
    still = Motion(rotation.identity(frames, 22), torch.zeros(frames, 3), 480.0, contacts.float())
    made = slowed(still)
    assert made.fps == 120.0 and torch.equal(made.contacts, contacts[::4].float())
