"""Every family of characters is recognised: by its names, and most by their shape alone."""

from __future__ import annotations

import pytest

from core.rig import humanoid
from tests.core.rig.characters import Build, Character, character, trees

TREES = trees()
BUILDS = {
    "T": Build(),
    "A": Build(thigh=1.05, shin=0.97, arm=1.1, wide=1.2, hang=45.0, straddle=4.0),
    "I": Build(thigh=0.95, shin=1.05, arm=0.95, wide=1.1, hang=85.0, straddle=2.0),
    "bent": Build(hang=35.0, straddle=8.0, bent=20.0),
}
SHAPELESS = {"Daz Genesis 3 with twists", "MMD, Japanese, sides in front", "MMD, English", "Advanced Skeleton"}
"""Whose arms are in pieces and without fingers, so that hanging ones have no end."""

LIMBS = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle", "shoulder", "elbow")]


def moved(one: Character) -> dict[str, str]:
    skeleton = one.skeleton
    return {joint: one.names[i] for joint, i in humanoid.movers(skeleton, humanoid.match(skeleton)).items()}


@pytest.mark.parametrize("pose", BUILDS)
@pytest.mark.parametrize("family", TREES)
def test_families_are_known_by_their_names(family, pose):
    one = character(TREES[family], BUILDS[pose])
    assert humanoid.match(one.skeleton).rule != "structure"
    found, inner = moved(one), ("spine1", "spine2")
    assert {j: name for j, name in found.items() if j not in inner} == {
        j: name for j, name in one.joints.items() if j not in inner
    }


@pytest.mark.parametrize("pose", BUILDS)
@pytest.mark.parametrize("family", TREES)
def test_families_are_known_by_their_shape(family, pose):
    """The limbs start where they should. Which of several bones in one place is taken makes no difference."""
    if pose == "I" and family in SHAPELESS:
        pytest.skip("hanging arms in pieces without hands")
    one = character(TREES[family], BUILDS[pose]).nameless()
    assert humanoid.match(one.skeleton).rule == "structure"
    found = moved(one)
    places = dict(zip(one.names, one.heads, strict=True))
    for joint in LIMBS:
        assert places[found[joint]] == pytest.approx(places[one.joints[joint]]), joint
    assert found.get("head") == one.joints["head"]
