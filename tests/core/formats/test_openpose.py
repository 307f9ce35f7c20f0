"""OpenPose files written from a known walk come back as that walk."""

import json
import math

import numpy as np
import pytest
import torch

from core.errors import FootlightError, collected_warnings
from core.formats.openpose import read_folder

SCALE = 200.0  # pixels a metre
BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14)  # where the 14 joints are in it


def body(t):
    """(14, 2) metres, y up, the middle of the hips at (0, 0); arms and legs swing."""
    swing = 0.2 * math.sin(t / 5)
    right = [(-0.2, 0.5), (-0.3, 0.25), (-0.3 + swing, 0.0)]
    left = [(0.2, 0.5), (0.3, 0.25), (0.3 - swing, 0.0)]
    legs = [(-0.1, 0.0), (-0.1, -0.4), (-0.1, -0.85), (0.1, 0.0), (0.1, -0.4), (0.1, -0.85)]
    return np.array([(0.0, 0.7), (0.0, 0.5), *right, *left, *legs])


def person(points, confidence=0.9):
    """75 numbers: the 14 joints among the 25, the rest unseen; pixels, y down."""
    keypoints = np.zeros((25, 3))
    keypoints[list(BODY_25), :2] = points * (SCALE, -SCALE) + (640, 360)
    keypoints[list(BODY_25), 2] = confidence
    return {"pose_keypoints_2d": keypoints.ravel().tolist()}


