"""Each ablation of the motion side: one flag, the whole path, a model that loads."""

import json
from dataclasses import replace

import pytest
import torch

from core import checkpoint, cli, pipeline
from core.audio import io
from core.config import preset
from core.diffusion.networks import size
from core.errors import FootlightError
from core.formats import bvh
from core.motion import features
from core.motion.layouts import BODY_LAYOUTS
from core.motion.skeleton import SMPL22
from core.rhythm import accents
from core.types import Waveform
from train import export, fit, recipes
from train.data import synthetic
from train.loop import LoopConfig
from train.options import Fit
from train.tasks.motion_vae import body_losses
from train.variants import motion_side

LOOP = LoopConfig(
    batch=4, lr=2e-3, warmup=2, ema=0.9, precision="32-true", accelerator="cpu", validate_every=6, pictures_every=6
)


def trained(out, **flags):
    args = Fit(
        task="all", data="synthetic", out=out / "run", preset="tiny", steps=6,
        mel_vae=recipes.MelVAERecipe(LOOP, recipes.MelVAEConfig(frames=64)),
        motion_vae=recipes.MotionVAERecipe(LOOP, recipes.MotionVAEConfig(frames=64)),
        denoiser=recipes.DenoiserRecipe(LOOP, recipes.DenoiserTaskConfig(frames=64, shortest=32)),
        scorer=recipes.ScorerRecipe(LOOP, recipes.ScorerTaskConfig(frames=64, shortest=32)),
        **flags,
    )  # fmt: skip
    results = fit.main(args)
    export.main(export.Export(out / "run", out / "model"))
    return args, results, out / "model"


def song() -> Waveform:
    return Waveform(synthetic.clicks(120, 2.0, torch.Generator().manual_seed(0)), 16_000)


def test_nothing_asked_for_changes_nothing():
    for name in ("tiny", "default", "paper"):
        assert motion_side(preset(name)) == preset(name) == motion_side(preset(name), "smpl22-6d", "transformer")


def test_a_layout_takes_its_channels_along():
    config = motion_side(preset("default"), layout="openpose14-2d")
    motion = config.modalities["motion"]
    assert (motion.representation, motion.autoencoder.channels) == ("openpose14-2d", 28)
    assert config.denoisers["motion"].observed_parts == 1  # a flat body has no parts that turn on their own
    assert motion_side(config, layout="smpl22-6d").modalities == preset("default").modalities


def test_a_network_is_exchanged_for_one_of_its_size():
    config = motion_side(preset("default"), network="unet")
    assert config.denoisers["motion"].kind == "unet" and motion_side(config, network="unet") == config
    assert size(config.denoisers["motion"]) == pytest.approx(size(preset("default").denoisers["motion"]), rel=0.1)
    assert config.denoisers["music"].kind == "unet"
    default = preset("default")
    assert replace(config, denoisers=default.denoisers) == default


@pytest.mark.parametrize(
    ("layout", "network", "words"),
    [("smplx", None, "unknown layout of motion 'smplx'"), (None, "mamba", "unknown denoiser 'mamba'")],
)
def test_unknown_names_are_refused(layout, network, words):
    with pytest.raises(FootlightError, match=words):
        motion_side(preset("tiny"), layout, network)


def test_a_transformer_is_not_made_from_a_unet():
    with pytest.raises(FootlightError, match="start from a preset"):
        motion_side(motion_side(preset("tiny"), network="unet"), network="transformer")


