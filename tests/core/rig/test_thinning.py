"""Dances with fewer keys on rigs of any build. The oracle is the forward kinematics of the tests of retargeting."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import FootlightError
from core.rig import channels, posing, proportions, retarget, splines, thinning
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, PARENTS
from tests.core.motion.rigs import steps
from tests.core.rig.characters import Build, places
from tests.core.rig.test_feet import some_build
from tests.core.rig.test_retarget import rig, shown

FPS = 20.0
MODES = (channels.QUATERNION, channels.AXIS_ANGLE, *channels.ORDERS)


class Danced:
    """A dance on a rig: its bones, its tracks, and where it is shown."""

    def __init__(self, build: Build, fps: float = FPS, mode: str = channels.QUATERNION, seconds: float = 4.0) -> None:
        motion, stands = steps(seconds, fps)
        self.fps, self.stands = fps, stands.repeat_interleave(2, 1).numpy()
        self.dance = retarget.Dance(motion.rotations.double().numpy(), motion.root.double().numpy(), self.stands)
        at = places(build)
        heads = {joint: proportions.to_blender(at[name]) for joint, name in enumerate(JOINTS)}
        self.bones = rig(heads, dict(enumerate(PARENTS)))
        self.keys = retarget.keys(self.dance, self.bones)
        self.body = posing.Body(self.bones, proportions.size(self.bones))
        self.tracks = {
            (name, posing.TURN): posing.Channels(channels.of(turns, mode), mode)
            for name, turns in self.keys.rotations.items()
        }
        way = quat.rotate(self.bones[0].rotation, self.keys.location)
        self.tracks[posing.WAY] = posing.Channels(way)
        self.shown = shown(self.keys, self.bones)

    def thinned(self, spacing: thinning.Spacing):
        keys, errors = thinning.spaced(spacing, self.body, self.tracks, self.stands, self.fps)
        return keys, errors, self.through(keys)

    def through(self, keys) -> np.ndarray:
        """The rig (t, 22, 4, 4) with curves through these keys."""
        read = {track: one.read(splines.sampled(one.values, keys[track])) for track, one in self.tracks.items()}
        way = quat.rotate(quat.conjugate(self.bones[0].rotation), read.pop(posing.WAY))
        rotations = {bone: turns for (bone, _), turns in read.items()}
        return shown(retarget.Keys(rotations, self.keys.root, way, {}, self.keys.residual), self.bones)

    def off(self, shown: np.ndarray) -> float:
        """How far hips, hands and feet are off, millimetres of our body."""
        ends = [0, *thinning.ENDS]
        return float(1000 * np.linalg.norm((shown - self.shown)[:, ends, :3, 3], axis=-1).max() / self.body.size)

    def turned(self, shown: np.ndarray) -> float:
        """How far a bone is turned otherwise, degrees."""
        a, b = (quat.orientation(one[..., :3, :3]) for one in (self.shown, shown))
        return float(np.degrees(2 * np.arccos(np.clip(np.abs(np.sum(a * b, axis=-1)), 0.0, 1.0))).max())

    def slides(self, shown: np.ndarray) -> np.ndarray:
        """How fast the joints of standing feet move in every frame, metres per second on our body."""
        found = []
        for column, joint in enumerate(thinning.FEET):
            both = self.stands[1:, column] & self.stands[:-1, column]
            found.append(np.linalg.norm(np.diff(shown[:, joint, :3, 3], axis=0), axis=-1)[both])
        return np.concatenate(found) * self.fps / self.body.size

    def count(self, keys) -> int:
        return sum(len(one.at) for one in keys.values())


@cache
def danced(seed: int = 0, fps: float = FPS, mode: str = channels.QUATERNION) -> Danced:
    return Danced(some_build(seed) if seed else Build(), fps, mode)


@pytest.mark.parametrize("smooth", [False, True])
def test_the_posed_rig_is_as_near_as_was_asked(smooth):
    one = danced()
    last = len(one.tracks) * len(one.dance.root)
    for tolerance in (thinning.Tolerance(0.5, 2.0), thinning.Tolerance(1.0, 5.0), thinning.Tolerance(4.0, 20.0)):
        keys, errors, now = one.thinned(thinning.Spacing(tolerance=tolerance, smooth=smooth))
        assert (
            one.off(now) == pytest.approx(errors.millimetres, abs=1e-3) and errors.millimetres <= tolerance.millimetres
        )
        assert one.turned(now) == pytest.approx(errors.degrees, abs=1e-3) and errors.degrees <= tolerance.degrees
        assert one.count(keys) < last, "a larger tolerance needs fewer keys"
        last = one.count(keys)


@settings(max_examples=15)
@given(
    st.integers(1, 1000),
    st.floats(12.0, 60.0),
    st.sampled_from(MODES),
    st.booleans(),
    st.floats(0.3, 5.0),
    st.floats(1.0, 30.0),
)
def test_any_build_rate_and_mode(seed, fps, mode, smooth, degrees, millimetres):
    one = Danced(some_build(seed), fps, mode, seconds=2.5)
    spacing = thinning.Spacing(tolerance=thinning.Tolerance(degrees, millimetres), smooth=smooth)
    _, errors, now = one.thinned(spacing)
    assert one.turned(now) <= degrees + 1e-3 and one.off(now) <= millimetres + 1e-3
    faster = one.slides(now) - one.slides(one.shown)
    assert faster.max() <= thinning.SLIDE + 1e-9, "standing feet stay"
    assert errors.slide <= thinning.SLIDE


@pytest.mark.parametrize("smooth", [False, True])
def test_feet_are_keyed_where_they_land_and_leave(smooth):
    one = danced()
    keys, errors, now = one.thinned(thinning.Spacing(tolerance=thinning.Tolerance(3.0, 20.0), smooth=smooth))
    for side, column in (("left", 0), ("right", 2)):
        stands = one.stands[:, column]
        landed = np.flatnonzero(stands[1:] & ~stands[:-1]) + 1
        left = np.flatnonzero(stands[:-1] & ~stands[1:])
        assert len(landed) and len(left)
        for part in ("hip", "knee", "ankle"):
            track = keys[f"{side}_{part}", posing.TURN]
            assert {*landed, *left} <= {*track.at}
            assert track.corners[np.isin(track.at, landed)].all()
    slides, before = one.slides(now), one.slides(one.shown)
    assert slides.mean() < before.mean() + 0.01 and errors.slide == pytest.approx((slides - before).mean(), abs=0.01), (
        "the errors are along the floor, and this is in space"
    )


def test_every_so_manieth_frame():
    one = danced()
    keys, errors, now = one.thinned(thinning.Spacing(every=7, smooth=True))
    assert {tuple(track.at) for track in keys.values()} == {(*range(0, 80, 7), 79)}
    assert one.off(now) == pytest.approx(errors.millimetres, abs=1e-3) and errors.millimetres > 5.0
    assert one.turned(now) == pytest.approx(errors.degrees, abs=1e-3)


def test_a_dance_that_stands_still_needs_two_keys():
    one = danced()
    still = {track: posing.Channels(np.repeat(c.values[:1], 80, 0), c.mode) for track, c in one.tracks.items()}
    stands = np.ones_like(one.stands)
    keys, errors = thinning.spaced(thinning.Spacing(tolerance=thinning.Tolerance()), one.body, still, stands, FPS)
    assert {len(track.at) for track in keys.values()} == {2}
    assert max(errors.degrees, errors.millimetres, errors.slide) < 1e-6


@pytest.mark.parametrize("carried", [False, True])
def test_controls_of_inverse_kinematics(carried):
    """A foot's control that stands needs a key where it lands and where it leaves, also on a root bone that travels."""
    one = danced()
    frames, foot = len(one.dance.root), np.zeros((80, 3))
    stands = one.stands.copy()
    stands[:] = False
    stands[20:50, 0] = True
    foot[:20, 2] = 0.3 * np.sin(np.linspace(0, np.pi, 21))[:20]
    foot[50:, 0] = 0.4 * np.linspace(0, 1, 31)[1:] ** 2
    level = one.tracks[posing.WAY].values * (carried, carried, 0.0)
    controls = (posing.Control("foot_ik", 0), posing.Control("pole", reach=0.5))
    limbs = ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist")
    free = [bone for bone in one.bones if not JOINTS[bone.joint].endswith(limbs)]
    body = posing.Body(free, one.body.size, controls, carried)
    names = {"", *(bone.name for bone in free)}
    tracks = {track: values for track, values in one.tracks.items() if track[0] in names} | {
        ("foot_ik", posing.PLACE): posing.Channels(foot - level),
        ("foot_ik", posing.TURN): posing.Channels(np.tile(quat.IDENTITY, (frames, 1)), channels.QUATERNION),
        ("pole", posing.PLACE): posing.Channels(np.cumsum(np.full((frames, 3), 0.01), axis=0)),
    }
    spacing = thinning.Spacing(tolerance=thinning.Tolerance(1.0, 5.0), smooth=True)
    keys, errors = thinning.spaced(spacing, body, tracks, stands, FPS)
    drawn = {track: splines.sampled(tracks[track].values, keys[track]) for track in tracks}
    place = drawn["foot_ik", posing.PLACE] + drawn[posing.WAY] * (carried, carried, 0.0)
    assert 1000 * np.linalg.norm(place - foot, axis=-1).max() / body.size <= 5.0 + 1e-9 and errors.millimetres <= 5.0
    slide = np.linalg.norm(np.diff(place[20:50], axis=0), axis=-1) * FPS / body.size
    assert slide.max() <= thinning.SLIDE + 1e-9
    assert {20, 49} <= {*keys["foot_ik", posing.PLACE].at}
    if not carried:
        assert not any(20 < at < 49 for at in keys["foot_ik", posing.PLACE].at), "it simply stands"
    assert len(keys["pole", posing.PLACE].at) == 2, "it goes evenly"


@pytest.mark.parametrize(
    "wrong", [{"every": 0}, {"tolerance": thinning.Tolerance(0.0)}, {"tolerance": thinning.Tolerance(1.0, -1.0)}]
)
def test_what_makes_no_sense(wrong):
    with pytest.raises(FootlightError, match="was asked for; give"):
        thinning.Spacing(**wrong)
