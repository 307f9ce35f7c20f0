"""The style classifier through the command that trains it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from core.errors import FootlightError
from core.metrics.classifier import WINDOW, Classifier
from core.motion.contact import label
from core.motion.kinematics import forward
from train import fit, recipes
from train.data import synthetic
from train.data.dataset import Pair
from train.loop import LoopConfig
from train.options import Fit
from train.tasks.classifier import ClassifierTask, ClassifierTaskConfig


def pair_of(template: Pair, genre: str, size: float, bpm: float) -> Pair:
    motion = synthetic.swing(bpm, 250, phase=0, size=size)
    contacts = label(forward(motion.rotations, motion.root), motion.fps)
    name = f"{genre}-{bpm}"
    return replace(
        template, genre=genre, motion_name=name, rotations=motion.rotations, root=motion.root, contacts=contacts
    )


@pytest.fixture(scope="module")
def pairs():
    """Two styles that differ by how far the arms swing; other tempos are held out."""
    template = synthetic.pairs(1)["val"][0]
    wide, narrow = (("wide", 1.2), ("narrow", 0.3))
    train = [pair_of(template, *style, bpm) for style in (wide, narrow) for bpm in (80, 100, 120)]
    val = [pair_of(template, *style, bpm) for style in (wide, narrow) for bpm in (90, 110)]
    return {"train": train, "val": val}


def test_it_learns_styles_and_leaves_a_classifier_that_loads(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "pairs", lambda: pairs)
    loop = LoopConfig(
        steps=60, batch=8, lr=3e-3, warmup=5, ema=0.9, precision="32-true", accelerator="cpu",
        validate_every=10**6, pictures_every=10**6,
    )  # fmt: skip
    recipe = recipes.ClassifierRecipe(loop, ClassifierTaskConfig(width=8, embedding=8))
    result = fit.main(Fit("classifier", "synthetic", tmp_path, preset="tiny", classifier=recipe))
    assert result["classifier"]["validation"]["balanced_accuracy"] > 0.9
    found = Classifier.load(tmp_path / "classifier")
    assert found.classes == ("narrow", "wide") and found.takes == {"narrow": 2, "wide": 2}
    assert found.accuracy == pytest.approx(result["classifier"]["validation"]["balanced_accuracy"])
    assert 0 <= found.pose_only <= 1
    again = fit.main(Fit("classifier", "synthetic", tmp_path, preset="tiny", classifier=recipe))
    assert again["classifier"]["history"] == []  # it was finished


def test_every_style_is_drawn_alike_and_mirrored(pairs):
    uneven = {"train": [*pairs["train"], *[p for p in pairs["train"] if p.genre == "wide"] * 3], "val": pairs["val"]}
    task = ClassifierTask(ClassifierTaskConfig(width=8), uneven)
    assert [len(clips) for clips in task.train] == [6, 24]
    styles = torch.cat([task.batch(64, torch.Generator().manual_seed(seed))["style"] for seed in range(10)])
    assert styles.float().mean() == pytest.approx(0.5, abs=0.08)


def test_data_that_cannot_teach_styles_is_refused(pairs):
    one = {split: [p for p in some if p.genre == "wide"] for split, some in pairs.items()}
    with pytest.raises(FootlightError, match="two styles"):
        ClassifierTask(ClassifierTaskConfig(), one)
    with pytest.raises(FootlightError, match="val split"):
        ClassifierTask(ClassifierTaskConfig(), {"train": pairs["train"], "val": []})
    short = [replace(p, rotations=p.rotations[:60], root=p.root[:60], contacts=None) for p in pairs["train"][:3]]
    with pytest.raises(FootlightError, match="four seconds"):
        ClassifierTask(ClassifierTaskConfig(), {"train": [*short, *pairs["train"][3:]], "val": pairs["val"]})


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_the_judge_by_mean_poses_is_scikit_learns(pairs):
    """Nearest centroids of mean features, each in units of its spread, on windows that it does not tell for certain."""
    task = ClassifierTask(ClassifierTaskConfig(width=8), pairs)
    means, styles = [], []
    for style, clips in enumerate(task.train):
        for clip in clips:
            for start in range(0, len(clip) - WINDOW + 1, WINDOW // 2):
                means.append(clip[start : start + WINDOW].mean(dim=0).numpy())
                styles.append(style)
    spread = np.maximum(np.std(means, axis=0, ddof=1), 1e-4)
    centroids = NearestCentroid().fit(np.array(means) / spread, styles)
    recalls = []
    for name, pieces in task.held_out.items():
        noisy = pieces + 3 * torch.tensor(spread) * torch.randn(
            len(pieces), 1, len(spread), generator=torch.Generator().manual_seed(1)
        )
        task.held_out[name] = noisy.float()
        chosen = centroids.predict(noisy.mean(dim=1).numpy() / spread)
        recalls.append(np.mean(chosen == task.classes.index(name)))
    assert 0.2 < np.mean(recalls) < 1 and task.pose_only() == pytest.approx(np.mean(recalls))
