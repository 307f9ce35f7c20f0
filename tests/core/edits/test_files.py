import json
import math

import numpy as np
import pytest

from core.edits import keys_file, path_file
from core.edits.keys_file import Key
from core.edits.parts import BODY_PARTS, joints_of, parse_parts
from core.edits.path_file import FloorPath
from core.errors import FootlightError
from core.rig.skeleton import JOINTS


def test_words_mean_parts_and_parts_joints():
    assert parse_parts("all") == tuple(BODY_PARTS)
    assert parse_parts("Head, left_arm") == parse_parts("left arm,head") == ("head", "left arm")
    assert set(parse_parts("upper")) | set(parse_parts("lower")) == set(BODY_PARTS)
    assert parse_parts("arms") == parse_parts("left arm, right arm")
    assert [JOINTS[index] for index in joints_of(("head",))] == ["neck", "head"]
    assert joints_of(tuple(BODY_PARTS)) == tuple(range(22))
    with pytest.raises(FootlightError, match="unknown part of the body 'tail': choose among all, upper"):
        parse_parts("arms, tail")


def test_keys_are_read_and_written():
    keys = (
        Key(seconds=12.5),
        Key(frame=402, joints="left arm, head"),
        Key(seconds=14.0, rotations={"left_elbow": (0.8, 0.0, -0.6, 0.0)}, root=(0.4, 0.93, 1.1)),
    )
    assert keys_file.from_json(keys_file.to_json(keys)) == keys
    assert json.loads(keys_file.to_json(keys))["keys"][0] == {"seconds": 12.5}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({}, 'at "seconds" or at a "frame"'),
        ({"seconds": 1, "frame": 2}, "one of the two"),
        ({"seconds": -1}, "0 or more"),
        ({"frame": 1.5}, "expected int"),
        ({"frame": 1, "joints": "tail"}, "unknown part"),
        ({"frame": 1, "joint": "head"}, "unknown field 'joint'"),
        ({"frame": 1, "rotations": {"tail": [1, 0, 0, 0]}}, "unknown joint 'tail'"),
        ({"frame": 1, "rotations": {"head": [1, 0, 0]}}, "unit quaternion"),
        ({"frame": 1, "rotations": {"head": [1, 1, 0, 0]}}, "unit quaternion"),
        ({"frame": 1, "rotations": {"head": [1, 0, 0, 0]}, "joints": "head"}, "both joints and a pose"),
        ({"frame": 1, "root": [0, 1]}, "x, y and z"),
    ],
)
def test_wrong_keys_are_refused_in_words(key, words):
    with pytest.raises(FootlightError, match=words):
        keys_file.from_json(json.dumps({"keys": [key]}))


@pytest.mark.parametrize("read", [keys_file.from_json, path_file.from_json])
@pytest.mark.parametrize(
    ("text", "words"), [("[", "no JSON"), ("[]", "object"), ('{"format": "footlight-beats 1"}', "expected 'footlight")]
)
def test_other_files_are_refused_in_words(read, text, words):
    with pytest.raises(FootlightError, match=words):
        read(text)


def test_no_keys_are_refused():
    with pytest.raises(FootlightError, match="no keys"):
        keys_file.from_json('{"keys": []}')


def test_a_path_is_walked_evenly_or_by_its_times():
    path = FloorPath(((0.0, 0.0), (3.0, 0.0), (3.0, 1.0)))
    places = path.at(np.array([0.0, 4.0, 7.0, 8.0, 12.0, 20.0]), 4.0, 12.0)
    assert np.allclose(places, [[0, 0], [0, 0], [1.5, 0], [2, 0], [3, 1], [3, 1]]) and path.length == 4
    timed = FloorPath(((0.0, 0.0), (3.0, 0.0), (3.0, 1.0)), "kept", (0.0, 2.0, 4.0))
    assert np.allclose(timed.at(np.array([1.0, 3.0]), 4.0, 12.0), [[1.5, 0], [3, 0.5]])
    for one in (path, timed):
        assert path_file.from_json(path_file.to_json(one)) == one
    with pytest.raises(FootlightError, match=r"danced at 4.0 m/s; expected 3 m/s"):
        path.at(np.array([0.0]), 0.0, 1.0)


def test_a_path_may_be_too_fast_in_one_place_alone():
    """On average it is slow: 1.1 m in 2 s, of which 1 m in the first 0.2 s."""
    path = FloorPath(((0.0, 0.0), (1.0, 0.0), (1.1, 0.0)), seconds=(0.0, 0.2, 2.0))
    with pytest.raises(FootlightError, match=r"danced at 5.0 m/s"):
        path.check_pace(0.0, 2.0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"points": [[0, 0]]}, "two or more"),
        ({"points": [[0, 0, 0], [1, 1, 1]]}, "pairs"),
        ({"points": [[0, 0], [math.inf, 1]]}, "farther than 1000 m"),
        ({"points": [[1, 1], [1, 1]]}, "in one place"),
        ({"points": [[0, 0], [1, 1]], "facing": "away"}, "along or kept"),
        ({"points": [[0, 0], [1, 1]], "seconds": [1]}, "expected one each"),
        ({"points": [[0, 0], [1, 1]], "seconds": [2, 1]}, "increase"),
        ({"points": [[0, 0], ["1", 1]]}, "expected float"),
    ],
)
def test_wrong_paths_are_refused_in_words(fields, words):
    with pytest.raises(FootlightError, match=words):
        path_file.from_json(json.dumps(fields))
