"""Whose joints are ours: by their names, and by their shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import FootlightError
from core.formats import bvh
from core.motion.skeleton import SMPL22
from core.rig import humanoid
from core.rig.skeleton import JOINTS, PARENTS, Skeleton, standing
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
        ("ValveBiped.Bip01_L_Thigh", ("left", "thigh")),
        ("左足首", ("left", "足首")),
        ("ひざ.R", ("right", "ひざ")),
        ("leg", ("", "leg")),
        ("lowerback", ("", "lowerback")),
    ],
)
def test_sides_and_parts_of_names(name, expected):
    assert humanoid.side_and_part(name) == expected


def tree(rows: dict[str, str | None], places: dict[str, tuple[float, float, float]]) -> Skeleton:
    """An armature of named bones: name -> parent; parents first."""
    names = tuple(rows)
    heads = {name: np.array(places[name], dtype=float) for name in names}
    parents = tuple(-1 if parent is None else names.index(parent) for parent in rows.values())
    offsets = [heads[n] - (heads[names[p]] if p >= 0 else 0.0) for n, p in zip(names, parents, strict=True)]
    return Skeleton(names, parents, np.array(offsets))


def renamed(names: dict[str, str | None], **more: tuple[str, str, tuple[float, float, float]]) -> Skeleton:
    """Our body with other names, without those joints that have none, and with more bones: name -> its parent, the one
    of ours that is hung on it, its place."""
    rows: dict[str, str | None] = {}
    places = {}
    for joint, place in zip(JOINTS, standing(), strict=True):
        parent = PARENTS[JOINTS.index(joint)]
        while parent >= 0 and names[JOINTS[parent]] is None:
            parent = PARENTS[parent]
        for extra, (above, below, at) in more.items():
            if below == joint:
                rows[extra], places[extra] = above, at
        if names[joint] is not None:
            hung = next((extra for extra, (_, below, _) in more.items() if below == joint), None)
            rows[names[joint]] = hung or (names[JOINTS[parent]] if parent >= 0 else None)
            places[names[joint]] = tuple(place)
    return tree(rows, places)


OURS = dict(
    zip(
        JOINTS,
        (
            "pelvis", "thigh.L", "thigh.R", "spine1", "shin.L", "shin.R", "spine2", "foot.L", "foot.R", "spine3",
            "toe.L", "toe.R", "neck", "collar.L", "collar.R", "head", "upper_arm.L", "upper_arm.R", "forearm.L",
            "forearm.R", "hand.L", "hand.R",
        ),
        strict=True,
    )
)  # fmt: skip


def moved(skeleton: Skeleton) -> dict[str, str]:
    return {j: skeleton.names[i] for j, i in humanoid.movers(skeleton, humanoid.match(skeleton)).items()}


@pytest.mark.parametrize("rig", [OURS, RIGS["mixamo"], RIGS["smpl"], RIGS["unreal"], RIGS["daz"]])
def test_bones_move_as_the_joints_that_they_are(rig):
    assert moved(renamed(rig)) == rig
    less = rig | dict.fromkeys(("spine2", "neck", "left_collar", "right_collar", "left_foot", "right_foot"))
    assert moved(renamed(less)) == {joint: name for joint, name in less.items() if name}
    least = less | dict.fromkeys(("spine1", "head", "left_wrist", "right_wrist"))
    assert moved(renamed(least)) == {joint: name for joint, name in least.items() if name}


def test_mixamo_without_its_prefix():
    plain = {joint: name.removeprefix("mixamorig:") for joint, name in RIGS["mixamo"].items()}
    assert moved(renamed(plain)) == plain


def test_a_longer_spine_bends_where_ours_does():
    """Five bones from pelvis to chest and two in the neck, as Unreal's newer mannequins have."""
    five = RIGS["unreal"] | {"spine1": "spine_01", "spine2": "spine_03", "spine3": "spine_05"}
    skeleton = renamed(
        five,
        spine_02=("spine_01", "spine2", (0.0, 1.14, -0.01)),
        spine_04=("spine_03", "spine3", (0.0, 1.22, -0.01)),
        neck_02=("neck_01", "head", (0.0, 1.50, 0.0)),
    )
    found = humanoid.match(skeleton)
    assert [skeleton.names[i] for i in found.spine] == ["pelvis", *(f"spine_0{i}" for i in range(1, 6))]
    assert [skeleton.names[i] for i in found.neck] == ["neck_01", "neck_02"]
    assert moved(skeleton) == five


def test_a_trunk_of_one_piece():
    one = OURS | dict.fromkeys(("spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"))
    assert moved(renamed(one)) == {joint: name for joint, name in one.items() if name}


