"""Motion from every kind of file, and the errors for files without any."""

from __future__ import annotations

import json
import pickle
import random
import re

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.formats import bvh
from core.formats.dance import motion_arrays
from core.formats.motion import read_motion
from core.motion import features, kinematics, rotation
from core.motion.resample import resample
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.rhythm.accents import kinematic_beats
from core.rhythm.target import track_pulse
from core.types import Motion
from tests.core.formats.test_openpose import body, person, write
from tests.core.motion.rigs import DISGUISES, RIGS, Foreign, bvh_text, dance

FPS = 30.0
LEFT_KNEE = SMPL22.index("left_knee")


@pytest.fixture(scope="module")
def ours() -> Motion:
    """Four seconds with contacts."""
    motion = dance(4.0, FPS)
    return Motion(motion.rotations, motion.root, FPS, torch.ones(motion.frames, 4))


@pytest.fixture(scope="module")
def places(ours) -> torch.Tensor:
    return kinematics.forward(ours.rotations, ours.root)


def arrays(motion: Motion) -> dict[str, np.ndarray]:
    """As the program writes them, but for the frame rate."""
    return {name: array for name, array in motion_arrays(motion).items() if name != "fps"}


def flat_of(motion: Motion) -> torch.Tensor:
    """(t, 14, 2) metres, as a camera before it sees it."""
    return features.encode(motion, "openpose14-2d").unflatten(-1, (14, 2))


def npz(path, fps: float | None = FPS, **values):
    if fps is not None:
        values["fps"] = np.float64(fps)
    np.savez(path, **{name: np.asarray(value) for name, value in values.items()})
    return path


# what is read


@pytest.mark.parametrize("fps", (1.0, 12.0, 24000 / 1001, 31.25, 60.0, 240.0))
def test_our_own_bvh_is_read_back_exactly(fps, tmp_path):
    path = tmp_path / "dance.bvh"
    bvh.write(path, dance(4.0, 60.0), fps)
    known, found = bvh.read_motion(path), read_motion(path)
    assert torch.equal(found.motion.rotations, known.rotations) and torch.equal(found.motion.root, known.root)
    assert found.fps == pytest.approx(fps) and found.seconds == pytest.approx(4.0, abs=0.5 / fps)
    assert torch.equal(found.positions, kinematics.forward(known.rotations, known.root))


@pytest.mark.parametrize("name", DISGUISES)
def test_another_skeleton_is_fitted_to_ours(name, tmp_path):
    motion, disguise = dance(4.0, 60.0), DISGUISES[name]
    path = tmp_path / "foreign.bvh"
    path.write_text(bvh_text(motion.rotations, motion.root, motion.fps, disguise))
    found, known = read_motion(path), kinematics.forward(motion.rotations, motion.root)
    if "aside" in name:
        known = rotation.rotate(disguise.turn, known)
    assert (found.positions - known).norm(dim=-1).max() < 0.01 and found.fps == 60.0
    assert torch.equal(kinematics.forward(found.motion.rotations, found.motion.root), found.positions)


def test_dances_without_metadata_are_read_too(ours, tmp_path):
    """As the command line wrote them until format 2."""
    older = dict(joints=SMPL22.names, parents=SMPL22.parents, offsets=SMPL22.offsets, beats=[0.5], downbeats=[True])
    found = read_motion(npz(tmp_path / "dance.npz", **older, **arrays(ours)))
    torch.testing.assert_close(found.motion.rotations, ours.rotations, atol=1e-6, rtol=0)
    assert torch.equal(found.motion.root, ours.root) and torch.equal(found.motion.contacts, ours.contacts)
    assert found.fps == FPS and found.positions.shape == (120, 22, 3)


@pytest.mark.parametrize("size", (1.0, 1.2, 100.0))
def test_positions_alone_give_the_rotations(size, ours, places, tmp_path):
    """Also of a body of another size, or in centimetres, which is fitted to ours."""
    found = read_motion(npz(tmp_path / "places.npz", positions=places * size))
    gap = (found.positions - places).norm(dim=-1)
    assert gap.mean() < 2e-5 and gap.max() < 0.0015
    turned = rotation.angle(found.motion.rotations, ours.rotations)[:, [0, 1, 2, LEFT_KNEE]].rad2deg()
    assert turned.max() < 3.0


