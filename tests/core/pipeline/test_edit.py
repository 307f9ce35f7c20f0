import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import progress
from core.audio import io
from core.edits.keys_file import Key
from core.edits.parts import joints_of, parse_parts
from core.edits.path_file import FloorPath
from core.errors import FootlightError
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.pipeline import DanceOptions, Edit, Model, edit_dance, hear_song, read_dance
from core.pipeline.edit import sample_edit, stretch_of, targets_of
from core.pipeline.kept import Fit
from core.types import Motion

RANGE = slice(180, 270)
BENT = (0.8, 0.0, -0.6, 0.0)


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


@pytest.fixture(scope="module")
def heard(model, make_song):
    return hear_song(model, make_song(14.0))


@pytest.fixture
def base(swaying):
    return swaying(400, 30.0)


def edited(model, heard, base, seed=1, **options):
    edit = Edit(base, RANGE.start, RANGE.stop, **options)
    return edit_dance(model, heard, edit, DanceOptions(seed=seed, steps=4)).motion


def posed(frame, root=None, **rotations):
    return Key(frame=frame, rotations=rotations, root=root)


def outside(motion):
    keep = torch.ones(motion.frames, dtype=torch.bool)
    keep[RANGE] = False
    return keep


@pytest.mark.parametrize("parts", ["all", "upper", "lower", "left arm"])
def test_what_is_not_made_anew_is_the_same_bit_by_bit(model, heard, base, parts):
    made = edited(model, heard, base, parts=parse_parts(parts))
    keep = outside(base)
    assert torch.equal(made.rotations[keep], base.rotations[keep]) and torch.equal(made.root[keep], base.root[keep])
    anew = torch.zeros(22, dtype=torch.bool)
    anew[list(joints_of(parse_parts(parts)))] = True
    assert torch.equal(made.rotations[:, ~anew], base.rotations[:, ~anew])
    apart = rotation.angle(made.rotations[RANGE], base.rotations[RANGE]).mean(0)
    moved = [SMPL22.names[joint] for joint in anew.nonzero()[:, 0].tolist() if float(apart[joint]) > 0.02]
    assert len(moved) > 0.7 * int(anew.sum())
    assert (made.fps, made.frames) == (base.fps, base.frames) and made.contacts.shape == (base.frames, 4)
    if not anew[0]:
        assert torch.equal(made.root, base.root)


@pytest.mark.parametrize("late", [0.0, 0.5], ids=["strikes", "arrives"])
def test_an_edit_of_a_dance_that_strikes_is_not_judged_by_its_arrivals(model, heard, late):
    """A body that is fastest on every beat, or half a beat later, with one arm made anew."""
    beats = heard.rhythm.beats.times.double()
    phase = torch.from_numpy(np.interp(np.arange(400) / 30.0, beats.numpy(), np.arange(len(beats)))) - late
    root = torch.zeros(400, 3)
    root[:, 0] = 0.3 * torch.sin(torch.pi * phase).float()  # fastest where the phase is whole
    still = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(400, 22, 4)
    edit = Edit(Motion(still, root, 30.0), RANGE.start, RANGE.stop, parts=parse_parts("left arm"))
    metrics = edit_dance(model, heard, edit, DanceOptions(steps=1)).metrics
    assert ("beat" in metrics) == bool(late) and (metrics["energy_on_beats"] > 1) != bool(late)


@pytest.mark.parametrize("fps", [24.0, 30000 / 1001, 60.0, 120.0])
@pytest.mark.parametrize("place", ["beginning", "middle", "end", "all"])
def test_any_frame_rate_and_any_place(model, heard, swaying, fps, place):
    base = swaying(round(13.5 * fps), fps)
    start, end = {
        "beginning": (0, round(2 * fps)),
        "middle": (round(6 * fps), round(6.3 * fps)),
        "end": (base.frames - round(2 * fps), base.frames),
        "all": (0, base.frames),
    }[place]
    made = edit_dance(model, heard, Edit(base, start, end), DanceOptions(steps=2)).motion
    keep = torch.ones(base.frames, dtype=torch.bool)
    keep[start:end] = False
    assert torch.equal(made.rotations[keep], base.rotations[keep]) and torch.equal(made.root[keep], base.root[keep])
    assert not torch.equal(made.rotations, base.rotations) and bool(made.rotations.isfinite().all())
    pace = made.root.diff(dim=0).norm(dim=-1) * fps
    assert float(pace.max()) < 8


def test_another_seed_is_another_edit_and_the_same_seed_the_same(model, heard, base):
    first, again, other = (edited(model, heard, base, seed) for seed in (1, 1, 2))
    assert torch.equal(first.rotations, again.rotations) and torch.equal(first.root, again.root)
    assert not torch.allclose(first.rotations, other.rotations, atol=1e-3)


