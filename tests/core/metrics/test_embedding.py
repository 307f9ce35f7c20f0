"""The classifier's features, its files, and the scores in its embedding."""

import json
import math

import pytest
import torch

from core.errors import FootlightError
from core.metrics import classifier, embedding
from core.metrics.classifier import Classifier, ClassifierConfig, MotionClassifier
from core.metrics.frechet import frechet_distance
from core.motion import rotation
from core.motion.kinematics import mirror
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion


def swing(seed, frames=300, fps=30.0, size=0.5):
    """Arms and knees that swing at rates of their own."""
    generator = torch.Generator().manual_seed(seed)
    clock = torch.arange(frames) / fps
    angles = torch.zeros(frames, 22, 3)
    for name in ("left_shoulder", "right_elbow", "left_knee", "spine2"):
        rate, phase = 3 * torch.rand(2, generator=generator)
        angles[:, SMPL22.index(name), 2] = size * torch.sin(rate * clock + 2 * phase)
    root = torch.stack((0.3 * torch.sin(clock), 0 * clock + REST_HEIGHT, 0.2 * clock), dim=1)
    return Motion(rotation.from_axis_angle(angles), root, fps)


def turned_and_moved(motion, angle, place):
    turn = rotation.about("y", torch.tensor(angle))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn.expand_as(rotations[:, 0]), rotations[:, 0])
    return Motion(rotations, rotation.rotate(turn, motion.root) + torch.tensor(place), motion.fps)


@pytest.fixture(scope="module")
def judge():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = MotionClassifier(ClassifierConfig(3, width=8, embedding=6)).eval().requires_grad_(False)
    network.learn_from(torch.cat([classifier.features(swing(seed)) for seed in range(4)]))
    return Classifier(network, ("a", "b", "c"), 0.75, {"a": 1.0, "b": 0.5}, {"a": 2, "b": 1}, 0.5)


def test_features_do_not_know_place_heading_or_height():
    motion = swing(0)
    features = classifier.features(motion)
    assert features.shape == (150, classifier.CHANNELS)
    elsewhere = classifier.features(turned_and_moved(motion, 2.0, [3.0, 0.15, -1.0]))
    assert torch.allclose(features, elsewhere, atol=1e-4)


def test_features_do_not_know_the_joints_that_sources_lack():
    motion = swing(0)
    rotations = motion.rotations.clone()
    nod = rotation.about("x", torch.tensor(0.4))
    for name in ("head", "left_foot", "right_wrist"):
        rotations[:, SMPL22.index(name)] = nod
    other = Motion(rotations, motion.root, motion.fps)
    assert torch.equal(classifier.features(motion), classifier.features(other))


def test_features_hardly_depend_on_the_frame_rate_or_on_jitter():
    coarse, fine = (classifier.features(swing(0, round(10 * fps), fps)) for fps in (30.0, 62.5))
    shared = min(len(coarse), len(fine)) - 2
    assert (coarse[2:shared] - fine[2:shared]).abs().max() < 0.02
    motion = swing(0)
    shaken = motion.root + 0.01 * (torch.arange(motion.frames) % 2)[:, None]
    velocity = classifier.features(Motion(motion.rotations, shaken, 30.0))[10:-10, -4:-1]
    assert (velocity - classifier.features(motion)[10:-10, -4:-1]).abs().max() < 0.02  # 0.3 m/s of it came in


def test_turning_is_measured_in_radians_a_second():
    frames = 120
    turn = rotation.about("y", torch.arange(frames) / 30 * 1.5)
    rotations = rotation.identity(frames, 22)
    rotations[:, 0] = turn
    still = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    features = classifier.features(Motion(rotations, still, 30.0))
    assert torch.allclose(features[8:-8, -1], torch.full_like(features[8:-8, -1], 1.5), atol=1e-3)


def test_windows_overlap_by_half_and_short_motions_have_none():
    assert classifier.cut(swing(0, 300)).shape == (4, 60, classifier.CHANNELS)
    assert len(classifier.cut(swing(0, 100))) == 0
    with pytest.raises(FootlightError, match="too short"):
        classifier.features(swing(0, 2))


def test_a_classifier_survives_its_files(judge, tmp_path):
    judge.save(tmp_path)
    again = Classifier.load(tmp_path)
    pieces = classifier.cut(swing(1))
    assert torch.equal(judge.embed(pieces), again.embed(pieces)) and judge.about() == again.about()
    assert judge.probabilities(pieces).sum(dim=1) == pytest.approx(torch.ones(4))
    about = again.about()
    assert about["accuracy"] == 0.75 and about["accuracy_chance"] == 0.5 and about["accuracy_takes"] == 3
    assert about["accuracy_pose_only"] == 0.5


