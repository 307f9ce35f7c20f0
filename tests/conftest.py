"""What the tests of several rooms share: a model with random weights, and the Blenders to try things in."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import checkpoint, config
from core.autoencoder.mel_vae import MelVAE
from core.autoencoder.motion_vae import MotionVAE
from core.diffusion.transformer import Denoiser
from core.motion import features
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion
from core.vocoder.model import Vocoder

STYLES = ("salsa", "robot")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """The tiny preset with two styles and random weights, whose motions are small movements about a standing pose."""
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    shape = config.preset("tiny")
    shape = replace(shape, denoiser=replace(shape.denoiser, styles=len(STYLES)), styles=STYLES)
    shape = config.both_ways(shape)
    mel_vae, motion_vae, denoiser = MelVAE(shape.mel_vae), MotionVAE(shape.motion_vae), Denoiser(shape.denoiser)
    scorer, vocoder = Denoiser(shape.scorer), Vocoder(shape.vocoder, shape.signal)
    for expert in (denoiser, scorer):
        torch.nn.init.normal_(expert.out.weight, std=0.1)
        torch.nn.init.normal_(expert.styles.weight)
    mel_vae.mean.fill_(-4.0)
    torch.random.set_rng_state(generator_state)
    rest = torch.zeros(1, 22, 4)
    rest[..., 0] = 1
    standing = Motion(rest, torch.tensor([[0.0, REST_HEIGHT - 0.04, 0.0]]), 31.25, torch.ones(1, 4))
    motion_vae.mean.copy_(features.encode(standing)[0])
    motion_vae.std.fill_(0.3)
    motion_vae.std[:4] = torch.tensor([0.1, 0.1, 0.1, 0.02])
    networks = {"mel_vae": mel_vae, "motion_vae": motion_vae, "denoiser": denoiser, "scorer": scorer}
    networks["vocoder"] = vocoder
    folder = tmp_path_factory.mktemp("models") / "tiny"
    checkpoint.save_folder(folder, shape, {name: network.state_dict() for name, network in networks.items()})
    return folder


@pytest.fixture
def program() -> str:
    """The real Blender."""
    found = os.environ.get("FOOTLIGHT_BLENDER") or shutil.which("blender")
    if not found:
        pytest.skip("no Blender: set FOOTLIGHT_BLENDER to the program, or put blender on the PATH")
    return found


@pytest.fixture(params=["module", "program"])
def blender(request) -> list[str]:
    """The command that runs a script inside Blender: the bpy module, and the program itself where there is one."""
    if request.param == "module":
        pytest.importorskip("bpy", reason="the bpy module is not installed")
        return [sys.executable]
    return [request.getfixturevalue("program"), "-b", "--python-exit-code", "1", "--python"]