def test_joins_do_not_jolt(model, heard, base):
    made = edited(model, heard, base)
    jerk = kinematics.forward(made.rotations, made.root).diff(n=3, dim=0).norm(dim=-1).amax(1) * 30**3
    seams = torch.cat((jerk[RANGE.start - 6 : RANGE.start + 5], jerk[RANGE.stop - 6 : RANGE.stop + 5]))
    assert float(seams.max()) < 1.5 * float(torch.cat((jerk[:150], jerk[RANGE], jerk[300:])).max())


def test_key_poses_are_hit_exactly(model, heard, base):
    elbow = SMPL22.index("right_elbow")
    turn = rotation.mul(base.rotations[250, elbow], rotation.about("z", torch.tensor(0.4)))
    keys = (
        Key(frame=200),
        Key(seconds=7.5, joints="left arm"),
        Key(frame=250, rotations={"right_elbow": tuple(turn.tolist())}, root=(0.3, 0.9, 2.5)),
    )
    made = edited(model, heard, base, keys=keys)
    assert torch.equal(made.rotations[200], base.rotations[200]) and torch.equal(made.root[200], base.root[200])
    arm, rest = list(joints_of(("left arm",))), list(joints_of(("legs", "torso", "head", "right arm")))
    assert torch.equal(made.rotations[225, arm], base.rotations[225, arm])
    assert not torch.allclose(made.rotations[225, rest], base.rotations[225, rest], atol=1e-3)
    assert torch.allclose(made.rotations[250, elbow], turn, atol=1e-6)
    assert torch.equal(made.root[250], torch.tensor([0.3, 0.9, 2.5]))
    keep = outside(base)
    assert torch.equal(made.rotations[keep], base.rotations[keep]) and torch.equal(made.root[keep], base.root[keep])


@pytest.mark.parametrize("facing", ["along", "kept"])
def test_a_whole_dance_follows_a_path(model, heard, base, facing):
    path = FloorPath(((1.0, 1.0), (3.0, 1.0), (3.0, 3.0)), facing)
    made = edit_dance(model, heard, Edit(base, 0, base.frames, path=path), DanceOptions(steps=4)).motion
    times = torch.arange(base.frames, dtype=torch.float64) / 30
    wanted = torch.from_numpy(path.at(times.numpy(), 0.0, base.frames / 30)).float()
    assert float((made.root[:, [0, 2]] - wanted).norm(dim=-1).mean()) < 0.2
    if facing == "along":
        ahead = rotation.rotate(made.rotations[:, 0], torch.tensor([0.0, 0.0, 1.0]))
        early, late = ahead[60:140].mean(0), ahead[280:360].mean(0)
        assert float(early[0]) > 0.5 and float(late[2]) > 0.5


def test_a_path_inside_a_range_is_come_to_and_left(model, heard, base):
    middle = base.root[225, [0, 2]]
    path = FloorPath(
        (tuple((middle + torch.tensor([-0.3, 0.0])).tolist()), tuple((middle + torch.tensor([0.3, 0.2])).tolist()))
    )
    made = edited(model, heard, base, path=path)
    keep = outside(base)
    assert torch.equal(made.root[keep], base.root[keep])
    assert float(made.root.diff(dim=0).norm(dim=-1).max()) * 30 < 4


@pytest.mark.parametrize(("to", "seconds"), [(1e-9, None), (0.03, None), (0.4, (0.0, 200.0))])
def test_a_path_on_which_the_dancer_hardly_moves_has_no_direction(model, heard, base, to, seconds):
    place = base.root[225, [0, 2]].tolist()
    path = FloorPath((tuple(place), (place[0] + to, place[1])), seconds=seconds)
    made = edited(model, heard, base, path=path)
    assert float((made.root[210:240, [0, 2]] - torch.tensor(place)).norm(dim=-1).mean()) < 0.3
    assert torch.equal(made.root[outside(base)], base.root[outside(base)])


def test_keys_of_one_frame_may_pose_several_joints(model, heard, base):
    keys = (posed(225, left_elbow=BENT), posed(225, left_elbow=BENT, head=(1.0, 0.0, 0.0, 0.0)), Key(frame=225))
    made = edited(model, heard, base, keys=keys)
    assert made.rotations[225, SMPL22.index("left_elbow")].tolist() == pytest.approx(BENT, abs=1e-6)
    assert torch.equal(made.rotations[225, :12], base.rotations[225, :12])