def test_legs_and_spine_side_by_side():
    """As in DAZ Genesis: what carries both is what moves as the pelvis does."""
    skeleton = renamed(
        RIGS["daz"],
        pelvis=("hip", "left_hip", (0.0, 0.90, 0.0)),
        rThighTwist=("rThigh", "right_knee", (-0.085, 0.6, 0.0)),
    )
    rows = {
        name: (None if p < 0 else skeleton.names[p]) for name, p in zip(skeleton.names, skeleton.parents, strict=True)
    }
    rows["rThigh"] = "pelvis"
    skeleton = tree(rows, dict(zip(skeleton.names, skeleton.rest_positions(), strict=True)))
    found = humanoid.match(skeleton)
    assert (skeleton.names[found.joints["pelvis"]], skeleton.names[found.carrier]) == ("pelvis", "hip")
    assert moved(skeleton) == RIGS["daz"]


def test_arms_that_hang_on_the_neck():
    skeleton = renamed(OURS | dict.fromkeys(("left_collar", "right_collar")))
    rows = {
        name: (None if p < 0 else skeleton.names[p]) for name, p in zip(skeleton.names, skeleton.parents, strict=True)
    }
    rows |= {"upper_arm.L": "neck", "upper_arm.R": "neck"}
    skeleton = tree(rows, dict(zip(skeleton.names, skeleton.rest_positions(), strict=True)))
    assert moved(skeleton) == {joint: name for joint, name in OURS.items() if "collar" not in joint}


def test_bones_beside_the_body_do_no_harm():
    """Roots without a body, of which armatures have any number, and a control rig's second set of limbs."""
    skeleton = renamed(OURS)
    rows = {"camera": None, "sword": "camera"}
    places = {"camera": (0, 2, 3), "sword": (0, 2, 4)}
    for name, p, place in zip(skeleton.names, skeleton.parents, skeleton.rest_positions(), strict=True):
        for prefix in ("DEF-", "ORG-"):
            rows[prefix + name] = None if p < 0 else prefix + skeleton.names[p]
            places[prefix + name] = place
    assert moved(tree(rows, places)) == {joint: f"ORG-{name}" for joint, name in OURS.items()}
    nameless = {name: f"b{i}" for i, name in enumerate(rows)}
    hidden = tree(
        {nameless[name]: p and nameless[p] for name, p in rows.items() if not name.startswith("DEF")},
        {nameless[name]: place for name, place in places.items()},
    )
    found = humanoid.match(hidden)
    assert found.rule == "structure"
    limbs = [j for j in OURS if "collar" not in j]
    by_place = {j: nameless[f"ORG-{OURS[j]}"] for j in limbs}
    assert {j: name for j, name in moved(hidden).items() if j in limbs} == by_place


def test_refusals_say_what_is_there_and_what_is_missing():
    with pytest.raises(FootlightError, match=r"0 joints \(none\)"):
        humanoid.match(Skeleton((), (), np.zeros((0, 3))))
    legless = OURS | dict.fromkeys(("left_knee", "left_ankle", "left_foot"))
    with pytest.raises(
        FootlightError, match=r"there are thigh\.L, thigh\.R, shin\.R \.\.\., but no left shin, no left"
    ):
        humanoid.match(renamed(legless))
    skeleton = renamed(OURS)
    parents = tuple(-1 if name == "shin.L" else p for name, p in zip(skeleton.names, skeleton.parents, strict=True))
    with pytest.raises(FootlightError, match=r"shin\.L does not hang on .*thigh\.L"):
        humanoid.match(replace(skeleton, parents=parents, offsets=np.zeros((22, 3))))


@pytest.mark.parametrize("gone", ["left_hip", "right_knee", "right_elbow"])
def test_a_limb_without_one_of_its_joints_is_refused(gone):
    """As long as the other, but it bends elsewhere."""
    with pytest.raises(FootlightError, match=r"but no (left thigh|right shin|right forearm)\)"):
        humanoid.match(renamed(OURS | {gone: None}))


def test_a_spider_is_refused():
    rows: dict[str, str | None] = {"body": None}
    places = {"body": (0.0, 1.0, 0.0)}
    for leg in range(8):
        above, angle = "body", leg * np.pi / 4
        for part, out in enumerate((0.2, 0.7, 1.2, 1.5)):
            name = f"leg{leg}_{part}"
            rows[name] = above
            places[name] = (out * np.cos(angle), 1.0 - 0.2 * part, out * np.sin(angle))
            above = name
    with pytest.raises(FootlightError, match="two legs and arms"):
        humanoid.match(tree(rows, places))