def test_positions_of_a_body_whose_collars_begin_at_its_chest(ours, places, tmp_path):
    """Some rigs have joints in one place; those do not tell how the chest is turned, the ones after them do."""
    chest, joined = SMPL22.index("spine3"), places.clone()
    joined[:, [SMPL22.index(f"{side}_collar") for side in ("left", "right")]] = places[:, chest, None]
    found = read_motion(npz(tmp_path / "places.npz", positions=joined)).motion
    known, made = (kinematics.forward_global(motion.rotations, motion.root)[0][:, chest] for motion in (ours, found))
    assert rotation.angle(known, made).rad2deg().max() < 3.0


def test_flat_positions_stay_as_they_are(ours, tmp_path):
    flat = flat_of(ours)
    found = read_motion(npz(tmp_path / "flat.npz", positions=flat))
    assert torch.equal(found.positions, flat.float()) and found.motion is None and found.seconds == 4.0
    assert len(track_pulse(found.positions, found.fps, kinematic_beats(found.positions, found.fps)).times) > 2


def test_a_film_seen_by_openpose_has_its_gaps_bridged(tmp_path):
    frames = [[person(body(t))] for t in range(40)]
    frames[20] = []
    found = read_motion(write(tmp_path / "film", frames), fps=25.0)
    whole = np.stack([body(t) for t in range(40)])
    whole[20] = (whole[19] + whole[21]) / 2
    np.testing.assert_allclose(found.positions, whole, atol=2e-3)
    assert found.motion is None and found.fps == 25.0


def test_the_frame_rate_of_a_file_goes_before_the_one_given(ours, tmp_path):
    assert read_motion(npz(tmp_path / "said.npz", **arrays(ours)), fps=60.0).fps == FPS
    assert read_motion(npz(tmp_path / "unsaid.npz", None, **arrays(ours)), fps=60.0).fps == 60.0


@pytest.mark.parametrize(
    ("start", "seconds", "frames"), [(1.0, 2.0, (30, 90)), (0.5, None, (15, 120)), (2.9, 1e308, (87, 120))]
)
def test_a_part_is_cut_out(start, seconds, frames, ours, places, tmp_path):
    npz(tmp_path / "a.npz", **arrays(ours))
    bvh.write(tmp_path / "b.bvh", ours, FPS)
    npz(tmp_path / "c.npz", positions=flat_of(ours))
    for name in ("a.npz", "b.bvh", "c.npz"):
        whole, part = read_motion(tmp_path / name), read_motion(tmp_path / name, start=start, seconds=seconds)
        assert torch.equal(part.positions, whole.positions[slice(*frames)])
        assert (whole.motion is None) == (part.motion is None) and (
            part.motion is None or part.motion.frames == part.frames
        )


# what is refused


def of_ours(**changed):
    """A maker of a dance file with some arrays changed; None leaves one out."""

    def make(folder, ours):
        values = arrays(ours) | {name: change(ours) if callable(change) else change for name, change in changed.items()}
        return npz(folder / "dance.npz", **{name: value for name, value in values.items() if value is not None})

    return make


def of_positions(change, fps: float | None = FPS):
    def make(folder, ours):
        return npz(folder / "places.npz", fps, positions=change(kinematics.forward(ours.rotations, ours.root)))

    return make


def of_text(name: str, text: str):
    def make(folder, ours):
        (folder / name).write_text(text)
        return folder / name

    return make


def altered(values, at, value):
    values = values.clone()
    values[at] = value
    return values


def cut_short(name: str, share: float = 0.6):
    """A file of the program whose end is missing."""

    def make(folder, ours):
        path = folder / name
        if path.suffix == ".bvh":
            bvh.write(path, ours, FPS)
        else:
            npz(path, **arrays(ours))
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return path

    return make


def still_bvh(frames: int, fps: float = FPS):
    def make(folder, ours):
        rest = rotation.identity(frames, SMPL22.joints)
        bvh.write(folder / "still.bvh", Motion(rest, torch.tensor([[0.0, REST_HEIGHT, 0.0]] * frames), fps), fps)
        return folder / "still.bvh"

    return make


def film(frames):
    return lambda folder, ours: write(folder / "film", frames)


def fast_bvh(folder, ours):
    path = folder / "fast.bvh"
    bvh.write(path, ours, 480.0)
    path.write_text(re.sub("Frame Time: .*", "Frame Time: 0.0002", path.read_text()))
    return path


def pickled(folder, ours):
    class Trap:
        def __reduce__(self):
            return (open, (str(folder / "sprung"), "w"))

    np.savez(folder / "trap.npz", rotations=np.array([Trap()], dtype=object), fps=FPS)
    return folder / "trap.npz"