@pytest.mark.parametrize("layout", BODY_LAYOUTS)
def test_body_losses_measure_metres_in_every_layout(layout):
    """A body 10 cm higher is 10 cm away; one at half speed is as much slower as the first is fast."""
    motion = synthetic.pairs()["train"][0].motion()
    own = features.encode(motion, layout)[None]
    raised = features.encode(replace(motion, root=motion.root + torch.tensor((0.0, 0.1, 0.0))), layout)[None]
    still = own[:, :1].expand_as(own)
    same, lifted, stopped = (body_losses(x, own, motion.fps, layout) for x in (own, raised, still))
    assert float(same["positions"]) < 1e-6 and float(same["velocity"]) < 1e-5
    assert float(lifted["positions"]) == pytest.approx(0.1, abs=1e-4) and float(lifted["velocity"]) < 1e-4
    places = features.positions_from_features(own, motion.fps, layout=layout)
    speed = (places.diff(dim=1) * motion.fps).norm(dim=-1).mean()
    assert float(stopped["velocity"]) == pytest.approx(float(speed), rel=1e-3)
    assert ("feet" in same) == (layout != "openpose14-2d")


def test_a_unet_is_trained_exported_and_danced(tmp_path):
    _, results, folder = trained(tmp_path, network="unet")
    assert all(len(result["history"]) == 6 for result in results.values())
    model = pipeline.Model.load(folder, "cpu")
    assert model.config.denoisers["motion"].kind == "unet"
    made = pipeline.generate_dance(model, song())
    assert made.motion.frames == 60 and bool(made.motion.rotations.isfinite().all())


def test_directions_are_trained_exported_and_danced_on_a_rig(tmp_path):
    args, results, folder = trained(tmp_path, layout="smpl22-directions")
    assert "motion/feet" in results["motion-vae"]["history"][0]
    assert checkpoint.load(folder).tensors["autoencoder.motion"]["mean"].shape == (71,)
    io.write(tmp_path / "song.wav", song())
    words = ["dance", tmp_path / "song.wav", "--out", tmp_path / "dance.bvh", "--model", folder, "--device", "cpu"]
    assert cli.main([str(word) for word in words]) == 0
    motion = bvh.read_motion(tmp_path / "dance.bvh")
    assert motion.frames == 60 and motion.rotations.shape[1] == SMPL22.joints
    for flags, words in (
        ({"layout": "smpl22-6d"}, "has layout smpl22-directions"),
        ({"network": "unet"}, "has network"),
    ):
        with pytest.raises(FootlightError, match=words):
            fit.main(replace(args, **{"layout": None, **flags}))


def test_a_flat_dancer_is_trained_and_measured_but_moves_no_rig(tmp_path):
    _, results, folder = trained(tmp_path, layout="openpose14-2d")
    assert "motion/feet" not in results["motion-vae"]["history"][0]
    model = pipeline.Model.load(folder, "cpu")
    with pytest.raises(FootlightError, match="openpose14-2d has no rotations"):
        next(pipeline.generate_dance(model, song()))
    drawn, heard, _ = pipeline.sample_dance(model, song(), pipeline.DanceOptions())
    places = pipeline.joint_positions(model, drawn)
    assert places.shape == (len(drawn), 14, 2) and abs(len(drawn) / 31.25 - 2.0) < 0.1
    assert len(heard.beats.times) and bool(places.isfinite().all())
    assert accents.directogram(places).shape == (len(drawn), 1, accents.BINS)


def test_kinematic_beats_of_a_flat_dancer_fall_where_the_body_stops():
    motion = synthetic.swing(bpm=100, frames=250, phase=0.0, size=0.8)
    flat = features.encode(motion, "openpose14-2d")
    places = features.positions_from_features(flat, motion.fps, layout="openpose14-2d")
    found = accents.kinematic_beats(places, motion.fps).times
    assert len(found) >= 10
    beat = found * 100 / 60
    assert float((beat - beat.round()).abs().max()) < 0.05


def test_weights_of_another_representation_are_not_taken(tmp_path, capsys):
    _, _, folder = trained(tmp_path, network="transformer")
    saved = json.loads((folder / "config.json").read_text())["config"]["denoisers"]
    capsys.readouterr()
    args, _, _ = trained(tmp_path / "other", layout="smpl22-directions", init=folder)
    said = capsys.readouterr().out
    assert "mel-vae starts from the weights" in said
    assert "motion-vae starts from nothing" in said and "denoiser starts from nothing" in said
    assert json.loads((args.out / "config.json").read_text())["denoisers"] == saved