def test_only_the_windows_around_the_range_are_sampled(model, make_song, swaying):
    long = hear_song(model, make_song(60.0))
    stretch = stretch_of(model, Edit(swaying(1800, 30.0), 900, 960), long)
    first, last = stretch.latents
    assert last - first < 0.2 * long.condition.context["music"].shape[1]
    assert stretch.first / 30 <= 29 and (stretch.first + stretch.base.frames) / 30 >= 33
    sampling = model.config.sampling["motion"]
    short = (sampling.window - (last - first)) % (sampling.window - sampling.overlap)
    assert short <= 1, "windows are full"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 390, "end": 401}, "frames 390 to 401 were to be made anew"),
        ({"start": 10, "end": 10}, "frames 10 to 10"),
        ({"keys": (Key(frame=20),)}, "the key at frame 20 is outside of the range"),
        ({"path": FloorPath(((0, 0), (1, 1))), "parts": ("head",)}, "a path is walked by the legs"),
        ({"path": FloorPath(((0, 0), (99, 0)))}, "expected 3 m/s"),
        ({"path": FloorPath(((0, 0), (1, 1)), seconds=(20.0, 21.0))}, "walked from 20 to 21 s, but 6.00 to 9.00 s"),
        ({"path": FloorPath(((90, 0), (91, 0)))}, r"from the dance before the range to the path .* m in 0\.78 s"),
        ({"keys": (posed(225, root=(0.0, 93.0, 0.0)),)}, "the pelvis at a height of 93 m, .* expected metres"),
        ({"keys": (posed(225, root=(40.0, 0.9, 0.0)),)}, "to the key at frame 225 the dancer has to go .* in 1.53 s"),
        ({"keys": (posed(200, root=(1.0, 0.9, 0.0)), posed(203, root=(2.0, 0.9, 0.0)))}, r"1\.00 m in 0\.10 s"),
        ({"keys": (posed(225, left_elbow=BENT),), "parts": ("head",)}, r"poses left_elbow, .*\(left arm\)"),
        ({"keys": (posed(225, root=(0.0, 0.9, 0.0)),), "parts": ("head",)}, "the root, which goes with the legs"),
        ({"keys": (posed(225, head=BENT), posed(225, head=(1.0, 0, 0, 0)))}, "two keys at frame 225 .* of head"),
    ],
)
def test_edits_that_do_not_fit_are_refused_in_words(model, heard, base, options, words):
    edit = Edit(base, **{"start": RANGE.start, "end": RANGE.stop, **options})
    with pytest.raises(FootlightError, match=words):
        edit_dance(model, heard, edit, DanceOptions(steps=1))


def test_a_range_beyond_the_song_is_refused(model, heard, swaying):
    long = swaying(600, 30.0)
    with pytest.raises(FootlightError, match=r"ends at 20\.00 s, but the song at 14\.00 s"):
        edit_dance(model, heard, Edit(long, 500, 600))
    made = edit_dance(model, heard, Edit(long, 60, 120), DanceOptions(steps=1)).motion
    assert made.frames == 600 and torch.equal(made.root[130:], long.root[130:])


def test_an_edit_can_be_cancelled_and_tells_how_far_it_is(model, heard, base):
    seen = []
    with progress.listen(lambda stage, fraction: seen.append((stage, fraction))):
        edited(model, heard, base)
    assert [f for _, f in seen] == sorted(f for _, f in seen) and {"Dancing", "Planting the feet"} <= {
        s for s, _ in seen
    }

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError), progress.listen(lambda *_: None, stop):
        edited(model, heard, base)


@pytest.mark.parametrize("parts", ["all", "upper"])
def test_the_fit_brings_what_is_made_nearer_to_what_is_kept(model, heard, base, parts):
    edit = Edit(base, RANGE.start, RANGE.stop, parse_parts(parts))
    stretch = stretch_of(model, edit, heard)
    targets, options = targets_of(model, stretch, edit), DanceOptions(seed=1, steps=4)
    fits = (Fit(last=0), Fit(last=4), Fit(last=12))
    with torch.no_grad():
        drawn = [sample_edit(model, heard, stretch, edit, targets, options, None, fit) for fit in fits]
    none, some, more = (float(targets.missed(one)[0]) for one in drawn)
    assert more < 0.95 * some and some < 0.95 * none


def test_the_fit_changes_the_pose_beside_what_is_kept_and_not_what_is_far_from_it(model, heard, base):
    edit = Edit(base, RANGE.start, RANGE.stop)
    stretch = stretch_of(model, edit, heard)
    targets, options = targets_of(model, stretch, edit), DanceOptions(seed=1, steps=4)
    fits = (Fit(below=0, last=0), Fit(below=0, last=12))
    with torch.no_grad():
        without, with_it = (sample_edit(model, heard, stretch, edit, targets, options, None, fit) for fit in fits)
    changed = (with_it - without)[:, targets.layout.slices["rotations"]].abs().amax(1)
    kept = targets.kept.all(1)
    first, last = (~kept).nonzero()[[0, -1], 0].tolist()
    away = round(1.2 * targets.fps)
    assert float(changed[first + away : last - away].max()) < 0.05 * float(changed[kept].max())