def bare_pickle(folder, ours):
    (folder / "bare.npz").write_bytes(pickle.dumps({"rotations": [1.0]}))
    return folder / "bare.npz"


def one_array(folder, ours):
    np.save(folder / "one.npy", np.zeros((90, 22, 3)))
    return (folder / "one.npy").rename(folder / "one.npz")


def legless(folder, ours):
    """A body whose joints all lie in one place."""
    text = bvh_text(ours.rotations, ours.root, FPS, Foreign(RIGS["mixamo"], unit=0.0))
    return of_text("dot.bvh", text)(folder, ours)


def hidden(name, value):
    """OpenPose files of two seconds in which one frame is damaged."""

    def make(folder, ours):
        path = write(folder / "film", [[person(body(t))] for t in range(60)])
        (path / "clip_000000000030_keypoints.json").write_text(json.dumps({name: value}))
        return path

    return make


HEAD = "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nJOINT b\n{\nOFFSET 0 1 0\n"
SNAKE = HEAD + "CHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\nMOTION\n"
SNAKE += "Frames: 90\nFrame Time: 0.02\n" + ("0 " * 6 + "\n") * 90
FRAME, ZERO = (50, LEFT_KNEE), torch.zeros(4)
NAN, INF = float("nan"), float("inf")
STANDING = [[person(body(0))]] * 60
WALK = [[person(body(t))] for t in range(60)]

