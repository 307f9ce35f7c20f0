"""Which bone is which: found, put right by hand, and as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import FootlightError
from core.rig import mapping
from core.rig.skeleton import JOINTS, Skeleton
from tests.core.rig.characters import character, trees

MIXAMO = character(trees()["Mixamo"])
NAMELESS = MIXAMO.nameless()


def test_what_is_found_is_told_with_a_score():
    found = mapping.find(MIXAMO.skeleton)
    assert found.bones == MIXAMO.joints and found.score == 1.0 and not found.lacking
    assert (found.rule, found.pelvis) == ("motionbuilder", "mixamorig:Hips")
    old = mapping.find(character(trees()["Biovision, old"]).skeleton)
    assert old.score == pytest.approx(18 / 22), "no spine1, spine2 and toes"
    assert mapping.find(NAMELESS.skeleton).rule == "structure"
    assert set(mapping.WORDS) == set(JOINTS)


def test_a_choice_replaces_what_was_found():
    chosen = {"neck": "mixamorig:Head", "head": mapping.NOT_THERE, "left_wrist": "gone"}
    found = mapping.find(MIXAMO.skeleton, chosen)
    assert found.bones == {j: n for j, n in MIXAMO.joints.items() if j != "head"} | {"neck": "mixamorig:Head"}
    assert found.rule == "motionbuilder" and not found.lacking


def test_a_bone_moves_with_one_joint():
    found = mapping.find(MIXAMO.skeleton, {"spine1": MIXAMO.joints["spine2"]})
    assert found.bones["spine1"] == MIXAMO.joints["spine2"] and "spine2" not in found.bones


def test_what_is_missing_is_told_in_plain_words():
    found = mapping.find(MIXAMO.skeleton, {"left_knee": mapping.NOT_THERE, "right_shoulder": mapping.NOT_THERE})
    assert found.lacking == " (the list of its bones has no left shin, no right upper arm)"
    odd = mapping.find(MIXAMO.skeleton, {"left_knee": "mixamorig:Head"})
    assert odd.lacking == (" (mixamorig:Head, its left shin, does not hang on mixamorig:LeftUpLeg, its left thigh)")


def test_a_list_makes_a_body_of_what_is_none():
    """Bones without names, one of whose arms is in no place where an arm could be."""
    names = ("a", "b", *NAMELESS.names)
    heads = [(0.0, 0.0, 0.0), (0.0, 3.0, 0.0), *NAMELESS.heads]
    parents = [-1, 0, *(p + 2 if p >= 0 else 1 for p in NAMELESS.parents)]
    elbow = NAMELESS.names.index(NAMELESS.joints["left_elbow"]) + 2
    heads[elbow] = heads[parents[elbow]] + 0.05 * (heads[elbow] - heads[parents[elbow]])
    above = np.array([heads[p] if p >= 0 else (0.0, 0.0, 0.0) for p in parents])
    tree = Skeleton(names, tuple(parents), np.array(heads) - above)
    assert mapping.find(tree).lacking or mapping.find(tree).bones != NAMELESS.joints
    found = mapping.find(tree, NAMELESS.joints)
    assert found.bones == NAMELESS.joints and not found.lacking


def test_a_list_goes_through_a_file():
    text = mapping.to_json({joint: name for joint, name in MIXAMO.joints.items() if joint != "head"})
    assert json.loads(text)["bones"]["head"] is None
    back = mapping.from_json(text, MIXAMO.names)
    assert back == MIXAMO.joints | {"head": mapping.NOT_THERE}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no list of bones"),
        (b"\xff\xd8\xff\xe0", "no list of bones"),
        ("[]", "no list of bones"),
        ('{"format": "footlight-bones 1", "bones": 3}', "no list of bones"),
        ('{"format": "footlight-bones 1", "bones": {"tail": "x"}}', "no list of bones"),
        ('{"format": "footlight-bones 1", "bones": {"head": 3}}', "no list of bones"),
        ('{"format": "other", "bones": {"head": "x"}}', "no list of bones"),
        ('{"format": "footlight-bones 1", "bones": {"head": "Kopf"}}', "names Kopf, which this rig does not have"),
    ],
)
def test_other_files_are_refused(text, words):
    with pytest.raises(FootlightError, match=words):
        mapping.from_json(text, MIXAMO.names)
