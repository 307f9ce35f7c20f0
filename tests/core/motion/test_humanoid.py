"""Whose joints are ours: by their names, and by their shape."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.formats import bvh
from core.motion import humanoid
from core.motion.skeleton import SMPL22
from tests.core.motion.rigs import RIGS, Foreign, bvh_text, dance


@pytest.mark.parametrize("rig", [name for name in RIGS if name != "nameless"])
def test_rigs_are_known_by_their_names(rig, tmp_path):
    ours = dance(0.1)
    names = RIGS[rig]
    path = tmp_path / "rig.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, Foreign(names)))
    skeleton, _ = bvh.read(path)
    found = humanoid.match(skeleton)
    assert found.rule != "structure"
    spine = {"spine1", "spine2"}
    assert {j: skeleton.names[i] for j, i in found.joints.items()} == {j: names[j] for j in names if j not in spine}
    assert [skeleton.names[i] for i in found.spine] == [names[j] for j in ("pelvis", "spine1", "spine2", "spine3")]


def test_names_agree_with_structure():
    by_name = humanoid.match(SMPL22)
    hidden = humanoid.match(replace(SMPL22, names=tuple(RIGS["nameless"].values()), tips={}))
    assert (by_name.rule, hidden.rule) == ("anatomical", "structure")
    limbs = [j for j in by_name.joints if "collar" not in j]
    assert {j: hidden.joints[j] for j in limbs} == {j: by_name.joints[j] for j in limbs}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mixamorig:LeftUpLeg", ("left", "upleg")),
        ("Bip01 R UpperArm", ("right", "upperarm")),
        ("DEF-upper_arm.L", ("left", "upperarm")),
        ("J_Bip_R_LowerLeg", ("right", "lowerleg")),
        ("lShldrBend", ("left", "shldrbend")),
        ("clavicle_l", ("left", "clavicle")),
        ("LHipJoint", ("left", "hipjoint")),
        ("rfemur", ("right", "femur")),
        ("leg", ("", "leg")),
        ("lowerback", ("", "lowerback")),
    ],
)
def test_sides_and_parts_of_names(name, expected):
    assert humanoid.side_and_part(name) == expected