def test_models_without_masks_can_edit_too(model, heard, base):
    denoisers = {**model.config.denoisers, "motion": replace(model.config.denoisers["motion"], observed=False)}
    assert model.config.denoisers["motion"].observed, "the check would be empty"
    from core.diffusion.networks import denoiser_of

    torch.manual_seed(0)
    blind = replace(
        model,
        config=replace(model.config, denoisers=denoisers),
        denoisers={**model.denoisers, "motion": denoiser_of(denoisers["motion"]).eval()},
    )
    made = edited(blind, heard, base)
    keep = outside(base)
    assert torch.equal(made.rotations[keep], base.rotations[keep])


def test_the_command_line_edits_a_dance(song_file, model_folder, make_song, tmp_path, capsys):
    from core import cli

    def run(*words, song=song_file):
        code = cli.main(["dance", str(song), "--model", str(model_folder), "--steps", "2", *map(str, words)])
        return code, capsys.readouterr()

    base, out = tmp_path / "base.bvh", tmp_path / "out.bvh"
    assert run("--out", base)[0] == 0
    keys, path = tmp_path / "keys.json", tmp_path / "path.json"
    keys.write_text('{"keys": [{"frame": 70}]}')
    path.write_text('{"points": [[0, 0], [0.5, 0.5]], "facing": "kept"}')
    options = ["--range", "2:4", "--keys", keys, "--path", path, "--seed", 3, "--variation", 0.8]
    code, said = run("--edit", base, "--out", out, *options)
    assert code == 0, said.err
    before, after = read_dance(base)[0], read_dance(out)[0]
    apart = rotation.angle(before.rotations, after.rotations).amax(1)
    assert float(apart[:60].max()) < 1e-5 and float(apart[120:].max()) < 1e-5  # BVH has six decimals
    assert float(apart[70]) < 1e-5 and float(apart[60:120].max()) > 0.01
    npz = tmp_path / "out.npz"
    assert run("--edit", out, "--out", npz, "--range", "bar 2", "--joints", "left arm")[0] == 0
    again = tmp_path / "again.npz"
    head = ("--edit", npz, "--out", again, "--range", "frames 30:60", "--joints", "head")
    code, said = run(*head)
    assert code == 0 and "warning" not in said.err
    first, second = (np.load(path)["rotations"] for path in (npz, again))
    kept = [joint for joint in range(22) if joint not in joints_of(("head",))]
    assert np.array_equal(first[:30], second[:30]) and np.array_equal(first[60:], second[60:])
    assert np.array_equal(first[:, kept], second[:, kept]) and not np.array_equal(first, second)

    other = tmp_path / "other.wav"
    io.write(other, make_song(6.0, 100))
    assert run(*head, song=other)[0] == 0  # whose result is that of the other song
    code, said = run("--edit", again, "--out", tmp_path / "third.npz", "--range", "0:1")
    warned = [line for line in said.err.splitlines() if "warning" in line]
    assert code == 0 and len(warned) == 1 and "made to another sound file than" in warned[0]

    for words, expected in (
        (["--range", "1:2"], "range says what is made anew of a dance; give the dance with edit"),
        (["--edit", base, "--variation", "0"], "variation is 0; expected 0.05 to 1"),
        (["--edit", base, "--range", "bar 9"], "is not in the song, which has"),
        (["--edit", base, "--range", "7:8"], "the range begins at 7.00 s, but the dance ends at 6.00 s"),
        (["--edit", base, "--joints", "tail"], "unknown part of the body 'tail'"),
        (["--edit", base, "--keys", tmp_path / "none.json"], "none.json: cannot be read"),
        (["--edit", base, "--path", keys], "unknown field 'keys'"),
        (["--edit", tmp_path / "none.bvh"], "none.bvh"),
        (["--edit", tmp_path], "has positions without rotations; expected a dance as BVH"),
        (["--edit", base, "--range", "2:2.01"], "the range '2:2.01' has no frame of the dance, which has 30 a second"),
        (["--edit", base, "--joints", ""], "unknown part of the body ''"),
        (["--edit", base, "--preview", tmp_path / "first.bvh"], "preview is of a new dance"),
        (["--preview", tmp_path / "x.bvh"], "preview and out are one file"),
    ):
        code, said = run("--out", tmp_path / "x.bvh", *words)
        assert code == 2 and expected in said.err and said.err.count("\n") == 1, said.err
        assert not (tmp_path / "x.bvh").exists()
    code, said = run("--edit", base, "--out", out, "--fps", 60, "--range", "0:1")
    assert code == 0 and "the dance has 30 frames a second, and its edit has them too, not 60" in said.err
    code, said = run("--edit", base, "--out", out, "--json", "--range", "0:1")
    assert json.loads(said.out.splitlines()[-1])["frames"] == 180