def write(folder, frames):
    folder.mkdir(exist_ok=True)
    for number, people in enumerate(frames):
        (folder / f"clip_{number:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def truth(count):
    return torch.from_numpy(np.stack([body(t) for t in range(count)])).float()


def test_a_walk_comes_back_in_metres(tmp_path):
    found = read_folder(write(tmp_path / "a", [[person(body(t))] for t in range(12)]))
    torch.testing.assert_close(found, truth(12), atol=2e-3, rtol=0)


def test_gaps_are_bridged_and_ends_hold_still(tmp_path):
    frames = [[person(body(t))] for t in range(12)]
    frames[5], frames[11] = [], []
    frames[7][0]["pose_keypoints_2d"][4 * 3 + 2] = 0.01  # a wrist that is not believed
    frames[7][0]["pose_keypoints_2d"][4 * 3] = 5000.0
    found = read_folder(write(tmp_path / "a", frames))
    expected = truth(12)
    torch.testing.assert_close(found[5], (expected[4] + expected[6]) / 2, atol=2e-3, rtol=0)
    torch.testing.assert_close(found[7, 4], (expected[6, 4] + expected[8, 4]) / 2, atol=2e-3, rtol=0)
    torch.testing.assert_close(found[11], found[10])


def test_the_same_person_is_followed(tmp_path):
    other = [person(0.6 * body(t) + (2.0, 0.3)) for t in range(12)]
    frames = [[other[t], person(body(t))] if t % 2 else [person(body(t)), other[t]] for t in range(12)]
    torch.testing.assert_close(read_folder(write(tmp_path / "a", frames)), truth(12), atol=2e-3, rtol=0)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(FootlightError, match="expected a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(FootlightError, match="nobody is seen in 75%"):
        read_folder(write(tmp_path / "empty", [[person(body(0))], [], [], []]))
    hidden = [person(body(t)) for t in range(4)]
    for someone in hidden[:3]:
        someone["pose_keypoints_2d"][10 * 3 : 10 * 3 + 3] = [0, 0, 0]  # BODY_25's right knee, the tenth of the 14
    with pytest.raises(FootlightError, match="joint 9 of 14 is hidden in 75%"):
        read_folder(write(tmp_path / "hidden", [[p] for p in hidden]))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.json").write_text("{")
    with pytest.raises(FootlightError, match="not an OpenPose file"):
        read_folder(tmp_path / "broken")
    with pytest.raises(FootlightError, match="BODY_25 has 75"):
        read_folder(write(tmp_path / "other", [[{"pose_keypoints_2d": [0.0] * 60}]]))


# frame numbers are time


def named(folder, names, poses=None):
    """A film whose files have these names, with the poses of these times."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        time = number if poses is None else poses[number]
        (folder / f"{name}.json").write_text(json.dumps({"people": [person(body(time))]}))
    return folder


def read(folder, fps=30.0):
    with collected_warnings() as said:
        return read_folder(folder, fps), [text.removeprefix(f"{folder}: ") for text in said]


WITH_A_GAP = [*range(20), *range(26, 60)]
NAMES = {
    "as OpenPose writes them": "dance_{:012d}_keypoints",
    "a number after it": "frame_{}_body25",
    "numbers before and after": "take2_cam01_frame_{}_body25_v1.3",
    "the number alone": "{}",
    "the number first": "{}_of_60",
    "with a date": "2024-05-01 12.30.00 ({})",
    "brackets": "img[{:04d}]",
    "from one": "f{:d}",
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_frames_number_is_the_one_that_changes(kind, tmp_path):
    """Files are written in the order of the alphabet, and frames 20 to 25 have none."""
    first = 1 if kind == "from one" else 0
    names = {NAMES[kind].format(number + first): number for number in WITH_A_GAP}
    folder = named(tmp_path / "film", sorted(names), [names[name] for name in sorted(names)])
    found, said = read(folder)
    assert len(found) == 60 and said == [
        f"there are no files for frames {20 + first}-{25 + first}; the movement is interpolated there"
    ]
    there = torch.tensor(WITH_A_GAP)
    torch.testing.assert_close(found[there], truth(60)[there], atol=2e-3, rtol=0)
    share = (torch.arange(20, 26) - 19.0)[:, None, None] / 7
    torch.testing.assert_close(found[20:26], found[19] + share * (found[26] - found[19]), atol=1e-5, rtol=0)


def test_a_running_number_beside_the_frames(tmp_path):
    """What the detector wrote is counted, and the frame is named."""
    names = [f"{count:04d}_frame-{number}" for count, number in enumerate(WITH_A_GAP)]
    found, said = read(named(tmp_path / "film", names, WITH_A_GAP))
    assert len(found) == 60 and "frames 20-25" in said[0]


def test_a_clock_beside_the_number_and_a_clock_alone(tmp_path):
    clock = [1_700_000_000_000 + round(33.4 * number) for number in range(30)]
    found, said = read(named(tmp_path / "both", [f"{time}_{number}" for number, time in enumerate(clock)]))
    torch.testing.assert_close(found, truth(30), atol=2e-3, rtol=0)
    assert not said
    del clock[10:13]
    times = [*range(10), *range(13, 30)]
    found, said = read(named(tmp_path / "clock", [str(time) for time in clock], times))
    assert len(found) == 30 and "go up by 33" in said[0] and "no files for frames 10-12" in said[1]
    torch.testing.assert_close(found[times], truth(30)[times], atol=2e-3, rtol=0)


@pytest.mark.parametrize("stride", [2, 3, 5])
def test_a_detector_that_skips_frames(stride, tmp_path):
    """The film's rate stays the film's."""
    numbers = range(0, 61, stride)
    found, said = read(named(tmp_path / "film", [f"f_{number:06d}" for number in numbers], numbers))
    assert len(found) == numbers[-1] + 1 and f"one in {stride} frames" in said[0]
    torch.testing.assert_close(found, truth(len(found)), atol=0.02, rtol=0)


def test_a_dancer_who_comes_late(tmp_path):
    """The detector wrote nothing before; the music must not be early by that."""
    numbers = range(25, 85)
    found, said = read(named(tmp_path / "film", [f"f_{number}" for number in numbers], numbers))
    assert len(found) == 85 and said == ["there are no files for frames 0-24; the movement is interpolated there"]
    known = truth(85) - truth(85)[25, [8, 11]].mean(0)
    torch.testing.assert_close(found[25:], known[25:], atol=2e-3, rtol=0)
    assert (found[:25] == found[25]).all()


@pytest.mark.parametrize(("first", "count"), [(90, 40), (1001, 1100), (86400, 50)])
def test_a_part_of_a_long_film(first, count, tmp_path):
    found, said = read(named(tmp_path / "film", [f"f_{number}" for number in range(first, first + count)]), 120.0)
    assert len(found) == count and f"first file is that of frame {first}" in said[0]


def test_keypoints_that_are_shares_of_the_picture(tmp_path):
    frames = [person(body(t)) for t in range(20)]
    for someone in frames:
        keypoints = np.array(someone["pose_keypoints_2d"]).reshape(25, 3) / (1280, 720, 1)
        someone["pose_keypoints_2d"] = keypoints.ravel().tolist()
    _, said = read(write(tmp_path / "film", [[someone] for someone in frames]))
    assert said == ["its keypoints are shares of the picture, which distorts films that are not square; write pixels"]


def test_names_without_numbers_are_in_the_order_of_the_alphabet(tmp_path):
    found, said = read(named(tmp_path / "film", ["a", "b", "c", "d"]))
    torch.testing.assert_close(found, truth(4), atol=2e-3, rtol=0)
    assert not said


def test_a_file_without_a_number_among_others_is_left_out(tmp_path):
    folder = named(tmp_path / "film", [f"f_{number}" for number in range(30)])
    (folder / "settings.json").write_text("{}")
    found, said = read(folder)
    assert len(found) == 30 and said == ["settings.json has no frame number in its name and was left out"]


def test_many_gaps_are_named_in_short(tmp_path):
    numbers = [number for number in range(100) if number % 10 not in (3, 4)] + [100]
    _, said = read(named(tmp_path / "film", [f"f_{number}" for number in numbers], numbers))
    assert said == [
        "there are no files for frames 3-4, 13-14, 23-24 and 7 more stretches; the movement is interpolated there"
    ]


def test_what_is_no_film_is_refused_in_words(tmp_path):
    names = [f"cam{camera}_{number:03d}" for camera in (1, 2) for number in range(20)]
    with pytest.raises(FootlightError, match=r"'cam1_000' and 'cam2_000' have the same frame number.*own"):
        read_folder(named(tmp_path / "cameras", names))
    names = [f"{take}_{number:03d}" for take in ("red", "blue") for number in range(20)]
    with pytest.raises(FootlightError, match="have the same frame number"):
        read_folder(named(tmp_path / "takes", names))
    names = [f"f_{number}" for number in (*range(20), *range(5000, 5020))]
    with pytest.raises(FootlightError, match=r"40 files for the 5020 frames.*at most 50%"):
        read_folder(named(tmp_path / "far", names))


# impossible jumps


@pytest.mark.parametrize("fps", [12.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("length", [1, 4, 15])
def test_a_wrist_that_jumps_is_a_gap(fps, length, tmp_path):
    """Of the same dance at any rate, far or only out of the body's reach."""
    count = 60
    poses = [body(t * 30 / fps) for t in range(count)]
    for aside in ((20.0, 3.0), (0.9, -1.1), (-1.5, 0.0)):
        if length / fps > 1 and max(aside) < 2:  # a second within reach is no slip
            continue
        frames = [pose.copy() for pose in poses]
        for t in range(20, 20 + length):
            frames[t][7] += aside
        found, said = read(write(tmp_path / f"film{aside[0]}", [[person(pose)] for pose in frames]), fps)
        assert said == [f"{length} keypoints jump farther than a body moves; they are interpolated"]
        known = torch.from_numpy(np.stack(poses)).float()
        others = [joint for joint in range(14) if joint != 7]
        torch.testing.assert_close(found[:, others], known[:, others], atol=2e-3, rtol=0)
        share = (torch.arange(1, length + 1) / (length + 1))[:, None]
        between = found[19, 7] + share * (found[20 + length, 7] - found[19, 7])
        torch.testing.assert_close(found[20 : 20 + length, 7], between, atol=2e-3, rtol=0)


def test_fast_dancers_are_left_alone(tmp_path):
    """Wrists at 11 m/s, a body that runs through the picture, a camera that pans and zooms, pixels that tremble."""
    draw, frames = np.random.default_rng(0), []
    for t in range(120):
        pose = body(t)
        pose[4] += 0.65 * np.array([math.sin(t / 30 * 17), math.cos(t / 30 * 17)])
        pose = (1 + 0.3 * math.sin(t / 20)) * (pose + np.array((t / 30 * 5.0, 0.1 * math.sin(t))))
        frames.append([person(pose + draw.normal(0, 0.01, pose.shape))])
    _, said = read(write(tmp_path / "film", frames))
    assert not said


def test_a_hand_that_was_something_else_for_long_is_a_gap_too(tmp_path):
    """Four seconds of another thing in the picture, out of the body's reach."""
    frames = [[person(body(t) + np.eye(14)[:, [4]] * (9.0, 0.0) * (60 <= t < 180))] for t in range(300)]
    found, said = read(write(tmp_path / "film", frames))
    assert said == ["120 keypoints jump farther than a body moves; they are interpolated"]
    assert (found[:, 4] - truth(300)[:, 4]).norm(dim=-1).max() < 0.5


def test_a_limb_that_jumps_and_stays_there_is_kept(tmp_path):
    """Such as where a capture was put together from two takes."""
    frames = [[person(body(t) + np.eye(14)[:, [4, 10]].sum(1)[:, None] * (0.9, 0.0) * (t >= 60))] for t in range(150)]
    found, said = read(write(tmp_path / "film", frames))
    step = (found[61:, [4, 10], 0] - found[:-61, [4, 10], 0]).mean()
    assert step > 0.5 and not said


def test_a_cut_of_the_film_is_no_jump(tmp_path):
    frames = [[person(body(t))] for t in range(40)] + [[person(2.2 * body(t) + (3.0, 0.5))] for t in range(40, 80)]
    found, said = read(write(tmp_path / "film", frames))
    assert len(found) == 80 and not said


def test_a_body_that_was_something_else_for_a_moment(tmp_path):
    frames = [[person(body(t))] for t in range(60)]
    chair = np.random.default_rng(1).uniform(-3.0, 3.0, (14, 2))
    frames[30] = frames[31] = [person(chair)]
    found, said = read(write(tmp_path / "film", frames))
    assert "jump farther" in said[0]
    assert (found[30:32] - truth(60)[30:32]).norm(dim=-1).max() < 0.05


def test_a_joint_that_jumps_all_the_time_stays_as_it_is(tmp_path):
    frames = [[person(body(t) + np.eye(14)[:, [4]] * (5.0 * (t % 2), 0.0))] for t in range(60)]
    found, _ = read(write(tmp_path / "film", frames))
    assert len(found) == 60


# several people


def crossing(t, side):
    """Two dancers of one size who change places."""
    return body(t + 7 * side) + np.array(((t - 30) / 30 * (2 if side else -2), 0.02 * side))


@pytest.mark.parametrize("seed", range(4))
def test_people_who_cross_are_not_confused(seed, tmp_path):
    """Their order in the files is drawn anew in every frame, and one hides the other while they pass."""
    draw, frames = np.random.default_rng(seed), []
    for t in range(61):
        everyone = [person(1.05 * crossing(t, 0)), person(crossing(t, 1))]
        if t in (29, 30, 31):
            del everyone[seed % 2]
        frames.append([everyone[k] for k in draw.permutation(len(everyone))])
    found, _ = read(write(tmp_path / "film", frames))
    known = torch.from_numpy(np.stack([1.05 * crossing(t, 0) for t in range(61)])).float()
    known = (known - known[:1, [8, 11]].mean(1, keepdim=True)) * (found[0, 1, 1] / known[0, 1, 1])
    assert (found - known).norm(dim=-1)[[*range(28), *range(33, 61)]].max() < 0.05


def test_one_who_is_hidden_is_not_taken_for_another(tmp_path):
    """The other stands beside and stays; the dancer is not seen for 15 frames."""
    frames = [[person(body(t)), person(0.9 * body(2 * t) + (1.2, 0.0))] for t in range(60)]
    for t in range(20, 35):
        del frames[t][0]
    found, _ = read(write(tmp_path / "film", frames))
    assert (found[:, [8, 11]].mean(1)).norm(dim=-1).max() < 0.05
    known = truth(60)
    torch.testing.assert_close(found[40:], known[40:], atol=2e-3, rtol=0)


def test_when_one_leaves_for_good_the_film_goes_on_with_the_other(tmp_path):
    frames = [[person(0.8 * body(t) + (2.5, 0.0))] for t in range(90)]
    for t in range(10):
        frames[t].append(person(1.2 * body(t)))
    found, _ = read(write(tmp_path / "film", frames))
    moved = found[20:, 4] - found[20:, 1]
    assert float(moved[:, 0].std()) > 0.05, "the arm of the one who stays swings"


def test_people_who_leap_from_frame_to_frame_are_read_all_the_same(tmp_path):
    draw = np.random.default_rng(0)
    frames = [[person(body(t) * size + (9 * size, 0)) for size in draw.uniform(0.3, 3, 2)] for t in range(60)]
    found, _ = read(write(tmp_path / "film", frames))
    assert len(found) == 60 and found.isfinite().all()


@pytest.mark.parametrize("empty", [[], [{"pose_keypoints_2d": []}], [{"pose_keypoints_2d": [0.0] * 75}]])
def test_frames_in_which_nobody_is_seen(empty, tmp_path):
    frames = [[person(body(t))] for t in range(40)]
    for t in (0, 10, 11, 12, 39):
        frames[t] = empty
    found, said = read(write(tmp_path / "film", frames))
    seen = [*range(1, 10), *range(13, 39)]
    known = truth(40)[seen]
    known = known - known[:1, [8, 11]].mean(1, keepdim=True)
    torch.testing.assert_close(found[seen], known, atol=2e-3, rtol=0)
    assert not said and torch.equal(found[0], found[1]) and torch.equal(found[39], found[38])


# other sets of keypoints

RIGHT_LEFT = (6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15)
SETS = {
    "COCO of OpenPose": (18, range(14)),
    "MPI": (15, range(14)),
    "COCO": (17, (0, None, *RIGHT_LEFT)),
    "COCO-WholeBody": (133, (0, None, *RIGHT_LEFT)),
    "MediaPipe": (33, (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27)),
}


@pytest.mark.parametrize("name", SETS)
def test_other_sets_of_keypoints(name, tmp_path):
    """Sets without a neck have it in the middle of the shoulders."""
    count, order = SETS[name]
    frames = []
    for t in range(20):
        keypoints = np.zeros((count, 3))
        for joint, place in enumerate(order):
            if place is not None:
                keypoints[place] = (*(body(t)[joint] * (SCALE, -SCALE) + (640, 360)), 0.8)
        frames.append([{"pose_keypoints_2d": keypoints.ravel().tolist()}])
    found, said = read(write(tmp_path / "film", frames))
    torch.testing.assert_close(found, truth(20), atol=2e-3, rtol=0)
    assert not said
