"""What the tests of several rooms share: a model with random weights, and the Blenders to try things in."""

import os
import shutil
import sys
from pathlib import Path

import hypothesis
import pytest
import torch

from core import checkpoint, config
from core.autoencoder.networks import autoencoder_of
from core.diffusion.networks import denoiser_of
from core.motion import features
from core.motion.skeleton import REST_HEIGHT
from core.theatre.network import Theatre
from core.types import Motion
from core.vocoder.model import Vocoder

# A test that draws its examples says nothing of speed, and machines may be busy. It draws the same ones every time, so
# that a change is judged by what it changed; `pytest --hypothesis-profile=search` looks for others.
PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("patient", PATIENT, derandomize=True)
hypothesis.settings.register_profile("search", PATIENT)
hypothesis.settings.load_profile("patient")

STYLES = ("salsa", "robot")
LOOKS = ("disco", "noir")


@pytest.fixture(scope="session", autouse=True)
def nothing_kept():
    """No test finds what another one, or the user, heard before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOOTLIGHT_CACHE", "")
        yield


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """The tiny preset with two styles and random weights, whose motions are small movements about a standing pose."""
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    shape = config.with_styles(config.preset("tiny"), STYLES)
    music, motion = (autoencoder_of(shape.modalities[name]) for name in ("music", "motion"))
    denoisers = {name: denoiser_of(shape.denoisers[name]) for name in ("motion", "music")}
    vocoder = Vocoder(shape.vocoder, shape.signal)
    for denoiser in denoisers.values():
        torch.nn.init.normal_(denoiser.out.weight, std=0.1)
        torch.nn.init.normal_(denoiser.styles.weight)
    music.mean.fill_(-4.0)
    torch.random.set_rng_state(generator_state)
    rest = torch.zeros(1, 22, 4)
    rest[..., 0] = 1
    standing = Motion(rest, torch.tensor([[0.0, REST_HEIGHT - 0.04, 0.0]]), 31.25, torch.ones(1, 4))
    motion.mean.copy_(features.encode(standing)[0])
    motion.std.fill_(0.3)
    motion.std[:4] = torch.tensor([0.1, 0.1, 0.1, 0.02])
    networks = {"autoencoder.music": music, "autoencoder.motion": motion, "vocoder": vocoder}
    networks |= {f"denoiser.{name}": denoiser for name, denoiser in denoisers.items()}
    folder = tmp_path_factory.mktemp("models") / "tiny"
    checkpoint.save_folder(folder, shape, {name: network.state_dict() for name, network in networks.items()})
    return folder


@pytest.fixture(scope="session")
def theatre_folder(model_folder, tmp_path_factory) -> Path:
    """The tiny model with a theatre of two looks, whose every layer that starts at zero has random weights."""
    saved = checkpoint.load(model_folder)
    shape = config.with_theatre(saved.config, LOOKS, "tiny")
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    theatre, light = Theatre(shape), autoencoder_of(shape.modalities["light"])
    for parameter in theatre.denoisers.parameters():
        if not parameter.count_nonzero():
            torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.normal_(theatre.style.prototypes)
    torch.random.set_rng_state(generator_state)
    light.mean.fill_(0.5)
    light.std.fill_(0.3)
    tensors = {**saved.tensors, "theatre": theatre.state_dict(), "autoencoder.light": light.state_dict()}
    folder = tmp_path_factory.mktemp("theatre") / "tiny"
    checkpoint.save_folder(folder, shape, tensors)
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
