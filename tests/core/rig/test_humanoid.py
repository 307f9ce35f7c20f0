"""Whose joints are ours: by their names, and by their shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import FootlightError
from core.formats import bvh
from core.motion.skeleton import SMPL22
from core.rig import humanoid, naming
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS, PARENTS, Skeleton, standing
from tests.core.motion.rigs import RIGS, Foreign, bvh_text, dance
from tests.core.rig.characters import Character, character, trees


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
    assert naming.side_and_part(name) == expected


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


def decorated(pattern: str) -> dict[str, str]:
    return {joint: pattern.format(name.removeprefix("mixamorig:")) for joint, name in RIGS["mixamo"].items()}


def sided(trunk: str, *parts: str) -> dict[str, str]:
    """Names of a rig.

    trunk: pelvis, three of the spine, neck and head.
    parts: of a leg and an arm, {S} for L and R, {Side} for Left and Right.
    """
    names = dict(zip(("pelvis", "spine1", "spine2", "spine3", "neck", "head"), trunk.split(), strict=True))
    roles = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
    for side in ("left", "right"):
        for role, part in zip(roles, parts, strict=True):
            names[f"{side}_{role}"] = part.format(S=side[0].upper(), s=side[0], Side=side.title())
    return names


@pytest.mark.parametrize(
    "names",
    [
        *map(
            decorated,
            (
                "mixamorig1:{}", "mixamorig_{}", "mixamorig12_{}", "Character1_{}", "Bob_{}", "Robot_{}",
                "scene:Bob:mixamorig:{}", "mixamorig:{}.001", "{}_jnt", "骨架_{}",
            ),
        ),
        {joint: name.lower() for joint, name in decorated("{}").items()},
        {joint: f"DEF-{name}" for joint, name in RIGS["rigify"].items()},
        {joint: f"m_avg_{name}" for joint, name in sided(
            "Pelvis Spine1 Spine2 Spine3 Neck Head", "{S}_Hip", "{S}_Knee", "{S}_Ankle", "{S}_Foot", "{S}_Collar",
            "{S}_Shoulder", "{S}_Elbow", "{S}_Wrist").items()},
        sided("Hips Spine1 Spine2 Spine3 Neck Head", "{Side}Thigh", "{Side}Shin", "{Side}Foot", "{Side}Toe",
              "{Side}Shoulder", "{Side}Arm", "{Side}ForeArm", "{Side}Hand"),
        sided("pelvis spine_0 spine_1 spine_2 neck_0 head", "leg_upper_{S}", "leg_lower_{S}", "ankle_{S}", "ball_{S}",
              "clavicle_{S}", "arm_upper_{S}", "arm_lower_{S}", "hand_{S}"),
        sided("Hips Spine_01 Spine_02 Spine_03 Neck Head", "UpperLeg_{S}", "LowerLeg_{S}", "Ankle_{S}", "Ball_{S}",
              "Clavicle_{S}", "Shoulder_{S}", "Elbow_{S}", "Hand_{S}"),
        sided("pelvis stomach belly chest neck head", "thigh_{s}", "calf_{s}", "foot_{s}", "toe_{s}", "clavicle_{s}",
              "arm_{s}", "forearm_{s}", "hand_{s}"),
        sided("pelvis_jnt spine1_jnt spine2_jnt spine3_jnt neck_jnt head_jnt", "{s}_thigh_jnt", "{s}_shin_jnt",
              "{s}_foot_jnt", "{s}_toe_jnt", "{s}_clavicle_jnt", "{s}_upperarm_jnt", "{s}_forearm_jnt", "{s}_hand_jnt"),
        sided("Pelvis L5 L3 T8 Neck Head", "{Side}UpperLeg", "{Side}LowerLeg", "{Side}Foot", "{Side}Toe",
              "{Side}Shoulder", "{Side}UpperArm", "{Side}ForeArm", "{Side}Hand"),
        sided("センター 上半身 上半身1 上半身2 首 頭", "足.{S}", "ひざ.{S}", "足首.{S}", "つま先.{S}", "肩.{S}",
              "腕.{S}", "ひじ.{S}", "手首.{S}"),
        sided("center upper_body upper_body_1 upper_body_2 neck head", "leg_{S}", "knee_{S}", "ankle_{S}", "toe_{S}",
              "shoulder_{S}", "arm_{S}", "elbow_{S}", "wrist_{S}"),
    ],
    ids=lambda names: names["left_hip"],
)  # fmt: skip
def test_names_as_people_have_them(names):
    assert humanoid.match(renamed(names)).rule != "structure"
    assert moved(renamed(names)) == names


def test_fingers_are_no_affix():
    """Most bones of a rig may be those of its hands."""
    names = decorated("{}")
    skeleton = renamed(names)
    rows = {n: None if p < 0 else skeleton.names[p] for n, p in zip(skeleton.names, skeleton.parents, strict=True)}
    places = dict(zip(skeleton.names, map(tuple, skeleton.rest_positions()), strict=True))
    for side in ("Left", "Right"):
        for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky"):
            for part in range(1, 5):
                name = f"{side}Hand{finger}{part}"
                rows[name] = f"{side}Hand{finger}{part - 1}" if part > 1 else f"{side}Hand"
                x, y, z = places[f"{side}Hand"]
                places[name] = (x + (0.03 * part if side == "Left" else -0.03 * part), y, z)
    assert moved(tree(rows, places)) == names


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


def without(one: Character, gone: str) -> Character:
    """A character that lacks a bone and all that hang on it."""
    kept = [i for i in range(len(one.names)) if one.names.index(gone) not in one.skeleton.ancestors(i)]
    parents = tuple(kept.index(one.parents[i]) if one.parents[i] >= 0 else -1 for i in kept)
    names = tuple(one.names[i] for i in kept)
    joints = {joint: name for joint, name in one.joints.items() if name in names}
    return Character(names, parents, one.heads[kept], one.tails[kept], joints)


@pytest.mark.parametrize("gone", ["LeftForeArm", "LeftArm", "LeftFoot"])
def test_fingers_are_no_limbs(gone):
    """A body lacks a limb, and both its hands have five branches that are as long as each other."""
    one = character(trees()["Mixamo"])
    less = without(one, next(name for name in one.names if name.endswith(gone)))
    for skeleton in (less.skeleton, less.nameless().skeleton):
        with pytest.raises(FootlightError, match="no two legs and arms could be found"):
            humanoid.match(skeleton)


def test_the_shape_does_not_overrule_names_that_most_joints_have():
    """Halves of thighs and shins, on which no feet hang, would make legs."""
    skeleton = character(trees()["MakeHuman default"]).skeleton
    loose = tuple(-1 if n.startswith("foot") else p for n, p in zip(skeleton.names, skeleton.parents, strict=True))
    with pytest.raises(FootlightError, match=r"foot\.L does not hang on the trunk by lowerleg01\.L"):
        humanoid.match(replace(skeleton, parents=loose))


def test_collar_bones_are_known_by_their_place():
    one = character(trees()["Mixamo"]).nameless()
    collars = ("left_collar", "right_collar")
    assert [moved(one.skeleton)[collar] for collar in collars] == [one.joints[collar] for collar in collars]


def test_a_bone_is_no_head_on_which_limbs_hang():
    skeleton = renamed({joint: f"bone{i}" for i, joint in enumerate(JOINTS)} | {"pelvis": "head"})
    assert moved(skeleton)["pelvis"] == "head"


def test_left_and_right_go_by_the_feet_where_names_have_them_exchanged():
    mirrored = {joint.replace("left", "r!ght").replace("right", "left").replace("!", "i"): joint for joint in OURS}
    exchanged = {joint: OURS[mirrored[joint]] for joint in OURS}
    assert moved(renamed(exchanged)) == exchanged


def hung(one: Character, **elsewhere: str) -> Skeleton[np.ndarray]:
    """A character some of whose bones hang on others, in the order of an armature. elsewhere: bone -> its parent."""
    parents = {name: one.names[p] if p >= 0 else "" for name, p in zip(one.names, one.parents, strict=True)} | elsewhere
    order: list[str] = []
    while left := [name for name in one.names if name not in order]:
        order += [name for name in left if not parents[name] or parents[name] in order]
    heads = {name: one.heads[one.names.index(name)] for name in order}
    above = [heads.get(parents[name], np.zeros(3)) for name in order]
    offsets = np.array([heads[name] - at for name, at in zip(order, above, strict=True)])
    indices = tuple(order.index(parents[name]) if parents[name] else -1 for name in order)
    return Skeleton(tuple(order), indices, offsets)


def test_feet_may_hang_on_the_root_where_shins_have_none():
    one = character(trees()["KayKit"])
    loose = hung(one, **{"foot.l": "root", "foot.r": ""})
    assert moved(loose)["left_ankle"] == "foot.l" and moved(loose)["right_foot"] == "toes.r"
    lost = hung(one, **{"foot.l": "root", "foot.r": "root", "toes.l": "root", "toes.r": "root"})
    assert moved(lost)["left_ankle"] == "foot.l" and moved(lost).get("left_foot") is None


def test_controls_of_feet_are_not_taken_for_feet():
    """A shin has a foot of its own, and what is called after one hangs on the root."""
    one = character(trees()["KayKit"])
    names = tuple(name.replace("foot", "lower") if name.startswith("foot") else name for name in one.names)
    both = Character(
        (*names, "foot.l", "foot.r"),
        (*one.parents, 0, 0),
        np.concatenate((one.heads, [one.heads[one.names.index(f"foot.{s}")] for s in "lr"])),
        np.concatenate((one.tails, [one.tails[one.names.index(f"foot.{s}")] for s in "lr"])),
    )
    assert moved(both.skeleton)["left_ankle"] == "lower.l"


@pytest.mark.parametrize("degrees", [70, 90, 110])
def test_animals_are_refused_whatever_their_bones_are_called(degrees):
    """A body that is bent forward at the hips, with arms that hang, stands on four legs."""
    one = character(trees()["Mixamo"])
    turn = np.array((np.cos(np.radians(degrees / 2)), np.sin(np.radians(degrees / 2)), 0.0, 0.0))
    hips, heads = one.heads[0], one.heads.copy()
    legs = {i for i, name in enumerate(one.names) if any(w in name for w in ("Leg", "Foot", "Toe"))}
    arms = {i for i, name in enumerate(one.names) if any(w in name for w in ("Arm", "Hand"))}
    for i in set(range(len(heads))) - legs - arms:
        heads[i] = hips + quat.rotate(turn, heads[i] - hips)
    for side in ("Left", "Right"):
        first = one.names.index(f"mixamorig:{side}Arm")
        start = hips + quat.rotate(turn, one.heads[first] - hips)
        for i in arms:
            if side in one.names[i]:
                along = np.linalg.norm(one.heads[i] - one.heads[first])
                heads[i] = start - (0.0, along, 0.0)
    bent = replace(one, heads=heads)
    with pytest.raises(humanoid.OnAllFours, match="stands on four legs"):
        humanoid.match(bent.skeleton)
    with pytest.raises(humanoid.OnAllFours):
        humanoid.match(bent.nameless().skeleton)


@pytest.mark.parametrize("family", ["Biped", "Mixamo", "Unreal 4", "KayKit", "VRoid"])
def test_numbers_that_every_name_has_tell_nothing(family):
    """Files from Sketchfab have them: Bip001 Head_06."""
    one = character(trees()[family])
    numbers = {name: f"{name}_{i:02d}" for i, name in enumerate(one.names)}
    assert moved(replace(one, names=tuple(numbers.values())).skeleton) == {
        joint: numbers[name] for joint, name in moved(one.skeleton).items()
    }