BAD_FILES = {
    "missing bvh": (lambda folder, ours: folder / "no.bvh", "there is no such file"),
    "missing npz": (lambda folder, ours: folder / "no.npz", "there is no such file"),
    "unknown ending": (of_text("dance.fbx", "x"), r"from \.bvh, \.npz, \.npy, \.pkl"),
    "of Blender": (of_text("dance.glb", "x"), "open it in Blender"),
    "of PyTorch": (of_text("dance.pt", "x"), "save its tensors as arrays"),
    "no ending": (of_text("dance", "x"), "read from"),
    "bvh: empty": (of_text("a.bvh", ""), "there is no text in the file"),
    "bvh: no text": (of_text("a.bvh", "\0\1\2"), "there is no text in the file"),
    "bvh: not a body": (of_text("snake.bvh", SNAKE), "no two legs and arms"),
    "bvh: NaN": (of_text("a.bvh", SNAKE.replace("0 0 0 0 0 0", "0 nan 0 0 0 0", 15)), "not a finite number"),
    "bvh: no size": (legless, "without length|no width"),
    "bvh: too fast": (fast_bvh, "frame rate is 5000"),
    "bvh: one pose": (still_bvh(1), r"0\.03 s of movement \(1 frames"),
    "bvh: half a second": (still_bvh(15), "at least 1 s"),
    "bvh: stands still": (still_bvh(90), "stands still"),
    "npz: empty": (of_text("a.npz", ""), "damaged or no npz"),
    "npz: text": (of_text("a.npz", "not an archive"), "damaged or no npz"),
    "npz: truncated": (cut_short("a.npz"), "damaged or no npz"),
    "npz: objects": (pickled, "damaged or no npz"),
    "npz: a pickle": (bare_pickle, "damaged or no npz"),
    "npz: one array": (one_array, "damaged or no npz"),
    "npz: other arrays": (
        lambda folder, ours: npz(folder / "a.npz", a=[1.0], b=[2.0]),
        "holds 'a', 'b', 'fps'; expected",
    ),
    "npz: no root": (of_ours(root=None), "holds 'rotations'.*expected rotations"),
    "npz: letters": (of_ours(rotations=np.array(["a"])), "expected numbers"),
    "npz: shape": (of_ours(rotations=lambda ours: ours.rotations[:, :20]), r"\(120, 20, 4\).*expected"),
    "npz: lengths differ": (of_ours(root=lambda ours: ours.root[:60]), r"root \(60, 3\).*expected"),
    "npz: a number": (of_ours(rotations=np.float64(1)), r"rotations \(\).*expected"),
    "npz: no frames": (of_positions(lambda places: places[:0]), "only 0.00 s"),
    "npz: one pose": (of_positions(lambda places: places[:1]), "only 0.03 s"),
    "npz: NaN rotation": (of_ours(rotations=lambda ours: altered(ours.rotations, FRAME, NAN)), "rotations with NaN"),
    "npz: infinite root": (of_ours(root=lambda ours: altered(ours.root, 3, INF)), "root with NaN, infinite"),
    "npz: far away": (of_ours(root=lambda ours: ours.root + 1e8), "far too large"),
    "npz: zero rotation": (
        of_ours(rotations=lambda ours: altered(ours.rotations, FRAME, ZERO)),
        "left_knee in frame 50 has length 0; expected unit",
    ),
    "npz: not unit": (of_ours(rotations=lambda ours: 1.5 * ours.rotations), r"pelvis in frame 0 has length 1\.5"),
    "npz: no fps": (of_positions(lambda places: places, None), "does not say its frame rate"),
    "npz: fps 0": (of_positions(lambda places: places, 0.0), "fps is 0; expected 1 to 2000"),
    "npz: fps negative": (of_positions(lambda places: places, -30.0), "fps is -30"),
    "npz: fps NaN": (of_positions(lambda places: places, NAN), "fps is nan"),
    "npz: fps of frames": (of_positions(lambda places: places, [30.0, 30.0]), r"fps is float64 \(2,\); expected one"),
    "npz: infinite position": (of_positions(lambda places: altered(places, (7, 3, 1), INF)), "positions with NaN"),
    "npz: NaN for a second": (of_positions(lambda places: altered(places, slice(40, 70), NAN)), "lost in frames 40-69"),
    "npz: 17 joints": (of_positions(lambda places: places[:, :17]), r"\(120, 17, 3\)"),
    "npz: flat 22": (of_positions(lambda places: places[..., :2]), r"\(120, 22, 2\)"),
    "npz: no body": (of_positions(torch.zeros_like), "lost in frames 0-119"),
    "npz: mirrored": (of_positions(lambda places: places[..., [0, 2, 1]]), "mirrored"),
    "npz: flat, y down": (lambda folder, ours: npz(folder / "flat.npz", positions=-flat_of(ours)), "stands along -y"),
    "npz: pixels": (lambda folder, ours: npz(folder / "flat.npz", positions=300 * flat_of(ours)), "expected metres"),
    "npz: stands still": (of_positions(lambda places: places[:1].expand(90, 22, 3)), "stands still"),
    "film: empty folder": (lambda folder, ours: folder, "expected a folder of OpenPose"),
    "film: nobody": (film([[]] * 60), "nobody is seen in 100%"),
    "film: half a second": (film(WALK[:15]), r"only 0\.50 s"),
    "film: stands still": (film(STANDING), "stands still"),
    "film: damaged frame": (hidden("people", [{"pose": []}]), "000000000030.*not an OpenPose file"),
    "film: other model": (hidden("people", [{"pose_keypoints_2d": [0.0] * 60}]), "BODY_25 has 75"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_motion_is_refused_in_one_line(name, ours, tmp_path):
    make, message = BAD_FILES[name]
    path = make(tmp_path, ours)
    fps = FPS if name.startswith("film") else None
    with pytest.raises(FootlightError, match=message) as error:
        read_motion(path, fps=fps)
    assert path.name in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "sprung").exists(), "a pickle was run"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": -1.0}, "start is -1"),
        ({"start": NAN}, "start is nan"),
        ({"start": INF}, "start is inf"),
        ({"start": 4.0}, r"starts at 4 s, but the movement ends at 4\.00 s"),
        ({"start": 1e308}, "movement ends at"),
        ({"start": 3.5}, r"only 0\.50 s"),
        ({"seconds": -2.0}, "seconds is -2"),
        ({"seconds": 0.0}, r"only 0\.00 s"),
        ({"seconds": NAN}, "seconds is nan"),
        ({"fps": 0.0}, "fps is 0"),
        ({"fps": -5.0}, "fps is -5"),
        ({"fps": NAN}, "fps is nan"),
        ({"fps": 2001.0}, "expected 1 to 2000"),
    ],
)
def test_parts_and_rates_that_make_no_sense_are_refused(given, message, ours, tmp_path):
    bvh.write(tmp_path / "dance.bvh", ours, FPS)
    with pytest.raises(FootlightError, match=message):
        read_motion(tmp_path / "dance.bvh", **given)


def test_a_film_needs_its_frame_rate(tmp_path):
    with pytest.raises(FootlightError, match="give fps"):
        read_motion(write(tmp_path / "film", WALK))


@pytest.mark.parametrize("ending", ("bvh", "npz"))
def test_damage_anywhere_is_refused_or_harmless(ending, ours, tmp_path):
    path = cut_short(f"a.{ending}", share=1.0)(tmp_path, resample(ours, 10.0))
    whole, chance = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(8):
            data[chance.randrange(min(len(data), 4000))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        try:
            assert read_motion(path).positions.isfinite().all()
        except FootlightError:
            refused += 1
    assert refused > 20