def test_damaged_or_foreign_classifiers_are_refused(judge, tmp_path):
    with pytest.raises(FootlightError, match="holds no classifier"):
        Classifier.load(tmp_path)
    judge.save(tmp_path)
    path = tmp_path / "classifier.json"
    document = json.loads(path.read_text())
    for change, message in (
        ({"version": 9}, "version 9"),
        ({"width": 16}, "does not fit"),
        ({"classes": ["a"]}, "does not fit"),
        ({"embedding": None}, "does not fit"),
    ):
        path.write_text(json.dumps({**document, **change}))
        with pytest.raises(FootlightError, match=message):
            Classifier.load(tmp_path)
    for broken in ("{", "[]"):
        path.write_text(broken)
        with pytest.raises(FootlightError, match="damaged"):
            Classifier.load(tmp_path)
    path.write_text(json.dumps(document))
    (tmp_path / "classifier.safetensors").write_bytes(b"no weights")
    with pytest.raises(FootlightError, match="damaged"):
        Classifier.load(tmp_path)


def test_diversity_is_the_mean_over_random_pairs():
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]])
    assert embedding.diversity(rows) == pytest.approx(4)
    many = torch.randn(300, 5, generator=torch.Generator().manual_seed(0))
    sampled = embedding.diversity(many)
    assert sampled == pytest.approx(torch.pdist(many).mean().item(), rel=0.1)
    assert sampled == embedding.diversity(many) != embedding.diversity(many, seed=1)
    with pytest.raises(FootlightError, match="two dances"):
        embedding.diversity(rows[:1])


def test_windows_of_one_dance_are_not_compared_with_each_other():
    one, other = torch.tensor([[0.0, 0.0], [100.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert embedding.between_dances([one, other]) == pytest.approx((3 + math.hypot(100, 3)) / 2)
    generator = torch.Generator().manual_seed(0)
    short, long = ([torch.randn(n, 8, generator=generator) for _ in range(40)] for n in (2, 20))
    assert embedding.between_dances(short) == pytest.approx(embedding.between_dances(long), rel=0.05)
    means = [embedding.diversity(torch.stack([dance.mean(dim=0) for dance in some])) for some in (short, long)]
    assert means[1] < 0.5 * means[0]  # which is why means of dances of different lengths do not compare


def test_kl_is_its_formula():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.25, 0.5])
    assert embedding.kl(p, q).item() == pytest.approx(math.log(2), abs=1e-4)
    assert embedding.kl(p, p).item() == 0
    assert embedding.kl(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item() == pytest.approx(
        6 * math.log(10), 1e-3
    )


def test_scores_carry_the_accuracy_and_follow_their_definitions(judge):
    real, made = [swing(seed) for seed in range(5)], [swing(seed, size=1.2) for seed in range(10, 14)]
    found = embedding.evaluate([*made, swing(20, 60)], real, judge, seeds=made[:3])
    assert found["accuracy"] == 0.75 and found["windows"] == 16 and found["windows_real"] == 20
    rows = [torch.cat([judge.embed(classifier.cut(motion)) for motion in some]) for some in (made, real)]
    assert found["fid"] == pytest.approx(frechet_distance(*rows))
    means = rows[0].reshape(4, 4, -1).mean(dim=1)
    assert found["diversity_inter"] == pytest.approx(torch.pdist(means).mean().item())
    assert found["diversity_intra"] == pytest.approx(torch.pdist(means[:3]).mean().item())
    classes = [[judge.probabilities(classifier.cut(m)).mean(dim=0) for m in some] for some in (made, real)]
    table = torch.stack([torch.stack([(r * (r / m).log()).sum() for m in classes[0]]) for r in classes[1]])
    assert found["mean_kld"] == pytest.approx(table.mean().item(), rel=1e-3)
    pairs = embedding.evaluate(made, real[:4], judge, paired=True)
    assert pairs["paired"] and pairs["mean_kld"] == pytest.approx(table[:4].diagonal().mean().item(), rel=1e-3)


def test_a_set_against_itself_is_nothing(judge):
    real = [swing(seed) for seed in range(4)]
    found = embedding.evaluate(real, real, judge, paired=True)
    assert found["fid"] == pytest.approx(0, abs=1e-8) and found["mean_kld"] == pytest.approx(0, abs=1e-9)
    assert found["diversity_inter"] == found["diversity_inter_real"] > 0
    assert found["mean_kld_real"] > 0
    reflected = embedding.evaluate([mirror(motion) for motion in real], real, judge)
    assert reflected["fid"] > 0


def test_sets_that_cannot_be_compared_are_refused(judge):
    real = [swing(seed) for seed in range(3)]
    with pytest.raises(FootlightError, match="fewer than two"):
        embedding.evaluate([swing(0), swing(1, 60)], real, judge)
    with pytest.raises(FootlightError, match="paired"):
        embedding.evaluate(real[:2], real, judge, paired=True)
